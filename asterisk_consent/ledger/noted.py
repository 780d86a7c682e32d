"""What stands, as the journal notes it beside the erasures: objections, legal holds, and what people asked for.

Rule: enough of each to enter it again in a ledger that does not know of it, and nobody's name: a call's random id, the
id of a hold, the reference of a request, the blind index of a number. Of objections the last note counts, of two of one
moment the one that protects. The form is described in ``docs/reference/storage.md``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from asterisk_consent.model import Right, is_hex_id


class What(StrEnum):
    """What is noted."""

    OBJECTED = "objected"
    OBJECTION_LIFTED = "objection-lifted"
    HELD = "held"
    HOLD_RELEASED = "hold-released"
    ASKED = "asked"
    RESTRICTION_LIFTED = "restriction-lifted"


_PROTECTS = frozenset({What.OBJECTED, What.HELD, What.ASKED})
_LONG = frozenset({What.HELD, What.ASKED})
_SUBJECT = MappingProxyType(
    {
        What.OBJECTED: "objection",
        What.OBJECTION_LIFTED: "objection",
        What.HELD: "hold",
        What.HOLD_RELEASED: "hold",
        What.ASKED: "request",
        What.RESTRICTION_LIFTED: "request",
    }
)
_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_LINE = re.compile(rf"([0-9]{{1,12}}) ([a-z-]+) ({_NAME}) ([0-9a-f]{{8,32}})(?: ([0-9]{{1,12}}) ({_NAME}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line of it.

    :param about: the controller that somebody objects to; the call of a hold or of a request.
    :param name: the blind index of who objects; the id of a hold; the reference of a request.
    :param until: when a hold ends by itself, or the audio goes though nobody was identified; UTC seconds.
    :param word: the purpose of a hold, the right of a request.
    :param at: when it was noted, UTC seconds.
    """

    what: What
    about: str
    name: str
    until: int = 0
    word: str = ""
    at: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about."""
        return _SUBJECT[self.what], self.about, self.name

    @property
    def protects(self) -> bool:
        """Whether something is kept, hidden or not recorded by it; the others take that back."""
        return self.what in _PROTECTS

    @property
    def is_objection(self) -> bool:
        """Whether it is about the list of objections, and so about no call."""
        return self.what in (What.OBJECTED, What.OBJECTION_LIFTED)


Notes = Mapping[tuple[str, str, str], Note]
"""The last note about each thing."""


def note_line(note: Note) -> str:
    """Return the line of a note, its end included.

    :raises ValueError: it could not be read again.
    """
    line = f"{note.at} {note.what} {note.about} {note.name}"
    if note.what in _LONG:
        line = f"{line} {note.until} {note.word}"
    if read_note(line) != note:
        raise ValueError(f"this cannot be noted: {line[:200]!r}")
    return f"{line}\n"


def read_note(line: str) -> Note | None:
    """Read a line without its end; ``None`` where it is no note."""
    parts = _LINE.fullmatch(line)
    if parts is None or parts[2] not in tuple(What):
        return None
    at, what, about, name, until, word = parts.groups()
    note = Note(what=What(what), about=about, name=name, until=int(until or 0), word=word or "", at=int(at))
    is_long = note.what in _LONG
    if (word is not None) is not is_long or not (note.is_objection or is_hex_id(about)):
        return None
    return None if note.what is What.ASKED and word not in tuple(Right) else note


def last_of(notes: Iterable[Note]) -> dict[tuple[str, str, str], Note]:
    """Return what counts of many notes, in whatever order they come."""
    found: dict[tuple[str, str, str], Note] = {}
    for note in notes:
        known = found.get(note.key)
        if known is None or _rank(note) >= _rank(known):
            found[note.key] = note
    return found


def beyond_notes(notes: Notes, known: Notes) -> list[Note]:
    """Return what ``known`` does not say yet."""
    return [note for key, note in notes.items() if key not in known or known[key].what is not note.what]


def _rank(note: Note) -> tuple[bool, int, bool]:
    """The id of a hold and the reference of a request are used once: what took them back is final."""
    is_final = not note.protects and not note.is_objection
    return is_final, note.at, note.protects
