"""A recording that was withdrawn while it ran is dropped: never sealed, no key made, and its end says why."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls import spool
from asterisk_consent.calls.awaited import DROPPED
from asterisk_consent.calls.spool import SETTLE_AGAIN_S, SETTLE_S
from asterisk_consent.errors import AudioError
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.vault.call_keys import CallKey
from asterisk_consent.vault.store import close_recording, discard_recording
from tests.calls.recording_place import CALL_ID, SIDES, Place, until
from tests.vault.tones import RECORDING, write_side


def recorded(place: Place) -> None:
    """Let a call be recorded, and both of its sides be closed."""
    place.allow()
    for side in SIDES:
        place.end(side)


def key_of(place: Place) -> CallKey:
    return CallKey(keys=place.keys, call_id=CALL_ID, controller="voorbeeld")


def _is_asked(said: Sequence[object], times: int) -> bool:
    return len(said) >= times


def lies_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_a_withdrawn_recording_leaves_no_file_and_no_key_and_ends_as_failed_with_the_reason(
    place: Place,
) -> None:
    place.codes.withdrawn = True
    recorded(place)
    await place.finish()

    (end,) = place.ledger.recordings()
    assert place.ends() == [Kind.RECORDING_FAILED]
    assert (end.reason, end.sha256, end.size) == (DROPPED, "", 0)
    assert lies_in(place.spool) == lies_in(place.vault) == []
    assert not key_of(place).path.exists()
    assert place.recorder.depth == 0


async def test_while_the_ledger_cannot_be_asked_it_stays_in_the_spool_and_is_asked_again(
    place: Place,
) -> None:
    place.codes.withdrawn = None
    recorded(place)
    with capture_logs() as said:
        await place.clock.advance(0)
        for times in range(1, int(2 * SETTLE_S / SETTLE_AGAIN_S)):
            await until(partial(_is_asked, said, times))
            await until(lambda: place.clock.sleepers > 0)
            await place.clock.advance(SETTLE_AGAIN_S)
    assert {entry["event"] for entry in said} == {"recorder.not_dropped"}
    assert place.ends() == []
    assert len(lies_in(place.spool)) == 2
    assert lies_in(place.vault) == []

    place.codes.withdrawn = True
    await until(lambda: place.clock.sleepers > 0)
    await place.clock.advance(SETTLE_AGAIN_S)
    await place.finish()
    assert place.ends() == [Kind.RECORDING_FAILED]
    assert lies_in(place.spool) == lies_in(place.vault) == []


async def test_a_recording_that_was_not_withdrawn_is_kept_once_the_ledger_can_be_asked(place: Place) -> None:
    place.codes.withdrawn = None
    recorded(place)
    await place.clock.advance(0)
    await until(lambda: place.clock.sleepers > 0)
    place.codes.withdrawn = False
    await place.clock.advance(SETTLE_AGAIN_S)
    await place.finish()
    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_what_an_earlier_run_sealed_and_did_not_enter_goes_with_the_withdrawal(place: Place) -> None:
    place.allow(hand_over=False)
    for side in SIDES:
        write_side(place.spool, side, SIDES[side])
    close_recording(RECORDING, place.spool, place.vault, key_of(place))
    assert key_of(place).path.exists()
    place.codes.withdrawn = True

    await place.recorder.adopt()
    await place.hang_up()
    await place.finish()

    assert place.ends() == [Kind.RECORDING_FAILED]
    assert lies_in(place.spool) == lies_in(place.vault) == []
    assert not key_of(place).path.exists()


async def test_a_spool_that_cannot_be_emptied_is_tried_again_before_the_end_is_entered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [AudioError("the spool cannot be emptied")]

    def discard_later(*arguments: object) -> None:
        if refusals:
            raise refusals.pop()
        discard_recording(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(spool, "discard_recording", discard_later)
    place.codes.withdrawn = True
    recorded(place)
    await place.clock.advance(0)
    await until(lambda: not refusals and place.clock.sleepers > 0)
    assert place.ends() == []
    await place.clock.advance(SETTLE_AGAIN_S)
    await place.finish()
    assert place.ends() == [Kind.RECORDING_FAILED]
    assert lies_in(place.spool) == []


async def test_a_code_is_taken_in_as_soon_as_its_file_is_closed(place: Place) -> None:
    place.allow()
    for name in (f"{RECORDING}-withdraw", f"{RECORDING}-stop"):
        place.recorder.take_file_event(name, created=True)
        place.recorder.take_file_event(name, created=False)
    await until(partial(_is_asked, place.codes.taken, 2))
    assert place.codes.taken == [RECORDING, RECORDING]


async def test_a_code_that_cannot_be_taken_in_now_breaks_nothing(place: Place) -> None:
    place.codes.withdrawn = None
    with capture_logs() as said:
        place.recorder.take_file_event(f"{RECORDING}-stop", created=False)
        await until(partial(_is_asked, said, 1))
    assert [line["event"] for line in said] == ["recorder.code_not_taken_in"]
