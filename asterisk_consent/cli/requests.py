"""``requests``: what people asked for, and what has become of it.

Rule: who asked, and who looked somebody up, is sealed; who opens that, and why, is entered first.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.listing import print_listing
from asterisk_consent.cli.opening import identity_option, opening
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.apart import ApartRow, entries_apart, find_apart
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.index import ObjectionIndex
from asterisk_consent.ledger.standing import RequestRow, list_requests
from asterisk_consent.model import Right
from asterisk_consent.rights.access import open_entry_apart
from asterisk_consent.rights.requests import Way

COLUMNS = (("reference", "call"), ("right", "way"), ("entered (UTC)", "entry"), ("state",), ("note",))


@click.group()
def requests() -> None:
    """See what people asked for: withdrawals, erasures, restrictions, objections."""


@requests.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not carried out yet.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def list_(config: Config, only_open: bool, as_json: bool) -> None:
    """List requests in the order they were entered. One about a call that was erased since went with it.

    An objection is about no call: who asked for it tells 'requests show ENTRY'.
    """
    about_calls = [row for row in list_requests(config.ledger_path) if not (only_open and row.settled_seq)]
    apart = [] if only_open else entries_apart(config.ledger_path)
    objected = [row for row in apart if isinstance(row.index, ObjectionIndex)]
    rows: list[RequestRow | ApartRow] = [*about_calls, *objected]
    rows.sort(key=lambda row: row.seq)
    if as_json:
        click.echo(json.dumps([_object(row) for row in rows], indent=2))
        return
    print_listing(COLUMNS, [_row(row) for row in rows], empty="Nobody has asked for anything.")


@requests.command()
@click.argument("entry", type=click.IntRange(min=1))
@click.option("--reason", default="", help="Why it is opened; entered into the ledger; needed.")
@identity_option
@configured
def show(config: Config, entry: int, reason: str, identity: Path | None) -> None:
    """Open an entry about no call, as JSON: who objected, or looked somebody up by number, and why.

    ENTRY is its number, from 'requests list' or 'calls lookups'. It needs an identity of the controller; who opened it,
    and why, is entered first. What was entered about a call shows 'calls show CALL --open'.
    """
    row = find_apart(config.ledger_path, entry)
    if row is None:
        raise RequestRefusedError(
            "that entry is no objection and no look by number",
            where=f"entry {entry}",
            remedy="See 'requests list' and 'calls lookups'; of a call: 'calls show CALL --open'",
        )
    places, identities = opening(config, row.controller, identity)
    opened = open_entry_apart(entry, person=person(), reason=reason, places=places, identities=identities)
    shown = {
        "entry": entry,
        "kind": row.kind,
        "controller": row.controller,
        "at": datetime.fromtimestamp(row.at, UTC).isoformat(),
        "payload": msgspec.to_builtins(opened.payload),
    }
    click.echo(json.dumps(shown, indent=2))


def _state(row: RequestRow) -> str:
    if row.lifted_seq:
        return "lifted"
    return "carried out" if row.settled_seq else "pending"


def _row(row: RequestRow | ApartRow) -> tuple[str, ...]:
    if isinstance(row, ApartRow):
        said = (str(Right.OBJECTION), str(Way.COMMAND), _moment(row.at), str(row.seq), _state_of_list(row))
        return ("–", "–", *said, f"to {row.controller}")
    waits = row.erase_at and not row.settled_seq
    note = f"erased at {_moment(row.erase_at)} at the latest" if waits else ""
    return (row.reference, row.call_id[:8], row.right, row.way, *_entry(row), _state(row), note)


def _entry(row: RequestRow) -> tuple[str, str]:
    return _moment(row.entered_at), str(row.seq)


def _state_of_list(row: ApartRow) -> str:
    return "lifted" if row.kind is Kind.OBJECTION_LIFTED else "carried out"


def _object(row: RequestRow | ApartRow) -> dict[str, object]:
    if isinstance(row, ApartRow):
        return {
            "entry": row.seq,
            "reference": None,
            "call_id": None,
            "controller": row.controller,
            "right": Right.OBJECTION,
            "way": Way.COMMAND,
            "entered_at": datetime.fromtimestamp(row.at, UTC).isoformat(),
            "erase_at": None,
            "state": _state_of_list(row),
        }
    return {
        "entry": row.seq,
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
