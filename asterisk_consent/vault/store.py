"""Owns the way of a recording from the spool to the vault: inspected, joined, sealed, and only then removed.

Rule: whatever audio there is gets kept, and what is not right with it is stated; it may be repeated after a
crash at any point with the same result. Sealing twice gives other bytes, so what is kept already is not sealed
again: its sides are looked at once more. Everything here blocks: run it in a worker thread.

Order of removal: the first file of the spool is *renamed* to ``<id>-emptying.wav``, so that a recording of
which one side is already gone is never taken for one that lost a side. A rename also works on a full disk.
"""

import stat
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.call_keys import CallKey, destroy_key
from asterisk_consent.vault.inspect import SILENCE_LIMIT_S, Inspection, Listener, judge
from asterisk_consent.vault.kept import Kept, forget_unfinished, is_kept, keep, look_up
from asterisk_consent.vault.names import (
    SIDES,
    emptying_path,
    joined_path,
    kept_path,
    partial_path,
    side_path,
)
from asterisk_consent.vault.presence import is_there, status_of
from asterisk_consent.vault.wav import HEADER_BYTES, Wave, open_wav

_BLOCK_S = 10
_RATE_OF_NOTHING = 8000
END_LOST = "its end was lost from the ledger, and the service cannot open it to look at it again"


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
    left_nothing: bool
    """No byte of it is anywhere: Asterisk writes a header even where nothing is said."""

    @property
    def nothing_recorded(self) -> bool:
        """Whether there was no audio at all: never in a bridge, or no file was made."""
        return not self.sha256 and not self.unreadable


@dataclass(frozen=True, slots=True)
class _Side:
    wave: Wave | None
    problem: str | None
    size: int = 0
    unreadable: bool = False


def close_recording(
    recording_id: RecordingId,
    spool: Path,
    vault: Path,
    key: CallKey,
    *,
    silence_limit_s: float = SILENCE_LIMIT_S,
) -> Closed:
    """Inspect both sides in the spool and seal them joined into the vault; the spool stays as it is.

    :raises AudioError: where the spool cannot be read or the vault not be written; it may be tried again.
    :raises KeysError: where the controller has no keys, or the call's cannot be kept; the same.
    """
    paths = [side_path(recording_id, side, spool) for side in SIDES]
    there = [is_there(path) for path in paths]
    emptying = is_there(emptying_path(recording_id, spool)) or not any(there)
    already = look_up(recording_id, vault) if is_kept(recording_id, vault, key) else None
    if emptying and already:
        return _as_kept(recording_id, already)
    sides = _with_one_rate([_open_side(name, path) for name, path in zip(SIDES, paths, strict=True)])
    return _Joining(recording_id, sides).close(spool, vault, key, already, silence_limit_s)


def empty_spool(recording_id: RecordingId, spool: Path) -> None:
    """Remove both sides from the spool, once the end of the recording has been entered in the ledger.

    :raises AudioError: where they cannot be removed; it may be tried again.
    """
    marker = emptying_path(recording_id, spool)
    try:
        joined_path(recording_id, spool).unlink(missing_ok=True)
        for path in (side_path(recording_id, side, spool) for side in SIDES):
            if is_there(marker):
                path.unlink(missing_ok=True)
            elif is_there(path):
                with suppress(FileNotFoundError):  # somebody else empties it too
                    path.rename(marker)
        marker.unlink(missing_ok=True)
    except OSError as error:
        raise AudioError(f"the spool cannot be emptied: {error.strerror}", where=str(spool)) from error


def holds_audio(recording_id: RecordingId, spool: Path) -> bool:
    """Tell whether the spool has anything of a recording but files without a sample.

    :raises AudioError: where the spool cannot be read.
    """
    paths = [side_path(recording_id, side, spool) for side in SIDES]
    paths += [emptying_path(recording_id, spool), joined_path(recording_id, spool)]
    found = [status_of(path) for path in paths]
    return any(each is not None and each.st_size > HEADER_BYTES for each in found)


def discard_recording(recording_id: RecordingId, spool: Path, vault: Path, key: CallKey) -> None:
    """Remove whatever there is of a recording, in the spool and in the vault, its key first. May be repeated.

    :raises KeysError: the key cannot be destroyed.
    :raises AudioError: a file cannot be removed.
    """
    destroy_key(key.call_id, key.keys)
    try:
        for path in (kept_path(recording_id, vault), partial_path(recording_id, vault)):
            path.unlink(missing_ok=True)
        make_names_durable(vault)
    except OSError as error:
        raise AudioError(f"the recording cannot be removed: {error.strerror}", where=str(vault)) from error
    empty_spool(recording_id, spool)


def _open_side(name: str, path: Path) -> _Side:
    status = status_of(path)
    if status is None:
        return _Side(None, f"{name} side missing")
    if not stat.S_ISREG(status.st_mode):
        return _Side(None, f"{name} side unreadable (not a file)", status.st_size, unreadable=True)
    try:
        return _Side(open_wav(path, channels=1), None, status.st_size)
    except AudioError as error:
        if isinstance(error.__cause__, OSError):
            raise
        size = status.st_size
        return _Side(None, f"{name} side unreadable ({error.what})", size, unreadable=size > 0)


def _with_one_rate(sides: list[_Side]) -> list[_Side]:
    caller, agent = sides
    if caller.wave and agent.wave and caller.wave.rate != agent.wave.rate:
        problem = f"agent side unreadable ({agent.wave.rate} Hz)"
        return [caller, _Side(None, problem, agent.size, unreadable=True)]
    return sides


@dataclass(frozen=True, slots=True)
class _Joining:
    """Two sides on their way to one file."""

    recording_id: RecordingId
    sides: list[_Side]

    def close(
        self, spool: Path, vault: Path, key: CallKey, already: Kept | None, silence_limit_s: float
    ) -> Closed:
        """Listen to both sides, seal them unless they are kept already, and tell what they are."""
        waves = [side.wave for side in self.sides]
        rate = next((wave.rate for wave in waves if wave), _RATE_OF_NOTHING)
        listeners = [Listener(rate) for _ in self.sides]
        frames = max((wave.frames for wave in waves if wave), default=0)
        blocks = _joined_blocks(waves, listeners, frames)
        kept = None
        if frames and already:
            deque(blocks, maxlen=0)
            kept = already
        elif frames:
            kept = keep(self.recording_id, vault, spool, key, blocks=blocks, frames=frames, rate=rate)
        elif not already:
            forget_unfinished(self.recording_id, vault, key)
        inspection = judge(listeners[0], listeners[1], silence_limit_s=silence_limit_s)
        lost = [side.problem for side in self.sides if side.problem]
        return Closed(
            recording_id=self.recording_id,
            sha256=kept.sha256 if kept else "",
            size=kept.size if kept else 0,
            duration_ms=inspection.duration_ms,
            inspection=inspection,
            repaired=any(wave.repaired for wave in waves if wave),
            problem="; ".join(lost) or inspection.problem or "",
            unreadable=any(side.unreadable for side in self.sides),
            left_nothing=not any(side.size for side in self.sides),
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


def _as_kept(recording_id: RecordingId, kept: Kept) -> Closed:
    """Describe a recording whose spool is already empty, as under a ledger older than the files: it is sealed."""
    return Closed(
        recording_id=recording_id,
        sha256=kept.sha256,
        size=kept.size,
        duration_ms=0,
        inspection=judge(Listener(_RATE_OF_NOTHING), Listener(_RATE_OF_NOTHING)),
        repaired=False,
        problem=END_LOST,
        unreadable=False,
        left_nothing=False,
    )
