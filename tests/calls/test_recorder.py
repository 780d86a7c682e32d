"""Every allowed recording reaches exactly one end, found from what is on disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_consent.calls.recorder import (
    CLOSING_S,
    DOUBT_S,
    ENTER_AGAIN_S,
    GRACE_S,
    SETTLE_AGAIN_S,
    SETTLE_S,
    STARTS_TOGETHER_S,
    SWEEP_S,
    Awaited,
    Recorder,
)
from asterisk_consent.errors import AudioError, PbxUnavailableError
from asterisk_consent.ledger.entry import Kind, NewEntry, decision_kind
from asterisk_consent.ledger.payload import decision_payload
from asterisk_consent.model import Direction, Outcome, RecordingId
from tests.calls.ledger import FakeLedger
from tests.calls.manual_clock import ManualClock
from tests.vault.tones import AGENT_HZ, CALLER_HZ, OTHER, RECORDING, tone, write_side

CALL_ID = "0" * 31 + "1"
CHANNEL = "1800000000.1"
NOW = 1_800_000_123
SIDES = {"caller": tone(CALLER_HZ, 0.2), "agent": tone(AGENT_HZ, 0.2)}


class Place:
    """A spool, a vault, a ledger, the channels that Asterisk has, and a recorder among them."""

    def __init__(self, directory: Path) -> None:
        self.spool = directory / "spool"
        self.vault = directory / "vault"
        self.spool.mkdir()
        self.vault.mkdir()
        self.ledger = FakeLedger()
        self.clock = ManualClock()
        self.channels: set[str] | None = {CHANNEL}
        self.recorder = Recorder(
            spool=self.spool,
            vault=self.vault,
            ledger=self.ledger,
            channels=self._channels,
            monotonic_s=self.clock.monotonic_s,
            now=lambda: NOW,
            sleep=self.clock.sleep,
        )

    def allow(self, recording: RecordingId = RECORDING, *, hand_over: bool = True) -> None:
        """Let the decision be on disk, and the recorder know of it."""
        payload = decision_payload(
            outcome=Outcome.GIVEN,
            started_at=0,
            direction=Direction.INCOMING,
            dialled="1001",
            channel=CHANNEL,
            caller=None,
            caller_name=None,
            withheld=True,
            recording_id=recording,
        )
        kind = decision_kind(Outcome.GIVEN)
        self.ledger.entries.append(NewEntry(stream="voorbeeld", kind=kind, call_id=CALL_ID, payload=payload))
        if hand_over:
            self.recorder.expect(
                Awaited(recording_id=recording, call_id=CALL_ID, controller="voorbeeld", channel=CHANNEL)
            )

    def begin(self, side: str, recording: RecordingId = RECORDING) -> None:
        """Let Asterisk make the file of one side."""
        (self.spool / f"{recording}-{side}.wav").touch()
        self.recorder.take_file_event(f"{recording}-{side}.wav", created=True)

    def end(self, side: str, recording: RecordingId = RECORDING) -> None:
        """Let Asterisk close the file of one side."""
        write_side(self.spool, side, SIDES[side], recording)
        self.recorder.take_file_event(f"{recording}-{side}.wav", created=False)

    async def hang_up(self) -> None:
        """Let the call end, and the time pass after which nothing more can come."""
        self.channels = set()
        await self.recorder.sweep_once()
        await self.clock.advance(GRACE_S)
        await self.recorder.sweep_once()

    async def finish(self) -> None:
        """Let the starts be entered, and wait for the ends that are being worked on."""
        await self.clock.advance(0)
        await self.clock.advance(STARTS_TOGETHER_S)
        await self.recorder.close()

    @property
    def busy(self) -> bool:
        """Whether an end is being worked on."""
        return any(task.get_name() == "recorder" for task in asyncio.all_tasks())

    def ends(self) -> list[Kind]:
        """Return the ends that were entered."""
        return [entry.kind for entry in self.ledger.ends()]

    async def _channels(self) -> set[str]:
        if self.channels is None:
            raise PbxUnavailableError("no answer from Asterisk")
        return self.channels


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


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


async def test_the_spool_is_emptied_and_the_vault_holds_the_recording(place: Place) -> None:
    place.allow()
    for side in SIDES:
        place.end(side)
    await place.finish()

    assert list(place.spool.iterdir()) == []
    assert [path.stem for path in place.vault.iterdir()] == [RECORDING]


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


async def test_a_vault_that_cannot_be_written_is_tried_again_and_then_the_recording_has_failed(
    place: Place,
) -> None:
    place.allow()
    place.vault.rmdir()
    place.vault.touch()
    for side in SIDES:
        place.end(side)
    while place.recorder.depth:
        await _until(lambda: place.clock.sleepers > 0 or not place.recorder.depth)
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
    await _until(lambda: place.clock.sleepers > 0)
    place.vault.unlink()
    place.vault.mkdir()
    await place.clock.advance(SETTLE_AGAIN_S)
    await place.finish()

    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_an_unexpected_error_leaves_the_recording_to_the_next_sweep(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    place.allow()
    with monkeypatch.context() as patched:
        patched.setattr("asterisk_consent.calls.recorder.close_recording", fail)
        for side in SIDES:
            place.end(side)
        await place.finish()
    assert place.ends() == []

    await place.hang_up()
    await place.finish()
    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_a_spool_that_cannot_be_emptied_does_not_change_the_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AudioError("the spool cannot be emptied")

    monkeypatch.setattr("asterisk_consent.calls.recorder.empty_spool", fail)
    place.allow()
    for side in SIDES:
        place.end(side)
    await place.finish()

    assert place.ends() == [Kind.RECORDING_VERIFIED]


async def test_what_an_earlier_run_had_ended_but_not_removed_is_removed(place: Place) -> None:
    for recording in (RECORDING, OTHER):
        write_side(place.spool, "caller", SIDES["caller"], recording)
    (place.spool / "notes.txt").touch()

    await place.recorder.empty_leftovers(lambda recording: recording == RECORDING)

    assert sorted(path.name for path in place.spool.iterdir()) == [f"{OTHER}-caller.wav", "notes.txt"]


async def test_what_is_still_awaited_is_never_taken_for_a_leftover(place: Place) -> None:
    place.allow()
    write_side(place.spool, "caller", SIDES["caller"])

    await place.recorder.empty_leftovers(lambda _: True)

    assert len(list(place.spool.iterdir())) == 1


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


@asynccontextmanager
async def watching(place: Place) -> AsyncIterator[None]:
    """Watch the spool for real."""
    task = asyncio.create_task(place.recorder.watch())
    await asyncio.sleep(0)
    yield
    task.cancel()


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


async def _until(condition: Callable[[], bool]) -> None:
    """Give way until the worker threads have brought this about."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a thread brings it about, there is no event to wait for
            await asyncio.sleep(0)


ACTIONS = [
    "begin caller",
    "begin agent",
    "end caller",
    "end agent",
    "end_unstarted",
    "sweep",
    "wait",
    "leave",
    "ledger fails",
    "ledger does not answer",
    "doubt and adopt",
    "adopt",
]


async def act(place: Place, action: str) -> None:
    """Let one thing happen."""
    match action.split():
        case ["begin", side]:
            place.begin(side)
        case ["end", side]:
            place.end(side)
        case ["end_unstarted"]:
            place.recorder.end_unstarted(RECORDING, "the call had left")
        case ["sweep"]:
            await place.recorder.sweep_once()
        case ["wait"]:
            await place.clock.advance(GRACE_S)
        case ["leave"]:
            place.channels = set()
        case ["ledger", "fails"]:
            place.ledger.failures = 1
        case ["ledger", *_]:
            place.ledger.unanswered = 1
        case ["doubt", *_]:
            place.recorder.doubt()
            await place.recorder.adopt()
        case _:
            await place.recorder.adopt()


@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_in_whatever_order_there_is_exactly_one_end(actions: list[str]) -> None:
    async def check(directory: Path) -> None:
        place = Place(directory)
        place.allow()
        for action in actions:
            await act(place, action)
        place.ledger.failures = place.ledger.unanswered = 0
        for _ in range(4):
            await place.hang_up()
            await _until(lambda: not place.busy or place.clock.sleepers > 0)
            await place.clock.advance(SETTLE_S)
        await _until(lambda: not place.busy)
        assert len(place.ends()) == 1
        assert place.recorder.depth == 0
        assert place.ledger.kinds().count(Kind.RECORDING_STARTED) <= 1

    with TemporaryDirectory() as directory:
        asyncio.run(check(Path(directory)))
