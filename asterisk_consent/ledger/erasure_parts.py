"""Brings the journal of erasures to where checkpoints go, part by part.

Rule: a place that lets files be added and not changed is enough; each part is a journal of its own. Its name tells
from which byte to which it goes, and of which journal, so what is there tells what is missing. A journal that was begun
anew has another id, and is brought from its first line.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.durable import write_durably
from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.erasure_copies import PARTS, part_name, spans_in
from asterisk_consent.ledger.erasures import HEAD_BYTES, journal_id
from asterisk_consent.ledger.sent import note_sent_until, sent_until

MAILED_BYTES = 256 << 10
"""Of lines in one mail, some five thousand of them: small beside what mail servers take."""
_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some lines of a journal, with its first line before them; ``end`` is the byte of the journal where they end."""

    name: str
    content: bytes
    journal_id: str
    end: int


class ErasureParts:
    """Brings what was added to one journal to one directory.

    :param journal: path of the journal; where there is none, nothing was erased yet.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._brought: dict[str, int] = {}
        """By the id of a journal, how far it was brought."""

    def bring(self, directory: Path, ledger_id: str) -> None:
        """Write what the directory does not have yet.

        :raises OSError: the journal cannot be read, or the directory not be written.
        """

        def brought(journal: str) -> int:
            if journal not in self._brought:
                spans = spans_in(directory)[part_name(ledger_id, journal)]
                self._brought[journal] = max((end for _, end in spans), default=HEAD_BYTES)
            return self._brought[journal]

        part = _next_part(self._journal, ledger_id, brought)
        if part is not None:
            place = directory / PARTS
            place.mkdir(exist_ok=True)
            write_durably(place / part.name, part.content, mode=_MODE)
            self._brought[part.journal_id] = part.end


class MailedParts:
    """Gives what was added to one journal in parts that fit a mail.

    What was mailed is noted beside the ledger; where that note is lost, the journal is mailed again from its beginning.

    :param ledger: beside it is noted how far the journal was mailed.
    :param most: bytes of lines in a part.
    """

    def __init__(self, journal: Path, *, ledger: Path, most: int = MAILED_BYTES) -> None:
        self._journal = journal
        self._ledger = ledger
        self._most = most
        self._mailed: dict[str, int] = {}
        """By the id of a journal, how far it was mailed: a full disk must not have it mailed every minute."""

    def waiting(self, ledger_id: str, witness: str) -> Iterator[Part]:
        """Give the parts that a witness did not get yet; each counts as mailed once the next is asked for.

        :raises OSError: the journal cannot be read.
        """

        def mailed(journal: str) -> int:
            known = self._mailed.get(journal) or sent_until(self._ledger, witness, journal)
            return known or HEAD_BYTES

        while (part := _next_part(self._journal, ledger_id, mailed, most=self._most)) is not None:
            yield part
            self._mailed[part.journal_id] = part.end
            with suppress(LedgerUnavailableError):
                note_sent_until(self._ledger, witness, part.journal_id, part.end)


def _next_part(
    journal: Path, ledger_id: str, brought: Callable[[str], int], *, most: int | None = None
) -> Part | None:
    """Return the lines after what was brought, whole ones only; ``None`` where there are none."""
    if not journal.exists():
        return None
    with journal.open("rb") as file:
        head = file.read(HEAD_BYTES)
        own_id = journal_id(head)
        if not own_id:
            return None
        start = brought(own_id)
        file.seek(start)
        added = file.read(-1 if most is None else most)
    added = added[: added.rfind(b"\n") + 1]
    if not added:
        return None
    end = start + len(added)
    name = f"{part_name(ledger_id, own_id)}-{start:012d}-{end:012d}.log"
    return Part(name=name, content=head + added, journal_id=own_id, end=end)
