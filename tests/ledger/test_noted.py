"""What the journal notes besides erasures: read as it was written, ordered though the clock is not, naming nobody."""

from itertools import permutations
from pathlib import Path

import pytest

from asterisk_consent.ledger.erasures import Extent, note, note_erasures, read_journal
from asterisk_consent.ledger.noted import Note, What, last_of, note_line, read_note
from tests.ledger.entries import hex_id

AT = 1_800_000_000
OBJECTED = Note(what=What.OBJECTED, about="praktijk-nl", name=hex_id(9))
LIFTED = Note(what=What.OBJECTION_LIFTED, about="praktijk-nl", name=hex_id(9))
HELD = Note(what=What.HELD, about=hex_id(1), name=hex_id(7), until=AT + 100, word="evidence")
RELEASED = Note(what=What.HOLD_RELEASED, about=hex_id(1), name=hex_id(7))
ASKED = Note(what=What.ASKED, about=hex_id(1), name="00000042", until=AT, word="withdrawal")
NO_MORE = Note(what=What.RESTRICTION_LIFTED, about=hex_id(1), name="00000042")
ALL = (OBJECTED, LIFTED, HELD, RELEASED, ASKED, NO_MORE)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "erased.log"


@pytest.mark.parametrize("each", ALL)
def test_a_note_is_read_as_it_was_written(each: Note) -> None:
    assert read_note(note_line(each).removesuffix("\n")) == each


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"1 objected praktijk-nl {hex_id(9)} 5 evidence",
        f"1 objected praktijk nl {hex_id(9)}",
        f"1 held {hex_id(1)} {hex_id(7)}",
        f"1 held praktijk-nl {hex_id(7)} 5 evidence",
        f"1 asked {hex_id(1)} 00000042 0 applause",
        f"1 asked {hex_id(1)} 00000042 0 withdrawal\n",
        f"1 something {hex_id(1)} 00000042",
        f"-1 objected praktijk-nl {hex_id(9)}",
        f"1 objected ../../etc {hex_id(9)}",
        f"1 objected praktijk-nl {hex_id(9).upper().replace('0', 'A')}",
    ],
)
def test_another_line_is_no_note(line: str) -> None:
    assert read_note(line) is None


def test_what_could_not_be_read_again_is_not_written(journal: Path) -> None:
    wrong = Note(what=What.OBJECTED, about="two\nlines", name=hex_id(9))
    with pytest.raises(ValueError, match="cannot be noted"):
        note(journal, [wrong], at=AT)
    assert read_journal(journal).notes == ()


def test_a_number_and_a_name_are_no_part_of_a_note() -> None:
    for name in ("+442079460123", "442079460123x", "Anna"):
        assert read_note(f"1 objected praktijk-nl {name}") is None


def test_notes_and_erasures_lie_in_one_journal(journal: Path) -> None:
    note(journal, [OBJECTED, HELD], at=AT)
    note_erasures(journal, {hex_id(3): Extent.AUDIO}, at=AT)
    note(journal, [ASKED], at=AT)
    found = read_journal(journal)
    assert [each.what for each in found.notes] == [What.OBJECTED, What.HELD, What.ASKED]
    assert found.erasures == {hex_id(3): Extent.AUDIO}
    assert found.faults == ()


def test_moments_in_a_journal_never_go_back_and_each_note_is_later(journal: Path) -> None:
    note(journal, [OBJECTED], at=AT)
    note_erasures(journal, {hex_id(3): Extent.AUDIO}, at=AT - 10_000)
    note(journal, [LIFTED], at=AT - 10_000)
    note(journal, [OBJECTED], at=AT - 10_000)
    moments = [int(line.split()[0]) for line in journal.read_text().splitlines()[1:]]
    assert moments == [AT, AT, AT + 1, AT + 2]
    assert last_of(read_journal(journal).notes)[OBJECTED.key].what is What.OBJECTED


def dated(each: Note, at: int) -> Note:
    return Note(what=each.what, about=each.about, name=each.name, until=each.until, word=each.word, at=at)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_last_note_about_an_objection_counts_in_whatever_order_copies_are_read(
    order: tuple[int, ...],
) -> None:
    notes = [dated(OBJECTED, 1), dated(LIFTED, 2), dated(OBJECTED, 3), dated(LIFTED, 3)]
    assert last_of(notes[each] for each in order)[OBJECTED.key] == dated(OBJECTED, 3)


@pytest.mark.parametrize(("stood", "ended"), [(HELD, RELEASED), (ASKED, NO_MORE)])
def test_what_was_taken_back_stays_so_whatever_the_clock_said(stood: Note, ended: Note) -> None:
    for notes in permutations([dated(stood, 200), dated(ended, 100)]):
        assert last_of(notes)[stood.key].what is ended.what
