"""``calls lookups``: who looked somebody up by number, and how much it led to; which number is nowhere."""

import json
from datetime import UTC, datetime

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.listing import print_listing
from asterisk_consent.config import Config
from asterisk_consent.ledger.apart import entries_apart
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.index import AccessIndex

COLUMNS = (("entry",), ("looked up (UTC)",), ("controller",), ("among",), ("found",), ("note",))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def lookups(config: Config, as_json: bool) -> None:
    """List the looks by number in their order. Who looked, and why, is sealed: 'requests show ENTRY' opens it."""
    rows = [
        (row, row.index)
        for row in entries_apart(config.ledger_path)
        if row.kind is Kind.NUMBER_LOOKED_UP and isinstance(row.index, AccessIndex)
    ]
    if as_json:
        shown = [
            {
                "entry": row.seq,
                "looked_up_at": datetime.fromtimestamp(row.at, UTC).isoformat(),
                "controller": row.controller,
                "among": index.what,
                "found": index.found,
            }
            for row, index in rows
        ]
        click.echo(json.dumps(shown, indent=2))
        return
    table = [
        (
            str(row.seq),
            f"{datetime.fromtimestamp(row.at, UTC):%Y-%m-%d %H:%M:%S}",
            row.controller,
            index.what,
            str(index.found),
            "",
        )
        for row, index in rows
    ]
    print_listing(COLUMNS, table, empty="Nobody was looked up by number.")
