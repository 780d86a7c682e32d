"""Reads copies of journals of erasures that were kept elsewhere: journals, parts of them, and mails with parts.

Rule: what can be read counts, and what is damaged or missing between two parts is told. Nothing tells who wrote a
copy: whoever restores chooses which to believe.
"""

import mailbox
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.erasures import HEAD_BYTES, ReadJournal, merged, parse_journal

PARTS = "erased"
"""The directory among the checkpoints."""
_NAME = re.compile(r"([0-9a-f]{8}-[0-9a-f]{8})-([0-9]{12})-([0-9]{12})\.log")
_BOX = b"From "
_BEGINNING_BYTES = 256
_MAIL = re.compile(rb"From |[!-9;-~]+:")
"""How an mbox, or a mail, begins: with the name of a header field (RFC 5322, section 2.2)."""

Spans = Mapping[str, Sequence[tuple[int, int]]]
"""From where to where the parts of each journal go, by the beginning of their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    name: str
    """As a part is named, or what else it is."""
    where: str
    content: bytes


def read_erasures(path: Path) -> ReadJournal:
    """Return what copies of journals hold.

    :param path: a journal, a part of one, a mail or an mbox with parts, or a directory of parts and mails; also the
        directory of the checkpoints.
    :raises LedgerUnavailableError: it cannot be read, or there is none.
    """
    try:
        copies = list(_copies_in(path))
    except OSError as error:
        raise LedgerUnavailableError(
            f"the journal of erasures cannot be read ({error.strerror})", where=str(path)
        ) from error
    if not copies:
        raise LedgerUnavailableError("there is no part of a journal of erasures", where=str(path))
    found = [(copy.where, parse_journal(copy.content)) for copy in copies]
    faults = [f"{where}: {fault}" for where, each in found for fault in each.faults]
    return ReadJournal(
        erasures=merged(each.erasures for _, each in found),
        notes=tuple(note for _, each in found for note in each.notes),
        faults=(*(f"{path}: {gap}" for gap in _gaps(_spans(copy.name for copy in copies))), *faults),
    )


def part_name(ledger_id: str, journal: str) -> str:
    """Return how the names of a journal's parts begin."""
    return f"{ledger_id[:8]}-{journal[:8]}"


def spans_in(directory: Path) -> Spans:
    """Return from where to where the parts go that lie among the checkpoints of a directory.

    :raises OSError: it cannot be listed.
    """
    place = directory / PARTS
    return _spans(file.name for file in place.iterdir()) if place.is_dir() else defaultdict(list)


def _copies_in(path: Path) -> Iterator[_Copy]:
    if not path.is_dir():
        yield from _copies_of(path)
        return
    directory = path / PARTS if (path / PARTS).is_dir() else path
    for file in sorted(directory.iterdir()):
        if _NAME.fullmatch(file.name) or (file.is_file() and _is_mail(file)):
            yield from _copies_of(file)


def _copies_of(file: Path) -> Iterator[_Copy]:
    """Give what one file holds: the parts that are attached to mails, or itself."""
    if _is_mail(file):
        for message in _mails_in(file):
            yield from _attached(message, file)
    else:
        yield _Copy(name=file.name, where=str(file), content=file.read_bytes())


def _is_mail(file: Path) -> bool:
    with file.open("rb") as opened:
        return _MAIL.match(opened.read(_BEGINNING_BYTES)) is not None


def _mails_in(file: Path) -> Iterator[Message]:
    with file.open("rb") as opened:
        is_box = opened.read(len(_BOX)) == _BOX
    if not is_box:
        yield message_from_bytes(file.read_bytes())
        return
    box = mailbox.mbox(file, create=False)
    try:
        yield from box
    finally:
        box.close()


def _attached(message: Message, file: Path) -> Iterator[_Copy]:
    for part in message.walk():
        name = part.get_filename() or ""
        content = part.get_payload(decode=True)
        if _NAME.fullmatch(name) and isinstance(content, bytes):
            yield _Copy(name=name, where=f"{file}, {name}", content=content)


def _spans(names: Iterable[str]) -> Spans:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name in names:
        parts = _NAME.fullmatch(name)
        if parts:
            found[parts[1]].append((int(parts[2]), int(parts[3])))
    return found


def _gaps(spans: Spans) -> Iterator[str]:
    for name, of_journal in spans.items():
        end = HEAD_BYTES
        for start, next_end in sorted(of_journal):
            if start > end:
                yield f"a part of the journal of erasures is missing: {name}, from byte {end} to {start}"
            end = max(end, next_end)
