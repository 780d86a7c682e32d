"""Owns the judgement of a recording by its audio alone; pure.

Rule: a recording is right when both sides are equally long and no side is silent for long while the other one
is heard. *Silent* means exact digital zeros: that is what Asterisk writes for a side that it lost, with
nothing in its log (its audio hook drops a side while the RTP sequence number is behind the last one seen).
Sound is judged in frames of 20 ms, the unit in which Asterisk writes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_MS = 20
DIFFERENCE_LIMIT_MS = 40
"""What the lengths of the two sides may differ by."""
SILENCE_LIMIT_S = 30.0
REPORTED_SILENCE_MS = 1000
"""Silent spans from this length on are reported."""
HEARD_MS = 1000
"""The other side counts as heard in a span from this much sound on; less may be a click on the line."""

_CHUNK_FRAMES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class SideReport:
    """What one side of a recording holds; moments in milliseconds from its start."""

    duration_ms: int
    sounded_ms: int
    silent_spans_ms: tuple[tuple[int, int], ...]
    """Start and end of each span of digital silence of at least :data:`REPORTED_SILENCE_MS`."""
    first_sound_ms: int | None
    last_sound_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The judgement; ``problem`` is ``None`` where the recording is right."""

    duration_ms: int
    caller: SideReport
    agent: SideReport
    problem: str | None


class Listener:
    """Hears one side block by block and remembers which frames carried sound."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.frame = rate * FRAME_MS // 1000
        """Samples in a frame; every block but the last holds a whole number of frames."""
        self.samples = 0
        self._heard: list[NDArray[np.bool_]] = []

    def hear(self, samples: NDArray[np.int16]) -> None:
        """Listen to the next block."""
        whole = len(samples) // self.frame * self.frame
        self._heard.append(np.asarray(samples[:whole].reshape(-1, self.frame).any(axis=1)))
        if whole < len(samples):
            self._heard.append(np.array([bool(samples[whole:].any())]))
        self.samples += len(samples)

    @property
    def heard(self) -> NDArray[np.bool_]:
        """One truth value a frame: whether any of its samples is not zero."""
        return np.concatenate(self._heard) if self._heard else np.zeros(0, dtype=np.bool_)

    def ms(self, samples: int) -> int:
        """Convert a number of samples to milliseconds."""
        return round(samples * 1000 / self.rate)


def inspect_sides(
    caller: NDArray[np.int16],
    agent: NDArray[np.int16],
    rate: int,
    *,
    silence_limit_s: float = SILENCE_LIMIT_S,
) -> Inspection:
    """Judge two sides given as mono samples at ``rate`` Hz."""
    listeners = Listener(rate), Listener(rate)
    for listener, samples in zip(listeners, (caller, agent), strict=True):
        step = listener.frame * _CHUNK_FRAMES
        for start in range(0, len(samples), step):
            listener.hear(samples[start : start + step])
    return judge(*listeners, silence_limit_s=silence_limit_s)


def judge(caller: Listener, agent: Listener, *, silence_limit_s: float = SILENCE_LIMIT_S) -> Inspection:
    """Judge what was heard of the caller and of the agent."""
    problems = _problems_of_length(caller, agent) or [
        *_problems_of_silence("caller", caller, agent, silence_limit_s),
        *_problems_of_silence("agent", agent, caller, silence_limit_s),
        *_problem_of_no_sound(caller, agent, silence_limit_s),
    ]
    return Inspection(
        duration_ms=max(caller.ms(caller.samples), agent.ms(agent.samples)),
        caller=_report(caller),
        agent=_report(agent),
        problem="; ".join(problems) or None,
    )


def _report(side: Listener) -> SideReport:
    heard = side.heard
    sounding = np.flatnonzero(heard)
    duration_ms = side.ms(side.samples)
    return SideReport(
        duration_ms=duration_ms,
        sounded_ms=min(duration_ms, side.ms(int(sounding.size) * side.frame)),
        silent_spans_ms=tuple(
            (side.ms(start * side.frame), min(duration_ms, side.ms(end * side.frame)))
            for start, end in _silent_spans(heard, REPORTED_SILENCE_MS // FRAME_MS)
        ),
        first_sound_ms=side.ms(int(sounding[0]) * side.frame) if sounding.size else None,
        last_sound_ms=min(duration_ms, side.ms((int(sounding[-1]) + 1) * side.frame))
        if sounding.size
        else None,
    )


def _silent_spans(heard: NDArray[np.bool_], at_least: float) -> list[tuple[int, int]]:
    """Find the spans of silent frames that are at least so many frames long; the end is exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], heard, [True])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= at_least
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))


def _problems_of_length(caller: Listener, agent: Listener) -> list[str]:
    if not caller.samples and not agent.samples:
        return ["empty"]
    difference_ms = caller.ms(caller.samples) - agent.ms(agent.samples)
    if abs(difference_ms) <= DIFFERENCE_LIMIT_MS:
        return []
    shorter = "agent" if difference_ms > 0 else "caller"
    return [f"{shorter} side {abs(difference_ms) / 1000:.2f} s shorter than the other"]


def _problems_of_silence(name: str, side: Listener, other: Listener, limit_s: float) -> list[str]:
    frame_s = FRAME_MS / 1000
    heard, other_heard = side.heard, other.heard
    return [
        f"{name} side silent from {start * frame_s:.1f} s to {end * frame_s:.1f} s"
        for start, end in _silent_spans(heard, limit_s / frame_s)
        if (end - start) * frame_s > limit_s and other_heard[start:end].sum() * FRAME_MS >= HEARD_MS
    ]


def _problem_of_no_sound(caller: Listener, agent: Listener, limit_s: float) -> list[str]:
    if caller.heard.any() or agent.heard.any() or caller.samples <= limit_s * caller.rate:
        return []
    return ["no sound on either side"]
