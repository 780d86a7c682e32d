"""The heartbeat is renewed while calls can be asked and answers written, and only then."""

import asyncio
from itertools import count
from pathlib import Path

import pytest

from asterisk_consent.calls.heartbeat import INTERVAL_S, MAX_NOTES, NOTES_PER_BEAT, Heartbeat
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind
from asterisk_consent.model import Outcome
from tests.calls.asterisk import CHANNEL, UNAVAILABLE, waiting_channel
from tests.calls.service import Service, settle
from tests.calls.virtual_time import in_virtual_time

MOMENT = 1_800_000_123


def heartbeat(
    service: Service, directory: Path, *, min_free_bytes: int = 0, guarded: bool = True
) -> Heartbeat:
    """Return a heartbeat of a service that is connected."""
    ids = count(1)
    service.switchboard.acting = True
    return Heartbeat(
        ari=service.ari,
        switchboard=service.switchboard,
        policies=service.policies,
        ledger=service.ledger,
        places=(directory,),
        guarded=lambda: guarded,
        min_free_bytes=min_free_bytes,
        bypass=directory / "bypass",
        now=lambda: MOMENT,
        new_call_id=lambda: f"{next(ids):032x}",
    )


def beats(service: Service) -> int:
    """Return how often the heartbeat was renewed."""
    return service.asterisk.story.count(f"CONSENT_HEARTBEAT={MOMENT}")


def leave_notes(service: Service, *notes: str, first: int = 1) -> None:
    """Leave notes as the dialplan does."""
    for number, note in enumerate(notes, first):
        service.asterisk.variables[f"CONSENT_NOTE_{number}"] = note
    service.asterisk.variables["CONSENT_NOTES"] = str(first + len(notes) - 1)


@in_virtual_time
async def test_a_service_that_can_ask_and_write_renews_it(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)

    await heart.beat()

    assert service.asterisk.variables["CONSENT_HEARTBEAT"] == str(MOMENT)
    assert heart.healthy


@in_virtual_time
async def test_it_is_renewed_every_second(tmp_path: Path) -> None:
    service = Service()
    beating = asyncio.create_task(heartbeat(service, tmp_path).run())

    await asyncio.sleep(10 * INTERVAL_S + 0.5)
    beating.cancel()

    assert beats(service) == 11


@in_virtual_time
async def test_without_a_connection_it_is_not_renewed(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.switchboard.disconnected()

    await heart.beat()

    assert beats(service) == 0
    assert not heart.healthy


@in_virtual_time
async def test_with_a_full_spool_it_is_not_renewed(tmp_path: Path) -> None:
    service = Service()

    await heartbeat(service, tmp_path, min_free_bytes=1 << 62).beat()

    assert beats(service) == 0


@in_virtual_time
async def test_without_a_spool_it_is_not_renewed(tmp_path: Path) -> None:
    service = Service()

    await heartbeat(service, tmp_path / "missing").beat()

    assert beats(service) == 0


@in_virtual_time
async def test_with_a_place_that_cannot_be_written_it_is_not_renewed_until_it_can(tmp_path: Path) -> None:
    service = Service()
    place = tmp_path / "keys"
    place.touch(mode=0o600)  # nobody can write into that, root included
    heart = heartbeat(service, place)

    await heart.beat()
    assert beats(service) == 0

    place.unlink()
    place.mkdir()
    await heart.beat()
    assert beats(service) == 1


@in_virtual_time
async def test_where_nobody_would_stop_a_recording_that_somebody_joins_it_is_not_renewed(
    tmp_path: Path,
) -> None:
    service = Service()

    await heartbeat(service, tmp_path, guarded=False).beat()

    assert beats(service) == 0


@in_virtual_time
async def test_with_a_ledger_that_cannot_be_written_it_is_not_renewed_until_it_can(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.ledger.failures = 1

    await heart.beat()
    assert beats(service) == 0
    assert not heart.healthy

    await heart.beat()
    assert beats(service) == 1
    assert heart.healthy


@in_virtual_time
async def test_an_asterisk_that_does_not_answer_is_a_fault_and_not_an_end(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.asterisk.faults["CONSENT_HEARTBEAT"] = UNAVAILABLE

    await heart.beat()
    assert not heart.healthy

    service.asterisk.faults.clear()
    await heart.beat()
    assert heart.healthy


@pytest.mark.parametrize(("is_on", "value"), [(True, "1"), (False, "")])
def test_the_bypass_is_put_back_at_every_beat_for_asterisk_may_have_forgotten_it(
    is_on: bool, value: str, tmp_path: Path
) -> None:
    @in_virtual_time
    async def check() -> None:
        service = Service()
        heart = heartbeat(service, tmp_path)
        if is_on:
            (tmp_path / "bypass").touch()

        await heart.beat()
        service.asterisk.variables["CONSENT_BYPASS"] = "forgotten"
        await heart.beat()
        assert service.asterisk.variables["CONSENT_BYPASS"] == value

    check()


@in_virtual_time
async def test_the_bypass_is_on_before_the_heartbeat_lets_a_call_be_asked(tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "bypass").touch()

    await heartbeat(service, tmp_path).beat()

    story = service.asterisk.story
    assert story[0] == "CONSENT_BYPASS=1"
    assert story.index(f"CONSENT_HEARTBEAT={MOMENT}") > story.index("CONSENT_CODES=")


@in_virtual_time
async def test_a_call_that_passed_is_entered_once(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    leave_notes(
        service, "1800000001,away,1800000001.7,p1-nl,1001", "1800000002,escaped,1800000002.8,p1-nl,1001"
    )

    for _ in range(3):
        await heart.beat()

    assert [entry.kind for entry in service.ledger.entries] == [Kind.DECISION_FAILED] * 2
    assert [entry.stream for entry in service.ledger.entries] == [SYSTEM_STREAM] * 2
    away, escaped = service.ledger.decisions()
    assert (away.outcome, away.started_at, away.channel, away.dialled, away.reason) == (
        Outcome.FAILED,
        1_800_000_001,
        "1800000001.7",
        "1001",
        "the service was away",
    )
    assert escaped.reason == "the service did not answer in time"


@in_virtual_time
async def test_a_note_about_a_call_that_was_asked_here_is_not_entered_a_second_time(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.asterisk.arrive(waiting_channel())
    await settle()
    service.asterisk.escape()
    await service.finish()
    leave_notes(service, f"1800000002,escaped,{CHANNEL},p1-nl,1001")

    await heart.beat()

    assert len(service.ledger.decisions()) == 1


@pytest.mark.parametrize("note", ["", ",,,,", "x", "1,2,3,4,5,6,7", "99999999999999999999999,away,c,p,1"])
def test_a_note_that_is_not_one_costs_nothing_but_an_entry(note: str, tmp_path: Path) -> None:
    @in_virtual_time
    async def check() -> None:
        service = Service()
        heart = heartbeat(service, tmp_path)
        leave_notes(service, note)
        await heart.beat()
        assert heart.healthy
        assert len(service.ledger.entries) == 1

    check()


@in_virtual_time
async def test_notes_are_read_a_few_at_a_time_so_that_the_heartbeat_stays_young(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    leave_notes(service, *(f"180,away,{n},p1-nl,1001" for n in range(2 * NOTES_PER_BEAT + 1)))

    for expected in (NOTES_PER_BEAT, 2 * NOTES_PER_BEAT, 2 * NOTES_PER_BEAT + 1, 2 * NOTES_PER_BEAT + 1):
        await heart.beat()
        assert len(service.ledger.entries) == expected


@in_virtual_time
async def test_notes_that_could_not_be_entered_are_entered_later_with_the_same_id(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    leave_notes(service, "180,away,7,p1-nl,1001", "181,away,8,p1-nl,1001")
    await heart.beat()
    leave_notes(service, "182,away,9,p1-nl,1001", "183,away,10,p1-nl,1001")
    service.ledger.unanswered = 1

    await heart.beat()
    await heart.beat()
    await heart.beat()

    assert [decision.channel for decision in service.ledger.decisions()] == ["7", "8", "9", "9", "10"]
    assert service.ledger.entries[2].call_id == service.ledger.entries[3].call_id


@in_virtual_time
async def test_notes_of_an_asterisk_that_was_restarted_are_read_from_the_first(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    leave_notes(service, *(f"180,away,{n},p1-nl,1001" for n in range(NOTES_PER_BEAT + 1)))
    await heart.beat()
    leave_notes(service, "180,away,new,p1-nl,1001")

    await heart.beat()

    assert service.ledger.decisions()[-1].channel == "new"


@in_virtual_time
async def test_more_calls_than_the_dialplan_can_note_are_counted_as_lost_and_not_read(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.asterisk.variables["CONSENT_NOTES"] = str(MAX_NOTES + 7)

    for _ in range(MAX_NOTES // NOTES_PER_BEAT + 1):
        await heart.beat()

    assert len(service.ledger.entries) == MAX_NOTES
    assert service.asterisk.variables["CONSENT_NOTES"] == ""


@in_virtual_time
async def test_a_service_that_stops_takes_its_heartbeat_back(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    await heart.beat()

    await heart.end()

    assert service.asterisk.variables["CONSENT_HEARTBEAT"] == "0"


@in_virtual_time
async def test_a_service_that_stops_without_asterisk_just_stops(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.asterisk.faults["CONSENT_HEARTBEAT"] = UNAVAILABLE

    await heart.end()

    assert service.asterisk.story == ["CONSENT_HEARTBEAT=0"]


@in_virtual_time
async def test_a_service_that_was_replaced_leaves_the_heartbeat_to_the_other(tmp_path: Path) -> None:
    service = Service()
    heart = heartbeat(service, tmp_path)
    service.switchboard.replaced()

    await heart.beat()
    await heart.end()

    assert service.asterisk.story == []
