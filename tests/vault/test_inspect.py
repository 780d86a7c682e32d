"""What makes a recording right: equal sides, and no side silent for long while the other one is heard."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asterisk_consent.vault.inspect import FRAME_MS, REPORTED_SILENCE_MS, Inspection, inspect_sides
from tests.vault.tones import AGENT_HZ, CALLER_HZ, RATE, joined, silence, tone

FRAME = RATE * FRAME_MS // 1000


def inspect(caller: NDArray[np.int16], agent: NDArray[np.int16]) -> Inspection:
    return inspect_sides(caller, agent, RATE)


def test_a_conversation_is_right() -> None:
    inspection = inspect(tone(CALLER_HZ, 5.0), tone(AGENT_HZ, 5.0))
    assert inspection.problem is None
    assert inspection.duration_ms == inspection.caller.sounded_ms == 5000
    assert inspection.caller.silent_spans_ms == ()


def test_a_side_that_asterisk_lost_is_a_problem_with_its_span() -> None:
    caller = joined(tone(CALLER_HZ, 12.0), silence(35.3), tone(CALLER_HZ, 5.0))
    inspection = inspect(caller, tone(AGENT_HZ, 52.3))
    assert inspection.problem == "caller side silent from 12.0 s to 47.3 s"
    assert inspection.caller.silent_spans_ms == ((12000, 47300),)


def test_the_agent_is_judged_as_the_caller_is() -> None:
    inspection = inspect(tone(CALLER_HZ, 40.0), joined(tone(AGENT_HZ, 5.0), silence(35.0)))
    assert inspection.problem == "agent side silent from 5.0 s to 40.0 s"


@pytest.mark.parametrize(("seconds", "right"), [(30.0, True), (30.02, False)])
def test_a_side_may_be_silent_up_to_the_limit(seconds: float, right: bool) -> None:
    caller = joined(silence(seconds), tone(CALLER_HZ, 1.0))
    assert (inspect(caller, tone(AGENT_HZ, seconds + 1)).problem is None) is right


def test_the_limit_is_a_parameter() -> None:
    caller = joined(silence(3.0), tone(CALLER_HZ, 1.0))
    assert inspect_sides(caller, tone(AGENT_HZ, 4.0), RATE, silence_limit_s=2.0).problem is not None


def test_both_sides_silent_at_once_are_a_pause_and_not_a_problem() -> None:
    def paused(hz: float) -> NDArray[np.int16]:
        return joined(tone(hz, 2.0), silence(90.0), tone(hz, 2.0))

    inspection = inspect(paused(CALLER_HZ), paused(AGENT_HZ))
    assert inspection.problem is None
    assert inspection.agent.silent_spans_ms == ((2000, 92000),)


def test_a_click_on_the_other_side_does_not_make_a_pause_a_problem() -> None:
    agent = silence(60.0)
    agent[RATE * 10 : RATE * 10 + 400] = 5
    assert inspect(silence(60.0), agent).problem is None


def test_a_faint_sound_is_no_silence() -> None:
    faint = np.where(np.arange(RATE * 60) % FRAME == 7, 1, 0).astype(np.int16)
    assert inspect(faint, tone(AGENT_HZ, 60.0)).problem is None


def test_no_sound_on_either_side_is_a_problem_once_longer_than_the_limit() -> None:
    assert inspect(silence(31.0), silence(31.0)).problem == "no sound on either side"
    assert inspect(silence(29.0), silence(29.0)).problem is None


def test_no_frames_at_all_are_empty() -> None:
    assert inspect(silence(0), silence(0)).problem == "empty"


@pytest.mark.parametrize(
    ("difference_s", "right"), [(0.04, True), (-0.04, True), (0.06, False), (-0.06, False)]
)
def test_the_sides_may_differ_by_two_frames(difference_s: float, right: bool) -> None:
    inspection = inspect(tone(CALLER_HZ, 5.0 + difference_s), tone(AGENT_HZ, 5.0))
    assert (inspection.problem is None) is right
    if not right:
        shorter = "agent" if difference_s > 0 else "caller"
        assert inspection.problem == f"{shorter} side 0.06 s shorter than the other"


def test_every_silence_of_a_second_is_reported_and_none_shorter() -> None:
    caller = joined(
        silence(1.0),
        tone(CALLER_HZ, 1.0),
        silence(0.98),
        tone(CALLER_HZ, 1.0),
        silence(2.5),
        tone(CALLER_HZ, 0.5),
    )
    side = inspect(caller, tone(AGENT_HZ, 6.98)).caller
    assert side.silent_spans_ms == ((0, 1000), (3980, 6480))
    assert (side.first_sound_ms, side.last_sound_ms, side.sounded_ms) == (1000, 6980, 2500)


def test_a_side_without_sound_has_no_first_and_last_sound() -> None:
    side = inspect(silence(2.0), tone(AGENT_HZ, 2.0)).caller
    assert (side.first_sound_ms, side.last_sound_ms, side.sounded_ms) == (None, None, 0)
    assert side.silent_spans_ms == ((0, 2000),)


spans = st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=12)


@given(spans, st.integers(0, FRAME - 1))
def test_spans_are_those_a_slow_reading_finds(pieces: list[tuple[bool, int]], rest: int) -> None:
    frames = [sounds for sounds, count in pieces for _ in range(count)] + [True] * (rest > 0)
    samples = np.repeat(np.array(frames, dtype=np.int16), FRAME)
    samples = samples[: len(samples) - (FRAME - rest if rest else 0)]
    side = inspect(samples, samples).caller

    expected, start = [], None
    for index, sounds in enumerate([*frames, True]):
        if not sounds and start is None:
            start = index * FRAME_MS
        elif sounds and start is not None:
            expected.append((start, index * FRAME_MS))
            start = None
    assert side.silent_spans_ms == tuple(s for s in expected if s[1] - s[0] >= REPORTED_SILENCE_MS)


def test_an_hour_is_judged_in_bounded_memory() -> None:
    hour = np.ones(3600 * RATE, dtype=np.int16)
    tracemalloc.start()
    inspection = inspect(hour, hour)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert inspection.duration_ms == 3_600_000
    assert peak < 8 << 20
