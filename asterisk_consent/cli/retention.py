"""``retention``: which recordings have outlived their terms."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.listing import print_listing, visible
from asterisk_consent.config import Config
from asterisk_consent.rights.retention import Kept
from asterisk_consent.rights.retention import plan as plan_retention

COLUMNS = (("recording", "call"), ("policy",), ("kept until", "state"), ("note",))


@click.group()
def retention() -> None:
    """See until when recordings are kept, and which should go."""


@retention.command()
@click.option("--due", "only_due", is_flag=True, help="Only those whose last term has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def plan(config: Config, only_due: bool, as_json: bool) -> None:
    """List every recording with the end of its terms, purpose by purpose. Changes nothing.

    A term is the one of the policy's version that the caller was asked under, as it was approved; it ends with the last
    hour of its last day in the controller's time zone.
    """
    now = datetime.now(UTC)
    kept = [each for each in plan_retention(config.ledger_path) if each.is_due(now) or not only_due]
    if as_json:
        click.echo(json.dumps([_object(each, now) for each in kept], indent=2))
        return
    empty = "No recording has outlived its terms." if only_due else "There is no recording."
    print_listing(COLUMNS, [_row(each, now) for each in kept], empty=empty)
    due = sum(each.is_due(now) for each in kept)
    if due:
        click.echo(f"{due} of {len(kept)} should go. This release does not remove them by itself.")


def _row(kept: Kept, now: datetime) -> Sequence[str]:
    ends_at = kept.ends_at
    notes = [
        f"{visible(term.purpose)} {'ended' if term.is_over(now) else 'until'} {_day(term.ends_at)}"
        for term in kept.terms
    ]
    return (
        kept.recording_id,
        kept.call_id[:8],
        f"{visible(kept.policy)} v{kept.policy_version}",
        _day(ends_at) if ends_at and not kept.unknown else "–",
        "due" if kept.is_due(now) else "kept",
        "; ".join([*notes, *([kept.unknown] if kept.unknown else [])]),
    )


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
        "unknown": kept.unknown or None,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"
