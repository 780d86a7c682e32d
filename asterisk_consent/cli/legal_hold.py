"""``legal-hold``: keep a recording past its term, for one purpose of the policy, for a case; and let it go again."""

import json
from datetime import UTC, datetime, timedelta

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.cli.listing import print_listing, visible
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.read import calls_beginning_with
from asterisk_consent.ledger.standing import HoldRow, legal_holds
from asterisk_consent.rights import holding
from asterisk_consent.rights.sweeping import sweep

COLUMNS = (("hold", "call"), ("purpose", "case"), ("until", "state"), ("placed by",), ("note",))
LEAST_OF_ID = 8


@click.group("legal-hold")
def legal_hold() -> None:
    """Keep recordings past their terms, as far as the policy lets them be kept."""


@legal_hold.command()
@click.argument("call_id", metavar="CALL")
@click.option("--purpose", required=True, help="For which purpose of the policy.")
@click.option("--case", required=True, help="What the case is called; it is shown in lists.")
@click.option(
    "--until",
    metavar="DATE",
    help="Its last day, YYYY-MM-DD in UTC; by default as long as the policy lets it.",
)
@click.option("--reason", required=True, help="Why; entered into the ledger.")
@configured
def place(config: Config, call_id: str, purpose: str, case: str, until: str | None, reason: str) -> None:
    """Keep the recording of a call past its term.

    Where the policy wants a second person, it keeps nothing until one confirmed it.
    """
    found = calls_beginning_with(config.ledger_path, call_id) if len(call_id) >= LEAST_OF_ID else []
    if len(found) != 1:
        raise RequestRefusedError("no such call", where=ascii(call_id)[:64], remedy="See 'calls list'")
    placing = holding.Placing(
        call_id=found[0].call_id,
        purpose=purpose,
        case=case,
        reason=reason,
        person=person(),
        until=_end_of(until) if until else None,
    )
    hold = holding.place(placing, holdings_of(config))
    click.echo(f"{hold.hold_id[:LEAST_OF_ID]}: {_state(hold)}, until {_day(hold.until)}.")


@legal_hold.command()
@click.argument("hold_id", metavar="HOLD")
@click.option("--reason", default="", help="Why; entered into the ledger.")
@configured
def confirm(config: Config, hold_id: str, reason: str) -> None:
    """Confirm a legal hold as the second person."""
    hold = holding.confirm(hold_id, person=person(), reason=reason, held=holdings_of(config))
    click.echo(f"{hold.hold_id[:LEAST_OF_ID]}: {_state(hold)}, until {_day(hold.until)}.")


@legal_hold.command()
@click.argument("hold_id", metavar="[HOLD]", required=False)
@click.option("--case", help="All holds of this case: the case is closed.")
@click.option("--reason", required=True, help="Why; entered into the ledger.")
@configured
def release(config: Config, hold_id: str | None, case: str | None, reason: str) -> None:
    """Release a legal hold, or all of a closed case; what has outlived its terms meanwhile is erased at once."""
    if (hold_id is None) == (case is None):
        raise click.UsageError("name either a HOLD or a --case")
    held = holdings_of(config)
    holds = (
        holding.holds_of_case(case, held) if case is not None else [holding.find_hold(hold_id or "", held)]
    )
    for hold in holds:
        holding.release(hold, person=person(), reason=reason, held=held)
        click.echo(f"{hold.hold_id[:LEAST_OF_ID]}: released.")
    report = sweep(held, only=frozenset(hold.recording_id for hold in holds))
    click.echo(f"{report.recordings} of {len(holds)} recordings had outlived their terms and were erased.")


@legal_hold.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@click.option("--all", "also_released", is_flag=True, help="Also those that were released.")
@configured
def list_(config: Config, as_json: bool, also_released: bool) -> None:
    """List legal holds in the order they were placed."""
    rows = [hold for hold in legal_holds(config.ledger_path) if also_released or not hold.released_seq]
    if as_json:
        click.echo(json.dumps([_object(hold) for hold in rows], indent=2))
        return
    print_listing(COLUMNS, [_row(hold) for hold in rows], empty="There is no legal hold.")


def _end_of(day: str) -> datetime:
    try:
        found = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise click.BadParameter("write YYYY-MM-DD", param_hint="--until") from error
    return found + timedelta(days=1)


def _state(hold: HoldRow) -> str:
    if hold.released_seq:
        return "released"
    if not hold.confirmed_seq:
        return "waits for a second person and keeps nothing yet"
    return "holds" if hold.holds(int(datetime.now(UTC).timestamp())) else "ended"


def _row(hold: HoldRow) -> tuple[str, ...]:
    return (
        hold.hold_id[:LEAST_OF_ID],
        hold.call_id[:LEAST_OF_ID],
        visible(hold.purpose),
        visible(hold.case),
        _day(hold.until),
        _state(hold),
        visible(hold.person),
        visible(hold.reason),
    )


def _object(hold: HoldRow) -> dict[str, object]:
    return {
        "id": hold.hold_id,
        "call_id": hold.call_id,
        "recording": hold.recording_id,
        "controller": hold.controller,
        "purpose": hold.purpose,
        "case": hold.case,
        "until": datetime.fromtimestamp(hold.until, UTC).isoformat(),
        "placed_at": datetime.fromtimestamp(hold.placed_at, UTC).isoformat(),
        "placed_by": hold.person,
        "reason": hold.reason,
        "state": _state(hold),
    }


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
