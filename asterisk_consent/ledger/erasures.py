"""The journal of erasures: of which calls the audio, or everything, was to go, and what else must outlive the ledger.

Rule: a line is durable before anything is destroyed, so an old backup can be brought up to date though the newest
ledger is lost; where an erasure was begun and not finished, that only finishes it. Whoever holds the journal is alone
in beginning an erasure, or in placing a legal hold. Lines are added and never changed, and name nobody; their moments
never go back. One that a crash cut off is cut away by whoever adds the next: it never counted. The form is described in
``docs/reference/storage.md``.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from asterisk_consent.durable import make_names_durable
from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Kind, read_header
from asterisk_consent.ledger.noted import Note, note_line, read_note

JOURNAL = "erased.log"
"""The file, among the keys."""
_ID_BYTES = 16
_HEAD = re.compile(rb"asterisk-consent erasures 1 ([0-9a-f]{32})\n")
HEAD_BYTES = len(b"asterisk-consent erasures 1 \n") + 2 * _ID_BYTES
_LINE = re.compile(rb"[0-9]{1,12} (audio|all) ([0-9a-f]{32})")
_MODE = 0o600


class Extent(StrEnum):
    """How much of a call was to go."""

    AUDIO = "audio"
    ALL = "all"


Erasures = Mapping[str, Extent]
"""Calls, each with what of it was to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJournal:
    """What a journal holds as far as it can be read, and what is wrong with it."""

    erasures: Erasures
    notes: tuple[Note, ...] = ()
    faults: tuple[str, ...] = ()


class Journal:
    """The journal, opened and locked by :func:`opened_journal`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> ReadJournal:
        """Return everything that is in it."""
        return parse_journal(os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0))

    def add(self, erasures: Erasures, *, at: int) -> None:
        """Add erasures durably; ``at`` in UTC seconds."""
        at = max(at, self._last_at())
        self._write("".join(f"{at} {extent} {call_id}\n" for call_id, extent in erasures.items()))

    def note(self, notes: Iterable[Note], *, at: int) -> None:
        """Add notes durably, each of a later moment than any line before; ``at`` in UTC seconds."""
        first = max(at, self._last_at() + 1)
        self._write("".join(note_line(replace(note, at=first + n)) for n, note in enumerate(notes)))

    def begin(self, content: bytes) -> None:
        """Write the first line where there is none, cut away a last one that is not whole."""
        size, tail = self._tail()
        whole = size - len(tail) + tail.rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(self._descriptor, whole)
        if whole == 0:
            os.write(self._descriptor, content)

    def _write(self, lines: str) -> None:
        left = lines.encode("ascii")
        while left:
            left = left[os.write(self._descriptor, left) :]
        os.fsync(self._descriptor)

    def _tail(self) -> tuple[int, bytes]:
        size = os.fstat(self._descriptor).st_size
        return size, os.pread(self._descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))

    def _last_at(self) -> int:
        _, tail = self._tail()
        moment = tail.rstrip(b"\n").rpartition(b"\n")[2].partition(b" ")[0]
        return int(moment) if moment.isdigit() else 0


_TAIL_BYTES = 256
"""More than the longest line."""


@contextmanager
def opened_journal(path: Path) -> Iterator[Journal]:
    """Give the journal, made where there is none; nobody else adds to it, and so nobody erases, until the end.

    :raises LedgerUnavailableError: it cannot be written.
    """
    try:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_new:
                _give_to_owner_of(path.parent, descriptor)
                make_names_durable(path.parent)
            journal = Journal(descriptor)
            journal.begin(b"asterisk-consent erasures 1 %s\n" % os.urandom(_ID_BYTES).hex().encode())
            yield journal
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LedgerUnavailableError(
            f"the journal of erasures cannot be written ({error.strerror})",
            where=str(path),
            remedy="Free space; it belongs to the service's user. What was to be erased is erased again until it is"
            " noted; what was entered meanwhile does not survive the loss of the ledger",
        ) from error


def note_erasures(path: Path, erasures: Erasures, *, at: int) -> None:
    """Add erasures to the journal, durably.

    :param at: UTC seconds.
    :raises LedgerUnavailableError: it cannot be written.
    """
    with opened_journal(path) as journal:
        journal.add(erasures, at=at)


def note(path: Path, notes: Iterable[Note], *, at: int) -> None:
    """Add to the journal what stands, durably.

    :param at: UTC seconds.
    :raises LedgerUnavailableError: it cannot be written.
    """
    with opened_journal(path) as journal:
        journal.note(notes, at=at)


def read_journal(path: Path) -> ReadJournal:
    """Return what a journal, or a part of one, holds.

    :raises LedgerUnavailableError: it cannot be read.
    """
    try:
        found = parse_journal(path.read_bytes())
    except OSError as error:
        raise LedgerUnavailableError(
            f"the journal of erasures cannot be read ({error.strerror})", where=str(path)
        ) from error
    return replace(found, faults=tuple(f"{path}: {fault}" for fault in found.faults))


def parse_journal(content: bytes) -> ReadJournal:
    """Read the text of a journal; a last line that is not whole never counted."""
    first, *lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True) or [b""]
    if not _HEAD.fullmatch(first):
        return ReadJournal(erasures={}, faults=("this is no journal of erasures",))
    found: dict[str, Extent] = {}
    notes: list[Note] = []
    damaged = 0
    for line in lines:
        parts = _LINE.fullmatch(line.rstrip(b"\n"))
        if parts is not None:
            add_erasure(found, parts[2].decode(), Extent(parts[1].decode()))
        elif (noted := read_note(line.rstrip(b"\n").decode("ascii", "replace"))) is not None:
            notes.append(noted)
        else:
            damaged += 1
    faults = (f"{damaged} lines of the journal of erasures are damaged",) if damaged else ()
    return ReadJournal(erasures=found, notes=tuple(notes), faults=faults)


def journal_id(first_line: bytes) -> str:
    """Return the id of a journal from its first line; empty where it is none."""
    found = _HEAD.fullmatch(first_line)
    return found[1].decode() if found else ""


def erasures_of(path: Path) -> dict[str, Extent]:
    """Return what a ledger's entries say was erased; that stays in the chain when payloads go.

    :raises LedgerError: it cannot be read.
    """
    found: dict[str, Extent] = {}
    with reading(path) as connection:
        for extent, kind in ((Extent.AUDIO, Kind.RECORDING_ERASED), (Extent.ALL, Kind.PAYLOAD_ERASED)):
            rows = connection.execute(
                "SELECT header FROM chain WHERE instr(header, ?)", (f'"kind":"{kind}"'.encode(),)
            )
            for (raw,) in rows:
                call_id = read_header(raw).call_id
                if call_id:
                    add_erasure(found, call_id, extent)
    return found


def merged(sources: Iterable[Erasures]) -> dict[str, Extent]:
    """Return what at least one of them names, everything before the audio alone."""
    found: dict[str, Extent] = {}
    for source in sources:
        for call_id, extent in source.items():
            add_erasure(found, call_id, extent)
    return found


def beyond(erasures: Erasures, known: Erasures) -> dict[str, Extent]:
    """Return what ``known`` does not have yet."""
    return {
        call_id: extent
        for call_id, extent in erasures.items()
        if known.get(call_id) not in (extent, Extent.ALL)
    }


def add_erasure(found: dict[str, Extent], call_id: str, extent: Extent) -> None:
    """Add one; everything of a call is more than its audio."""
    if found.get(call_id) is not Extent.ALL:
        found[call_id] = extent


def _give_to_owner_of(directory: Path, descriptor: int) -> None:
    """Let the service add to what root made first."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
