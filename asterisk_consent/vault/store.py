"""Owns the way of a recording from the spool to the vault: inspected, joined, kept, and only then removed.

Rule: whatever audio there is gets kept, and what is not right with it is stated; it may be repeated after a
crash at any point with the same result. Everything here blocks: run it in a worker thread.

Order of removal: the first file of the spool is *renamed* to ``<id>-emptying.wav``, so that a recording of
which one side is already gone is never taken for one that lost a side. A rename also works on a full disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.inspect import SILENCE_LIMIT_S, Inspection, Listener, judge
from asterisk_consent.vault.kept import is_kept, keep, look_up, open_kept
from asterisk_consent.vault.names import SIDES, emptying_path, side_path
from asterisk_consent.vault.wav import Wave, open_wav

_BLOCK_S = 10
_RATE_OF_NOTHING = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A recording after its end."""

    recording_id: RecordingId
    sha256: str
    """Of the file in the vault; empty where there was no audio to keep."""
    size: int
    """Bytes in the vault."""
    duration_ms: int
    inspection: Inspection
    repaired: bool
    """A file was cut off while Asterisk wrote it; what there is has been kept."""
    problem: str
    """Why the recording is not what was allowed; empty where it is right."""
    unreadable: bool
    """A side was there but could not be read: what it held is not known."""

    @property
    def nothing_recorded(self) -> bool:
        """Whether there was no audio at all: never in a bridge, or no file was made."""
        return not self.sha256 and not self.unreadable


@dataclass(frozen=True, slots=True)
class _Side:
    wave: Wave | None
    problem: str | None
    unreadable: bool = False


def close_recording(
    recording_id: RecordingId, spool: Path, vault: Path, *, silence_limit_s: float = SILENCE_LIMIT_S
) -> Closed:
    """Inspect both sides in the spool and join them to one file in the vault; the spool stays as it is.

    :raises AudioError: where the spool cannot be read or the vault not be written; it may be tried again.
    """
    paths = [side_path(recording_id, side, spool) for side in SIDES]
    emptying = emptying_path(recording_id, spool).exists() or not any(path.exists() for path in paths)
    if emptying and is_kept(recording_id, vault):
        return _as_kept(recording_id, vault, silence_limit_s)
    sides = [_open_side(name, path) for name, path in zip(SIDES, paths, strict=True)]
    return _join(recording_id, vault, _with_one_rate(sides), silence_limit_s)


def empty_spool(recording_id: RecordingId, spool: Path) -> None:
    """Remove both sides from the spool, once the end of the recording has been entered in the ledger.

    :raises AudioError: where they cannot be removed; it may be tried again.
    """
    marker = emptying_path(recording_id, spool)
    try:
        for path in (side_path(recording_id, side, spool) for side in SIDES):
            if marker.exists():
                path.unlink(missing_ok=True)
            elif path.exists():
                path.rename(marker)
        marker.unlink(missing_ok=True)
    except OSError as error:
        raise AudioError(f"the spool cannot be emptied: {error.strerror}", where=str(spool)) from error


def _open_side(name: str, path: Path) -> _Side:
    if not path.exists():
        return _Side(None, f"{name} side missing")
    if not path.is_file():
        return _Side(None, f"{name} side unreadable (not a file)", unreadable=True)
    try:
        return _Side(open_wav(path, channels=1), None)
    except AudioError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return _Side(None, f"{name} side unreadable ({error.what})", unreadable=path.stat().st_size > 0)


def _with_one_rate(sides: list[_Side]) -> list[_Side]:
    caller, agent = sides
    if caller.wave and agent.wave and caller.wave.rate != agent.wave.rate:
        return [caller, _Side(None, f"agent side unreadable ({agent.wave.rate} Hz)", unreadable=True)]
    return sides


def _join(recording_id: RecordingId, vault: Path, sides: list[_Side], silence_limit_s: float) -> Closed:
    waves = [side.wave for side in sides]
    rate = next((wave.rate for wave in waves if wave), _RATE_OF_NOTHING)
    listeners = [Listener(rate) for _ in sides]
    frames = max((wave.frames for wave in waves if wave), default=0)
    kept = None
    if frames:
        blocks = _joined_blocks(waves, listeners, frames)
        kept = keep(recording_id, vault, blocks=blocks, frames=frames, rate=rate)
    inspection = judge(listeners[0], listeners[1], silence_limit_s=silence_limit_s)
    lost = [side.problem for side in sides if side.problem]
    return Closed(
        recording_id=recording_id,
        sha256=kept.sha256 if kept else "",
        size=kept.size if kept else 0,
        duration_ms=inspection.duration_ms,
        inspection=inspection,
        repaired=any(wave.repaired for wave in waves if wave),
        problem="; ".join(lost) or inspection.problem or "",
        unreadable=any(side.unreadable for side in sides),
    )


def _joined_blocks(
    waves: list[Wave | None], listeners: list[Listener], frames: int
) -> Iterator[NDArray[np.int16]]:
    """Yield two-channel blocks, the shorter side filled with zeros; listeners hear what is really there."""
    step = listeners[0].frame * 50 * _BLOCK_S
    readers = [wave.blocks(step) if wave else iter(()) for wave in waves]
    for start in range(0, frames, step):
        joined = np.zeros((min(step, frames - start), len(waves)), dtype=np.int16)
        for channel, (reader, listener) in enumerate(zip(readers, listeners, strict=True)):
            block = next(reader, None)
            if block is not None:
                listener.hear(block[:, 0])
                joined[: len(block), channel] = block[:, 0]
        yield joined


def _as_kept(recording_id: RecordingId, vault: Path, silence_limit_s: float) -> Closed:
    """Describe a recording whose spool is already being emptied by what lies in the vault."""
    wave = open_kept(recording_id, vault)
    listeners = [Listener(wave.rate) for _ in SIDES]
    for block in wave.blocks(listeners[0].frame * 50 * _BLOCK_S):
        for channel, listener in enumerate(listeners):
            listener.hear(block[:, channel])
    inspection = judge(listeners[0], listeners[1], silence_limit_s=silence_limit_s)
    kept = look_up(recording_id, vault)
    return Closed(
        recording_id=recording_id,
        sha256=kept.sha256,
        size=kept.size,
        duration_ms=inspection.duration_ms,
        inspection=inspection,
        repaired=wave.repaired,
        problem=inspection.problem or "",
        unreadable=False,
    )
