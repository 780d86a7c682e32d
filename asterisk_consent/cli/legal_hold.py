"""``legal-hold``: keep a recording past its term, for one purpose of the policy, for a case; and let it go again."""

import json
from datetime import UTC, date, datetime

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.cli.listing import print_listing, visible
from asterisk_consent.cli.person import person
from asterisk_consent.cli.whose import LEAST_OF_ID, one_call
from asterisk_consent.config import Config
from asterisk_consent.ledger.standing import HoldRow, legal_holds
from asterisk_consent.rights import holding
from asterisk_consent.rights.sweeping import sweep

COLUMNS = (
    ("hold", "call"),
    ("purpose", "case"),
    ("until (UTC)", "state"),
    ("placed by", "confirmed by"),
    ("note",),
)


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
    help="Its last day, YYYY-MM-DD at the controller's; by default as long as the policy lets it.",
)
@click.option("--reason", required=True, help="Why; entered into the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def place(
    config: Config, call_id: str, purpose: str, case: str, until: str | None, reason: str, as_json: bool
) -> None:
    """Keep the recording of a call past its term.

    Where the policy wants a second person, it keeps nothing until one confirmed it. What was withdrawn, or is to be
    erased, is not kept.
    """
    last_day = _day_of(until) if until is not None else None
    placing = holding.Placing(
        call_id=one_call(config, call_id),
        purpose=purpose,
        case=case,
        reason=reason,
        person=person(),
        until=last_day,
    )
    _say(holding.place(placing, holdings_of(config)), as_json=as_json)


@legal_hold.command()
@click.argument("hold_id", metavar="HOLD")
@click.option("--reason", default="", help="Why; entered into the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def confirm(config: Config, hold_id: str, reason: str, as_json: bool) -> None:
    """Confirm a legal hold as the second person."""
    held = holdings_of(config)
    _say(holding.confirm(hold_id, person=person(), reason=reason, held=held), as_json=as_json)


@legal_hold.command()
@click.argument("hold_id", metavar="[HOLD]", required=False)
@click.option("--case", help="All holds of this case: the case is closed.")
@click.option("--reason", required=True, help="Why; entered into the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def release(config: Config, hold_id: str | None, case: str | None, reason: str, as_json: bool) -> None:
    """Release a legal hold, or all of a closed case.

    What nothing keeps any more is erased at once: its terms have ended, or somebody asked for it meanwhile.
    """
    if (hold_id is None) == (case is None):
        raise click.UsageError("Name either a HOLD or a --case.")
    held = holdings_of(config)
    holds = (
        holding.holds_of_case(case, held) if case is not None else [holding.find_hold(hold_id or "", held)]
    )
    for hold in holds:
        holding.release(hold, person=person(), reason=reason, held=held)
        if not as_json:
            click.echo(f"{hold.hold_id[:LEAST_OF_ID]}: released.")
    recordings = frozenset(hold.recording_id for hold in holds)
    erased = sweep(held, only=recordings).recordings
    if as_json:
        click.echo(json.dumps({"released": [hold.hold_id for hold in holds], "recordings_erased": erased}))
        return
    click.echo(
        f"Recordings erased, since nothing keeps them any more: {erased} of {len(recordings)}."
        + (" 'retention plan' tells until when the others are kept." if erased < len(recordings) else "")
    )


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


def _day_of(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise click.BadParameter(
            "that is no day; write YYYY-MM-DD, as in 2027-12-31", param_hint="--until"
        ) from error


def _say(hold: HoldRow, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_object(hold), indent=2))
        return
    short = hold.hold_id[:LEAST_OF_ID]
    if not hold.confirmed_seq:
        click.echo(
            f"{short}: entered. It keeps nothing until a second person confirms it: legal-hold confirm {short}"
        )
    else:
        click.echo(f"{short}: holds until {_minute(hold.until)} UTC, or until it is released.")


def _state(hold: HoldRow) -> str:
    if hold.released_seq:
        return "released"
    if not hold.confirmed_seq:
        return "waits"
    return "holds" if hold.holds(int(datetime.now(UTC).timestamp())) else "ended"


def _row(hold: HoldRow) -> tuple[str, ...]:
    notes = [visible(hold.reason)]
    if not hold.confirmed_seq and not hold.released_seq:
        notes.append("keeps nothing until a second person confirms it")
    if hold.released_seq:
        notes.append(f"released by {visible(hold.released_by)}: {visible(hold.released_for)}")
    return (
        hold.hold_id[:LEAST_OF_ID],
        hold.call_id[:LEAST_OF_ID],
        visible(hold.purpose),
        visible(hold.case),
        _minute(hold.until),
        _state(hold),
        visible(hold.person),
        visible(hold.confirmed_by) or "–",
        "; ".join(notes),
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
        "confirmed_by": hold.confirmed_by or None,
        "released_by": hold.released_by or None,
        "released_for": hold.released_for or None,
        "reason": hold.reason,
        "state": _state(hold),
    }


def _minute(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
