"""Brings the journal of erasures to where checkpoints go, part by part, and reads it there.

Rule: a place that lets files be added and not changed is enough; each part is a journal of its own. Its name tells
from which byte to which it goes, and of which journal, so what is there tells what is missing. A journal that was begun
anew has another id, and is brought from its first line.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from asterisk_consent.durable import write_durably
from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.erasures import HEAD_BYTES, ReadJournal, journal_id, merged, read_journal

PARTS = "erased"
"""The directory among the checkpoints."""
_NAME = re.compile(r"([0-9a-f]{8}-[0-9a-f]{8})-([0-9]{12})-([0-9]{12})\.log")
_MODE = 0o644


class ErasureParts:
    """Brings what was added to one journal to one directory.

    :param journal: path of the journal; where there is none, nothing was erased yet.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._brought: dict[str, int] = {}
        """By the beginning of a part's name, how far the journal was brought."""

    def bring(self, directory: Path, ledger_id: str) -> None:
        """Write what the directory does not have yet.

        :raises OSError: the journal cannot be read, or the directory not be written.
        """
        if not self._journal.exists():
            return
        with self._journal.open("rb") as file:
            head = file.read(HEAD_BYTES)
            name = f"{ledger_id[:8]}-{journal_id(head)[:8]}"
            if name not in self._brought:
                self._brought[name] = max((end for _, end in _parts_in(directory)[name]), default=HEAD_BYTES)
            start = self._brought[name]
            file.seek(start)
            added = file.read()
        added = added[: added.rfind(b"\n") + 1]
        if journal_id(head) and added:
            place = directory / PARTS
            place.mkdir(exist_ok=True)
            end = start + len(added)
            write_durably(place / f"{name}-{start:012d}-{end:012d}.log", head + added, mode=_MODE)
            self._brought[name] = end


def read_erasures(path: Path) -> ReadJournal:
    """Return what a journal, a part of it, or a directory of parts holds; also the directory of the checkpoints.

    :raises LedgerUnavailableError: it cannot be read, or there is none.
    """
    if not path.is_dir():
        return read_journal(path)
    directory = path if path.name == PARTS else path / PARTS
    parts = _parts_in(directory.parent)
    if not parts:
        raise LedgerUnavailableError("there is no part of a journal of erasures", where=str(directory))
    found = [read_journal(file) for file in sorted(directory.iterdir()) if _NAME.fullmatch(file.name)]
    return ReadJournal(
        erasures=merged(each.erasures for each in found),
        faults=(*_gaps(parts, directory), *(fault for each in found for fault in each.faults)),
    )


def _gaps(parts: Mapping[str, Sequence[tuple[int, int]]], directory: Path) -> Iterator[str]:
    for name, spans in parts.items():
        end = HEAD_BYTES
        for start, next_end in sorted(spans):
            if start > end:
                missing = f"{name}, from byte {end} to {start}"
                yield f"{directory}: a part of the journal of erasures is missing: {missing}"
            end = max(end, next_end)


def _parts_in(directory: Path) -> dict[str, list[tuple[int, int]]]:
    """Return from where to where the parts of each journal go."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    place = directory / PARTS
    for file in place.iterdir() if place.is_dir() else ():
        parts = _NAME.fullmatch(file.name)
        if parts:
            found[parts[1]].append((int(parts[2]), int(parts[3])))
    return found
