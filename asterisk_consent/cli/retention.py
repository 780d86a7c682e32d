"""``retention``: what has outlived its terms, and letting it go."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.cli.listing import print_listing, progress_bar, visible
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config
from asterisk_consent.rights.erasing import spooled
from asterisk_consent.rights.retention import Kept, PurposeTerm
from asterisk_consent.rights.retention import plan as plan_retention
from asterisk_consent.rights.sweeping import sweep as sweep_all

COLUMNS = (("call", "recording"), ("policy",), ("kept until", "state"), ("note",))
LEAST_OF_ID = 8


@click.group()
def retention() -> None:
    """See until when recordings are kept, and let go what has outlived its terms."""


@retention.command()
@click.option("--due", "only_due", is_flag=True, help="Only those whose last term has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def plan(config: Config, only_due: bool, as_json: bool) -> None:
    """List every recording with the end of its terms, purpose by purpose. Changes nothing.

    A term is the one of the policy's version that the caller was asked under, as it was approved; it ends with the last
    hour of its last day in the controller's time zone. What somebody asked to be erased waits for no term; a legal hold
    keeps either.
    """
    now = datetime.now(UTC)
    planned = plan_retention(config.ledger_path, in_spool=spooled(config.spool))
    kept = [each for each in planned.recordings if each.is_due(now) or not only_due]
    if as_json:
        click.echo(json.dumps([_object(each, now) for each in kept], indent=2))
        return
    empty = "No recording has outlived its terms." if only_due else "There is no recording."
    print_listing(COLUMNS, [_row(each, now) for each in kept], empty=empty)
    due = sum(each.is_due(now) for each in kept)
    if due:
        click.echo(
            f"{due} of {len(kept)} to go. The service lets them go once a day; 'retention sweep' does it now."
        )
    proofs = len(planned.due_proofs(now))
    if proofs:
        click.echo(f"Calls of which the proof has outlived its term, and goes too: {proofs}.")


@retention.command()
@click.option(
    "--clock-is-right", is_flag=True, help="Vouch for the clock, where it looks as if it had jumped."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def sweep(config: Config, clock_is_right: bool, as_json: bool) -> None:
    """Erase recordings whose last term has ended, and what was entered about calls whose term has.

    The service does it once a day. What somebody asked to be erased goes too, as soon as nothing keeps it. Nothing is
    erased while a legal hold keeps it, nor when the clock may have jumped.
    """
    confirmed_by = person() if clock_is_right else ""
    with progress_bar("Erasing", hidden=as_json) as advance:
        report = sweep_all(holdings_of(config), clock_confirmed_by=confirmed_by, progress=advance)
    if as_json:
        click.echo(json.dumps({"recordings": report.recordings, "proofs": report.proofs}))
    else:
        click.echo(
            f"Recordings erased: {report.recordings}. Calls of which the proof was erased: {report.proofs}."
        )


def _row(kept: Kept, now: datetime) -> Sequence[str]:
    until = kept.kept_until(now)
    return (
        kept.call_id[:LEAST_OF_ID],
        kept.recording_id[:LEAST_OF_ID],
        f"{visible(kept.policy)} v{kept.policy_version}",
        _day(until) if until else "–",
        "due" if kept.is_due(now) else "kept",
        "; ".join(_notes(kept, now)),
    )


def _notes(kept: Kept, now: datetime) -> Iterator[str]:
    """Say why it is kept that long: what was asked, which purposes end when, who holds it."""
    for right in dict.fromkeys(request.right for request in kept.asked):
        yield f"{right} asked"
    for ends_at, terms in groupby(sorted(kept.terms, key=_end), key=_end):
        names = ", ".join(visible(term.purpose) for term in terms)
        yield f"{names} {'ended' if now >= ends_at else 'until'} {_day(ends_at)}"
    for hold in kept.held_by(now):
        yield f"held for {visible(hold.purpose)}, case {visible(hold.case)}"
    for hold in kept.holds:
        if not hold.confirmed_seq and not hold.released_seq:
            yield f"case {visible(hold.case)} waits for a second person"
    if kept.unknown:
        yield kept.unknown


def _end(term: PurposeTerm) -> datetime:
    return term.ends_at


def _object(kept: Kept, now: datetime) -> dict[str, object]:
    return {
        "recording": kept.recording_id,
        "call_id": kept.call_id,
        "controller": kept.controller,
        "policy": kept.policy,
        "policy_version": kept.policy_version,
        "due": kept.is_due(now),
        "terms": [
            {"purpose": term.purpose, "keep": str(term.term), "ends_at": term.ends_at.isoformat()}
            for term in kept.terms
        ],
        "kept_until": until.isoformat() if (until := kept.kept_until(now)) else None,
        "holds": [
            {
                "id": hold.hold_id,
                "purpose": hold.purpose,
                "case": hold.case,
                "until": datetime.fromtimestamp(hold.until, UTC).isoformat(),
            }
            for hold in kept.held_by(now)
        ],
        "asked": list(dict.fromkeys(str(request.right) for request in kept.asked)),
        "unknown": kept.unknown or None,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"
