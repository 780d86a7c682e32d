"""What lies in the spool gets out of it, is kept, and is stated for what it is."""

import asyncio

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.recorder import ROOM_S, SWEEP_S
from asterisk_consent.calls.spool import SETTLE_AGAIN_S
from asterisk_consent.errors import AudioError
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.payload import Recording
from tests.calls.recording_place import SIDES, Place, until
from tests.vault.tones import OTHER, RECORDING, write_side


async def test_a_spool_that_cannot_be_emptied_does_not_change_the_end_and_is_emptied_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AudioError("the spool cannot be emptied")

    place.allow()
    with monkeypatch.context() as patched:
        patched.setattr("asterisk_consent.calls.spool.empty_spool", fail)
        for side in SIDES:
            place.end(side)
        await place.finish()
    assert place.ends() == [Kind.RECORDING_VERIFIED]
    assert place.recorder.spool.depth == 1

    sweeping = asyncio.create_task(place.recorder.sweep())
    await place.clock.advance(0)
    await place.clock.advance(SWEEP_S)
    await until(lambda: not place.recorder.spool.depth)
    sweeping.cancel()
    assert list(place.spool.iterdir()) == []


async def test_what_was_recorded_while_the_spool_was_full_has_failed_and_what_there_is_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within two seconds of the moment from which on Asterisk could write no more, and nothing else has failed."""
    assert ROOM_S <= 2.0
    watching = asyncio.create_task(place.recorder.watch_room())
    for recording in (RECORDING, OTHER):
        place.allow(recording)
    place.begin("caller")
    place.begin("agent")
    with monkeypatch.context() as patched:
        patched.setattr("asterisk_consent.calls.spool.FULL_BYTES", 1 << 62)
        with capture_logs() as logs:
            await place.clock.advance(0)
            await place.clock.advance(ROOM_S)
            await place.clock.advance(ROOM_S)
    await place.clock.advance(ROOM_S)
    watching.cancel()
    assert [line["event"] for line in logs] == ["recorder.spool_full"]
    for recording in (RECORDING, OTHER):
        for side in SIDES:
            place.end(side, recording)
        await place.finish()

    assert place.ends() == [Kind.RECORDING_FAILED, Kind.RECORDING_VERIFIED]
    failed = place.ledger.ends()[0].payload
    assert isinstance(failed, Recording)
    assert failed.reason == "no space was left in the spool while it was recorded"
    assert failed.sha256


async def test_what_had_started_and_is_gone_has_failed_and_was_not_never_begun(place: Place) -> None:
    """As after a loss of power, where the spool was in memory, or the sides had not reached the disk."""
    for recording, left in ((RECORDING, None), (OTHER, b"")):
        place.allow(recording)
        for side in SIDES:
            place.begin(side, recording)
            path = place.spool / f"{recording}-{side}.wav"
            path.unlink() if left is None else path.write_bytes(left)
    await place.hang_up()
    await place.finish()

    assert place.ends() == [Kind.RECORDING_FAILED] * 2
    for end in place.ledger.recordings()[-2:]:
        assert end.reason.startswith("it had started, and nothing of it is left; caller side ")
    assert list(place.spool.iterdir()) == []


async def test_a_recording_that_was_cut_off_is_kept_and_both_that_and_the_gap_are_stated(
    place: Place,
) -> None:
    """Asterisk was killed: no length in the headers, and of one side less had left its buffer."""
    place.allow()
    for side in SIDES:
        path = write_side(place.spool, side, SIDES[side])
        content = bytearray(path.read_bytes())
        content[4:8] = content[40:44] = b"\0\0\0\0"
        path.write_bytes(content if side == "caller" else content[:-1601])
    await place.hang_up()
    await place.finish()

    (end,) = place.ledger.ends()
    assert isinstance(end.payload, Recording)
    assert end.kind is Kind.RECORDING_FAILED
    assert end.payload.reason == "cut off while Asterisk wrote it; agent side 0.10 s shorter than the other"
    assert (end.payload.duration_ms, len(end.payload.sha256)) == (200, 64)
    assert list(place.spool.iterdir()) == []


async def test_what_cannot_be_read_stays_in_the_spool_for_somebody_to_look_at(place: Place) -> None:
    place.allow()
    for side in SIDES:
        (place.spool / f"{RECORDING}-{side}.wav").write_bytes(b"no audio that we know of" * 10)
    await place.hang_up()
    await place.finish()

    assert place.ends() == [Kind.RECORDING_FAILED]
    assert len(list(place.spool.iterdir())) == 2
    assert place.recorder.spool.depth == 0


async def test_what_waits_for_the_vault_counts_from_its_close_until_the_spool_is_empty(place: Place) -> None:
    place.allow()
    place.begin("caller")
    assert (place.recorder.spool.depth, place.recorder.spool.oldest_s) == (0, 0.0)
    place.vault.rmdir()
    place.vault.touch()
    for side in SIDES:
        place.end(side)
    assert place.recorder.spool.depth == 1
    await until(lambda: place.clock.sleepers > 1)
    await place.clock.advance(SETTLE_AGAIN_S)
    assert (place.recorder.spool.depth, place.recorder.spool.oldest_s) == (1, SETTLE_AGAIN_S)

    place.vault.unlink()
    place.vault.mkdir()
    while place.recorder.spool.depth:
        await until(lambda: place.clock.sleepers > 0 or not place.recorder.spool.depth)
        await place.clock.advance(SETTLE_AGAIN_S)
    assert place.recorder.spool.oldest_s == 0.0
    assert place.ends() == [Kind.RECORDING_VERIFIED]
