"""Until when a recording is kept: purpose by purpose, as the approved version said, never over early."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from asterisk_consent.cli.retention import retention
from asterisk_consent.ledger import Decision, Kind, append_from_outside
from asterisk_consent.model import Outcome
from asterisk_consent.rights.retention import NO_PURPOSE, NO_TERM, Kept, plan
from tests.calls.approved_place import ApprovedPlace
from tests.ledger.entries import decision, hex_id, recorded
from tests.ledger.open_sealing import OpenSealer

AMSTERDAM, BRUSSELS = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Europe/Brussels")


@pytest.fixture
async def place(tmp_path: Path) -> ApprovedPlace:
    """A place where two policies are approved: 90 days for training, one month for quality and evidence."""
    place = await ApprovedPlace(tmp_path).begin()
    for name in ("p1-nl", "p5-be"):
        place.put(name)
        place.approve(name)
    return place


def call(
    place: ApprovedPlace,
    number: int,
    started_at: datetime,
    purposes: tuple[str, ...],
    *,
    policy: str = "p1-nl",
    version: int = 1,
    end: Kind = Kind.RECORDING_VERIFIED,
) -> None:
    """Enter a call that was recorded, and the recording's end."""
    outcome = Outcome.INFORMED if policy == "p5-be" else Outcome.GIVEN
    entry = decision(number, outcome, recording=number)
    assert isinstance(entry.payload, Decision)
    payload = msgspec.structs.replace(
        entry.payload, started_at=int(started_at.timestamp()), purposes=purposes
    )
    entry = replace(entry, policy=policy, policy_version=version, payload=payload)
    append_from_outside(place.config.ledger_path, entry, sealer=OpenSealer())
    append_from_outside(place.config.ledger_path, recorded(end, number), sealer=OpenSealer())


def planned(place: ApprovedPlace) -> list[Kept]:
    return list(plan(place.config.ledger_path).recordings)


def test_each_purpose_is_kept_for_its_own_term_and_the_recording_for_the_last(place: ApprovedPlace) -> None:
    place.change("p1-nl", "version = 1", "version = 2")
    place.change("p1-nl", 'keep = "90 days"', 'keep = "30 days"')
    place.approve("p1-nl")
    began_at = datetime(2026, 3, 2, 10, tzinfo=AMSTERDAM)
    call(place, 1, began_at, ("training", "quality"), version=2)

    (kept,) = planned(place)

    days = {term.purpose: term.ends_at for term in kept.terms}
    assert days == {
        "training": datetime(2026, 4, 2, tzinfo=AMSTERDAM),
        "quality": datetime(2026, 6, 1, tzinfo=AMSTERDAM),
    }
    assert kept.ends_at == days["quality"]
    assert [term.is_over(days["training"]) for term in kept.terms] == [True, False]
    assert not kept.is_due(days["quality"] - timedelta(seconds=1))
    assert kept.is_due(days["quality"])


@pytest.mark.parametrize(
    ("began_at", "ends_at"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=BRUSSELS), datetime(2026, 3, 1, tzinfo=BRUSSELS)),
        (datetime(2026, 2, 28, 1, 0, tzinfo=BRUSSELS), datetime(2026, 3, 29, tzinfo=BRUSSELS)),
        (datetime(2026, 2, 28, 23, 30, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=BRUSSELS)),
        (datetime(2026, 9, 25, 2, 30, tzinfo=BRUSSELS), datetime(2026, 10, 26, tzinfo=BRUSSELS)),
    ],
    ids=["short month", "the night before summer time", "the next day at the controller's", "the long night"],
)
def test_a_month_ends_with_the_last_hour_of_its_day_at_the_controllers(
    place: ApprovedPlace, began_at: datetime, ends_at: datetime
) -> None:
    call(place, 1, began_at, ("quality", "evidence"), policy="p5-be")

    (kept,) = planned(place)

    assert {term.ends_at for term in kept.terms} == {ends_at}


def test_the_term_is_that_of_the_version_the_call_was_asked_under(place: ApprovedPlace) -> None:
    began_at = datetime(2026, 3, 2, 10, tzinfo=AMSTERDAM)
    call(place, 1, began_at, ("training",))
    place.change("p1-nl", "version = 1", "version = 2")
    place.change("p1-nl", 'keep = "90 days"', 'keep = "1 day"')
    place.approve("p1-nl")
    call(place, 2, began_at, ("training",), version=2)
    place.file_of("p1-nl").unlink()

    assert [str(kept.terms[0].term) for kept in planned(place)] == ["90 days", "1 day"]


def test_what_is_not_known_is_kept_and_told(place: ApprovedPlace) -> None:
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    call(place, 1, long_ago, ("training",), version=9)
    call(place, 2, long_ago, ("training", "marketing"))
    call(place, 3, long_ago, ())

    unknown, partly, none = planned(place)

    assert (unknown.unknown, unknown.terms, unknown.ends_at) == (NO_TERM, (), None)
    assert (partly.unknown, [term.purpose for term in partly.terms]) == (NO_TERM, ["training"])
    assert none.unknown == NO_PURPOSE
    assert not any(kept.is_due(datetime(2200, 1, 1, tzinfo=UTC)) for kept in (unknown, partly, none))


def test_only_what_has_audio_is_planned(place: ApprovedPlace) -> None:
    began_at = datetime(2026, 3, 2, 10, tzinfo=AMSTERDAM)
    append_from_outside(place.config.ledger_path, decision(7, Outcome.REFUSED), sealer=OpenSealer())
    append_from_outside(place.config.ledger_path, decision(8, recording=8), sealer=OpenSealer())
    call(place, 9, began_at, ("training",), end=Kind.RECORDING_FAILED)

    assert [kept.recording_id for kept in planned(place)] == [hex_id(9)]


def test_planning_changes_nothing(place: ApprovedPlace) -> None:
    call(place, 1, datetime(2000, 1, 1, tzinfo=UTC), ("training",))
    before = place.config.ledger_path.read_bytes()

    assert planned(place) == planned(place)
    assert place.config.ledger_path.read_bytes() == before


def test_the_command_tells_what_is_due_and_why(place: ApprovedPlace) -> None:
    call(place, 1, datetime(2000, 1, 1, 12, tzinfo=UTC), ("training",))
    call(place, 2, datetime.now(UTC), ("training",))

    listed = CliRunner().invoke(retention, ["plan"], obj=place.config)
    due = CliRunner().invoke(retention, ["plan", "--due", "--json"], obj=place.config)

    assert listed.exit_code == due.exit_code == 0
    assert "training ended 2000-04-01 00:00 CEST" in " ".join(listed.output.split())
    assert "1 of 2 are to go." in listed.output
    (found,) = json.loads(due.output)
    assert found == {
        "recording": hex_id(1),
        "call_id": hex_id(1),
        "controller": "voorbeeld-bv",
        "policy": "p1-nl",
        "policy_version": 1,
        "due": True,
        "terms": [{"purpose": "training", "keep": "90 days", "ends_at": "2000-04-01T00:00:00+02:00"}],
        "holds": [],
        "unknown": None,
    }
