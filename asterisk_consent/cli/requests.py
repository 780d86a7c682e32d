"""``requests``: what people asked for, and what has become of it."""

import json
from datetime import UTC, datetime

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.listing import print_listing
from asterisk_consent.config import Config
from asterisk_consent.ledger.standing import RequestRow, list_requests

COLUMNS = (("reference", "call"), ("right", "way"), ("entered (UTC)",), ("state",), ("note",))


@click.group()
def requests() -> None:
    """See what people asked for: withdrawals, erasures, restrictions."""


@requests.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not carried out yet.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def list_(config: Config, only_open: bool, as_json: bool) -> None:
    """List requests in the order they were entered. One about a call that was erased since went with it."""
    rows = [row for row in list_requests(config.ledger_path) if not (only_open and row.settled_seq)]
    if as_json:
        click.echo(json.dumps([_object(row) for row in rows], indent=2))
        return
    print_listing(COLUMNS, [_row(row) for row in rows], empty="Nobody has asked for anything.")


def _state(row: RequestRow) -> str:
    if row.lifted_seq:
        return "lifted"
    return "carried out" if row.settled_seq else "pending"


def _row(row: RequestRow) -> tuple[str, ...]:
    waits = row.erase_at and not row.settled_seq
    note = f"erased at {_moment(row.erase_at)} at the latest" if waits else ""
    return (row.reference, row.call_id[:8], row.right, row.way, _moment(row.entered_at), _state(row), note)


def _object(row: RequestRow) -> dict[str, object]:
    return {
        "reference": row.reference,
        "call_id": row.call_id,
        "controller": row.controller,
        "right": row.right,
        "way": row.way,
        "entered_at": datetime.fromtimestamp(row.entered_at, UTC).isoformat(),
        "erase_at": datetime.fromtimestamp(row.erase_at, UTC).isoformat() if row.erase_at else None,
        "state": _state(row),
    }


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
