"""Every allowed recording reaches exactly one end, also where the ledger, the vault or the service fail."""

import asyncio

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.recorder import (
    CLOSING_S,
    DOUBT_S,
    ENTER_AGAIN_S,
    SWEEP_S,
)
from asterisk_consent.calls.spool import SETTLE_AGAIN_S, SETTLE_S
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Service as ServicePayload
from asterisk_consent.vault.recipients import recipients_path
from tests.calls.recording_place import CHANNEL, SIDES, Place, until
from tests.vault.tones import OTHER, RECORDING, write_side


async def test_the_spool_is_emptied_and_the_vault_holds_the_recording(place: Place) -> None:
    place.allow()
    for side in SIDES:
        place.end(side)
    await place.finish()

    assert list(place.spool.iterdir()) == []
    assert [path.name for path in place.vault.iterdir()] == [f"{RECORDING}.flac.age"]


async def test_a_recording_of_an_earlier_run_is_taken_over_and_ended(place: Place) -> None:
    place.allow(hand_over=False)
    write_side(place.spool, "caller", SIDES["caller"])
    write_side(place.spool, "agent", SIDES["agent"])

    await place.recorder.adopt()
    await place.recorder.adopt()
    assert place.recorder.depth == 1
    assert place.recorder.is_recorded(CHANNEL)

    await place.hang_up()
    await place.finish()
    assert place.ends() == [Kind.RECORDING_VERIFIED]
    assert not place.recorder.is_recorded(CHANNEL)


async def test_a_recording_whose_entry_was_in_doubt_is_found_and_ended(place: Place) -> None:
    sweeping = asyncio.create_task(place.recorder.sweep())
    place.recorder.doubt()
    await place.clock.advance(0)
    await place.clock.advance(SWEEP_S)
    assert place.recorder.depth == 0

    place.allow(hand_over=False)
    place.channels = set()
    for _ in range(5):
        await place.clock.advance(SWEEP_S)
    await place.ledger.wait_for(Kind.RECORDING_NOT_STARTED)
    sweeping.cancel()

    assert place.ends() == [Kind.RECORDING_NOT_STARTED]


async def test_without_a_doubt_the_ledger_is_not_searched(place: Place) -> None:
    sweeping = asyncio.create_task(place.recorder.sweep())
    place.recorder.doubt()
    await place.clock.advance(DOUBT_S)
    place.allow(hand_over=False)
    for _ in range(5):
        await place.clock.advance(SWEEP_S)
    sweeping.cancel()

    assert place.recorder.depth == 0


async def test_a_search_that_fails_does_not_end_the_sweep(place: Place) -> None:
    sweeping = asyncio.create_task(place.recorder.sweep())
    place.recorder.doubt()
    place.ledger.unreadable = True
    await place.clock.advance(0)
    await place.clock.advance(SWEEP_S)
    place.ledger.unreadable = False
    place.allow(hand_over=False)
    await place.clock.advance(SWEEP_S)
    sweeping.cancel()

    assert place.recorder.depth == 1


async def test_what_ended_while_the_ledger_was_searched_is_not_taken_over_again(place: Place) -> None:
    place.recorder.doubt()
    place.allow()
    stale = await place.ledger.open_recordings()
    place.recorder.end_unstarted(RECORDING, "the call had left")
    await place.finish()

    place.ledger.stale_rows = stale
    await place.recorder.adopt()

    assert place.recorder.depth == 0


async def test_an_end_is_entered_once_the_ledger_takes_it(place: Place) -> None:
    place.allow()
    place.ledger.failures = 3
    place.recorder.end_unstarted(RECORDING, "the call had left")
    for _ in range(3):
        await place.clock.advance(0)
        assert place.ends() == []
        assert place.recorder.depth == 1
        await place.clock.advance(ENTER_AGAIN_S)

    assert place.ends() == [Kind.RECORDING_NOT_STARTED]


async def test_a_decision_that_could_not_be_entered_is_entered_once_the_ledger_takes_it(place: Place) -> None:
    place.ledger.failures = 2
    place.recorder.enter_later(
        NewEntry(stream="system", kind=Kind.SERVICE_STARTED, payload=ServicePayload(release="0"))
    )
    await place.clock.advance(0)
    for _ in range(3):
        assert place.ledger.kinds() == []
        await place.clock.advance(ENTER_AGAIN_S)

    assert place.ledger.kinds() == [Kind.SERVICE_STARTED]


async def test_an_end_that_the_ledger_wrote_without_an_answer_is_not_entered_again(place: Place) -> None:
    place.allow()
    place.ledger.unanswered = 1
    place.recorder.end_unstarted(RECORDING, "the call had left")
    await place.clock.advance(0)
    await place.clock.advance(ENTER_AGAIN_S)

    assert place.ends() == [Kind.RECORDING_NOT_STARTED]
    assert place.recorder.depth == 0


async def test_a_start_that_cannot_be_entered_does_not_keep_the_end_from_being_entered(place: Place) -> None:
    place.allow()
    place.ledger.failures = 1
    place.begin("caller")
    await place.finish()
    for side in SIDES:
        place.end(side)
    await place.finish()

    assert place.ledger.kinds()[1:] == [Kind.RECORDING_VERIFIED]


async def test_a_vault_that_cannot_be_written_is_tried_again_and_then_the_recording_has_failed(
    place: Place,
) -> None:
    place.allow()
    place.vault.rmdir()
    place.vault.touch()
    for side in SIDES:
        place.end(side)
    while place.recorder.depth:
        await until(lambda: place.clock.sleepers > 0 or not place.recorder.depth)
        await place.clock.advance(SETTLE_AGAIN_S)

    assert place.ends() == [Kind.RECORDING_FAILED]
    assert place.ledger.recordings()[-1].reason
    assert place.clock.now_s - 1000 == pytest.approx(SETTLE_S, abs=2 * SETTLE_AGAIN_S)
    assert len(list(place.spool.iterdir())) == 2


async def test_a_vault_that_can_be_written_again_in_time_costs_nothing(place: Place) -> None:
    place.allow()
    place.vault.rmdir()
    place.vault.touch()
    for side in SIDES:
        place.end(side)
    await until(lambda: place.clock.sleepers > 0)
    place.vault.unlink()
    place.vault.mkdir()
    await place.clock.advance(SETTLE_AGAIN_S)
    await place.finish()

    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_keys_that_come_back_in_time_cost_nothing_and_without_them_the_recording_has_failed(
    place: Place,
) -> None:
    recipients = recipients_path("voorbeeld", place.keys)
    content = recipients.read_bytes()
    for recording, come_back in ((RECORDING, True), (OTHER, False)):
        recipients.unlink()
        place.allow(recording)
        for side in SIDES:
            place.end(side, recording)
        while place.recorder.depth:
            await until(lambda: place.clock.sleepers > 0 or not place.recorder.depth)
            if come_back:
                recipients.write_bytes(content)
            await place.clock.advance(SETTLE_AGAIN_S)
        await place.finish()
        recipients.write_bytes(content)

    assert place.ends() == [Kind.RECORDING_VERIFIED, Kind.RECORDING_FAILED]
    assert place.ledger.recordings()[-1].reason == "there are no recipients"
    assert len(list(place.spool.iterdir())) == 2


async def test_what_both_sides_are_joined_in_is_no_stranger_in_the_spool(place: Place) -> None:
    place.allow()
    with capture_logs() as logs:
        for created in (True, False):
            place.recorder.take_file_event(f"{RECORDING}-joined.flac", created=created)
    assert logs == []
    assert place.recorder.depth == 1


async def test_an_unexpected_error_leaves_the_recording_to_the_next_sweep(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    place.allow()
    with monkeypatch.context() as patched:
        patched.setattr("asterisk_consent.calls.spool.close_recording", fail)
        for side in SIDES:
            place.end(side)
        await place.finish()
    assert place.ends() == []

    await place.hang_up()
    await place.finish()
    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_a_stop_does_not_wait_for_a_ledger_that_fails(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asterisk_consent.calls.recorder.CLOSING_S", 0.01)
    assert CLOSING_S <= 5.0
    place.allow()
    place.ledger.failures = -1
    place.recorder.end_unstarted(RECORDING, "the call had left")

    await place.recorder.close()
    await asyncio.sleep(0)

    assert place.ends() == []
