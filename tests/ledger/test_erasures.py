"""The journal of erasures: durable before anything is destroyed, whole whatever happens, and brought elsewhere."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerUnavailableError, WitnessUnavailableError
from asterisk_consent.ledger.erasure_copies import read_erasures
from asterisk_consent.ledger.erasure_parts import ErasureParts
from asterisk_consent.ledger.erasures import (
    HEAD_BYTES,
    Extent,
    beyond,
    merged,
    note_erasures,
    opened_journal,
    read_journal,
)
from asterisk_consent.ledger.witness import Directory
from tests.ledger.entries import hex_id
from tests.ledger.test_witness import checkpoint

LEDGER_ID = hex_id(0xC0FFEE)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "erased.log"


def note(journal: Path, number: int, extent: Extent = Extent.AUDIO) -> None:
    note_erasures(journal, {hex_id(number): extent}, at=1_800_000_000)


def test_what_was_noted_is_read(journal: Path) -> None:
    note(journal, 1)
    note(journal, 2, Extent.ALL)
    assert read_journal(journal).erasures == {hex_id(1): Extent.AUDIO, hex_id(2): Extent.ALL}
    assert read_journal(journal).faults == ()
    assert journal.stat().st_mode & 0o777 == 0o600


def test_everything_of_a_call_is_more_than_its_audio_in_any_order() -> None:
    audio, everything = {hex_id(1): Extent.AUDIO}, {hex_id(1): Extent.ALL}
    assert merged([audio, everything]) == merged([everything, audio]) == everything
    assert beyond(audio, everything) == {}
    assert beyond(everything, audio) == everything


def test_a_line_is_on_disk_before_it_counts(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        sync(descriptor)
        synced.append(journal.read_bytes() if journal.exists() else b"")

    monkeypatch.setattr(os, "fsync", watched)
    note(journal, 1)
    assert hex_id(1).encode() in synced[-1]


@pytest.mark.parametrize("kept", range(1, 51))
def test_a_line_that_a_crash_cut_off_never_counts_and_spoils_no_other(journal: Path, kept: int) -> None:
    note(journal, 1)
    whole = journal.read_bytes()
    note(journal, 2)
    journal.write_bytes(journal.read_bytes()[: len(whole) + kept - 1])
    assert read_journal(journal).erasures == {hex_id(1): Extent.AUDIO}
    note(journal, 3)
    assert read_journal(journal).erasures == {hex_id(1): Extent.AUDIO, hex_id(3): Extent.AUDIO}
    assert read_journal(journal).faults == ()


@pytest.mark.parametrize("kept", [0, 1, HEAD_BYTES - 1])
def test_a_first_line_that_a_crash_cut_off_is_written_again(journal: Path, kept: int) -> None:
    note(journal, 1)
    journal.write_bytes(journal.read_bytes()[:kept])
    note(journal, 2)
    assert read_journal(journal).erasures == {hex_id(2): Extent.AUDIO}


def test_a_damaged_line_is_told_and_the_others_are_read(journal: Path) -> None:
    for number in (1, 2, 3):
        note(journal, number)
    journal.write_bytes(journal.read_bytes().replace(hex_id(2).encode(), b"../../../../etc/passwd"))
    found = read_journal(journal)
    assert found.erasures == {hex_id(1): Extent.AUDIO, hex_id(3): Extent.AUDIO}
    assert found.faults == (f"{journal}: 1 lines of the journal of erasures are damaged",)


def test_another_file_is_no_journal(journal: Path) -> None:
    journal.write_text("1800000000 audio 00000000000000000000000000000001\n")
    assert read_journal(journal).faults == (f"{journal}: this is no journal of erasures",)


def test_what_cannot_be_written_or_read_is_told(journal: Path) -> None:
    with pytest.raises(LedgerUnavailableError, match="cannot be read"):
        read_journal(journal)
    journal.mkdir()
    with pytest.raises(LedgerUnavailableError, match="cannot be written"):
        note(journal, 1)


def test_nobody_else_adds_while_it_is_held(journal: Path) -> None:
    note(journal, 1)
    with opened_journal(journal), journal.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with journal.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    return directory


def test_each_checkpoint_takes_along_what_was_erased_since_the_last(journal: Path, place: Path) -> None:
    witness = Directory(path=place, erasures=ErasureParts(journal))
    witness.take(checkpoint(1))
    assert not (place / "erased").exists()
    note(journal, 1)
    witness.take(checkpoint(2))
    witness.take(checkpoint(3))
    note(journal, 2, Extent.ALL)
    witness.take(checkpoint(4))
    assert len(list((place / "erased").iterdir())) == 2
    assert dict(read_erasures(place).erasures) == {hex_id(1): Extent.AUDIO, hex_id(2): Extent.ALL}
    assert read_erasures(place).faults == ()


def brought(journal: Path, place: Path, count: int) -> list[Path]:
    """Bring that many parts, each by a service that was started anew."""
    for number in range(count):
        note(journal, number)
        ErasureParts(journal).bring(place, LEDGER_ID)
    return sorted((place / "erased").iterdir())


def test_a_service_that_starts_anew_goes_on_where_the_directory_ends(journal: Path, place: Path) -> None:
    assert len(brought(journal, place, 3)) == 3
    ErasureParts(journal).bring(place, LEDGER_ID)
    assert len(list((place / "erased").iterdir())) == 3
    assert len(read_erasures(place / "erased").erasures) == 3


def test_each_part_is_a_journal_of_its_own(journal: Path, place: Path) -> None:
    parts = brought(journal, place, 2)
    assert dict(read_erasures(parts[1]).erasures) == {hex_id(1): Extent.AUDIO}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda parts: parts[0].unlink(), "a part of the journal of erasures is missing"),
        (lambda parts: parts[1].unlink(), "a part of the journal of erasures is missing"),
        (lambda parts: parts[1].write_bytes(parts[1].read_bytes() + b"?\n"), "are damaged"),
    ],
)
def test_a_part_that_is_missing_or_damaged_is_told(
    journal: Path, place: Path, spoil: Callable[[list[Path]], object], told: str
) -> None:
    spoil(brought(journal, place, 3))
    found = read_erasures(place)
    assert told in "".join(found.faults)
    assert hex_id(2) in found.erasures


def test_a_journal_that_was_begun_anew_is_brought_from_its_beginning(journal: Path, place: Path) -> None:
    brought(journal, place, 2)
    journal.unlink()
    note(journal, 7)
    ErasureParts(journal).bring(place, LEDGER_ID)
    assert set(read_erasures(place).erasures) == {hex_id(0), hex_id(1), hex_id(7)}
    assert read_erasures(place).faults == ()


def test_a_part_that_cannot_be_written_is_tried_again(journal: Path, place: Path) -> None:
    witness = Directory(path=place, erasures=ErasureParts(journal))
    note(journal, 1)
    (place / "erased").write_text("a file in its way")
    with pytest.raises(WitnessUnavailableError):
        witness.take(checkpoint())
    (place / "erased").unlink()
    witness.take(checkpoint())
    assert dict(read_erasures(place).erasures) == {hex_id(1): Extent.AUDIO}


def test_a_directory_without_parts_tells_nothing_and_says_so(place: Path) -> None:
    with pytest.raises(LedgerUnavailableError, match="no part"):
        read_erasures(place)
