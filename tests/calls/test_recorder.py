"""Every allowed recording reaches exactly one end, found from what is on disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from asterisk_consent.calls.recorder import (
    GRACE_S,
    STARTS_TOGETHER_S,
)
from asterisk_consent.errors import AudioError
from asterisk_consent.ledger.entry import Kind
from tests.calls.recording_place import CALL_ID, CHANNEL, NOW, SIDES, Place
from tests.vault.tones import OTHER, RECORDING, write_side


@asynccontextmanager
async def watching(place: Place) -> AsyncIterator[None]:
    """Watch the spool for real."""
    task = asyncio.create_task(place.recorder.watch())
    await asyncio.sleep(0)
    yield
    task.cancel()


async def test_a_recording_is_started_once_and_verified_once_both_sides_are_closed(place: Place) -> None:
    place.allow()
    for side in SIDES:
        place.begin(side)
    place.end("caller")
    await place.finish()
    assert place.ends() == []

    place.end("agent")
    await place.finish()

    assert place.ledger.kinds()[1:] == [Kind.RECORDING_STARTED, Kind.RECORDING_VERIFIED]
    started, verified = place.ledger.recordings()
    assert (started.recording_id, started.started_at) == (RECORDING, NOW)
    assert (verified.started_at, verified.duration_ms, verified.reason) == (NOW, 200, "")
    assert verified.sha256
    assert place.ledger.closing == [RECORDING]
    assert (place.recorder.depth, place.recorder.ended) == (0, {"recording.verified": 1})


async def test_an_entry_about_a_recording_names_its_call_and_controller(place: Place) -> None:
    place.allow()
    for side in SIDES:
        place.end(side)
    await place.finish()

    (end,) = place.ledger.ends()
    assert (end.stream, end.call_id) == ("voorbeeld", CALL_ID)


async def test_a_recording_with_one_side_only_fails_and_says_which_is_missing(place: Place) -> None:
    place.allow()
    place.begin("caller")
    place.end("caller")
    await place.hang_up()
    await place.finish()

    assert place.ends() == [Kind.RECORDING_FAILED]
    assert place.ledger.recordings()[-1].reason == "agent side missing"


async def test_a_recording_that_never_began_is_not_started_once_its_call_is_gone(place: Place) -> None:
    place.allow()
    for _ in range(10):
        await place.clock.advance(3600)
        await place.recorder.sweep_once()
    assert place.ends() == []

    await place.hang_up()
    await place.finish()
    assert place.ends() == [Kind.RECORDING_NOT_STARTED]


async def test_files_may_still_come_for_a_while_after_the_call_is_gone(place: Place) -> None:
    place.allow()
    place.channels = set()
    await place.recorder.sweep_once()
    await place.clock.advance(GRACE_S - 1)
    await place.recorder.sweep_once()
    await place.finish()
    for side in SIDES:
        place.end(side)
    await place.finish()

    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_a_file_that_is_closed_once_more_while_the_end_is_worked_on_changes_nothing(
    place: Place,
) -> None:
    place.allow()
    for side in SIDES:
        place.end(side)
    for side in SIDES:
        place.recorder.take_file_event(f"{RECORDING}-{side}.wav", created=False)
    place.recorder.end_unstarted(RECORDING, "the call had left")
    await place.hang_up()
    await place.finish()

    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_a_call_that_is_seen_again_keeps_its_recording_open(place: Place) -> None:
    place.allow()
    for channels in (set(), {CHANNEL}, set()):
        place.channels = channels
        await place.recorder.sweep_once()
        await place.clock.advance(GRACE_S - 1)

    assert place.recorder.depth == 1
    assert place.ends() == []


async def test_without_an_answer_of_asterisk_nothing_is_concluded(place: Place) -> None:
    place.allow()
    place.channels = None
    for _ in range(5):
        await place.recorder.sweep_once()
        await place.clock.advance(GRACE_S)

    assert place.ends() == []


async def test_a_recording_that_will_not_be_made_is_entered_at_once_and_once(place: Place) -> None:
    place.allow()
    place.recorder.end_unstarted(RECORDING, "the call had left")
    place.recorder.end_unstarted(RECORDING, "the call had left")
    await place.finish()
    place.recorder.end_unstarted(RECORDING, "the call had left")
    await place.hang_up()
    await place.finish()

    assert place.ends() == [Kind.RECORDING_NOT_STARTED]
    assert place.ledger.recordings()[0].reason == "the call had left"


async def test_starts_are_entered_together(place: Place) -> None:
    for recording in (RECORDING, OTHER):
        place.allow(recording)
        place.begin("caller", recording)
        place.begin("agent", recording)
    await place.clock.advance(0)
    assert place.ledger.recordings() == []

    await place.clock.advance(STARTS_TOGETHER_S)

    assert [started.recording_id for started in place.ledger.recordings()] == [RECORDING, OTHER]


async def test_a_start_is_entered_before_its_end_however_short_the_recording(place: Place) -> None:
    place.allow()
    for side in SIDES:
        place.begin(side)
        place.end(side)
    await place.ledger.wait_for(Kind.RECORDING_VERIFIED)

    assert place.ledger.kinds()[1:] == [Kind.RECORDING_STARTED, Kind.RECORDING_VERIFIED]


async def test_files_of_nobody_mean_nothing(place: Place) -> None:
    place.allow()
    for name in (
        f"{OTHER}-caller.wav",
        f"{RECORDING}-emptying.wav",
        f"{RECORDING}.wav",
        "../../etc/passwd",
        "core",
        "",
        f"{RECORDING.upper()}-caller.wav",
    ):
        place.recorder.take_file_event(name, created=True)
        place.recorder.take_file_event(name, created=False)
    await place.finish()

    assert place.ledger.recordings() == []
    assert place.recorder.depth == 1


async def test_the_spool_is_watched_for_files_that_begin_and_end(place: Place) -> None:
    place.allow()
    async with asyncio.timeout(20), watching(place):
        for side in SIDES:
            write_side(place.spool, side, SIDES[side])
        await place.ledger.wait_for(Kind.RECORDING_VERIFIED)

    assert place.ledger.kinds()[1:] == [Kind.RECORDING_STARTED, Kind.RECORDING_VERIFIED]


async def test_a_spool_that_is_not_there_is_said_to_be_missing_and_what_to_do(place: Place) -> None:
    place.spool.rmdir()

    with pytest.raises(AudioError, match=r"the spool cannot be watched: .*Create it"):
        await place.recorder.watch()
