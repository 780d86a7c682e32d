"""Invariant 14: what was erased and what stands leaves by mail too, all of it, in mails of bounded size."""

import email
from collections.abc import Callable
from email import policy
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerUnavailableError, WitnessUnavailableError
from asterisk_consent.ledger.erasure_copies import read_erasures
from asterisk_consent.ledger.erasure_parts import MAILED_BYTES, MailedParts
from asterisk_consent.ledger.erasures import Extent, note, note_erasures
from asterisk_consent.ledger.noted import Note, What
from asterisk_consent.ledger.witness import Mail
from tests.ledger.entries import hex_id
from tests.ledger.mail_server import MailServer, mail_server
from tests.ledger.test_witness import checkpoint

OBJECTED = Note(what=What.OBJECTED, about="praktijk-nl", name=hex_id(9))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "erased.log"


def erased(journal: Path, *numbers: int) -> None:
    note_erasures(journal, {hex_id(number): Extent.AUDIO for number in numbers}, at=1_800_000_000)


def mail(server: MailServer, journal: Path, *, most: int = MAILED_BYTES) -> Mail:
    """A mailbox, as a service knows it that has just started."""
    return Mail(
        to="dpo@example.org",
        sender="pbx@example.org",
        host="127.0.0.1",
        port=server.port,
        every_s=60.0,
        answer_s=5.0,
        erasures=MailedParts(journal, ledger=journal.with_name("ledger.sqlite"), most=most),
    )


def kept_as(mails: list[str], directory: Path) -> Path:
    """Keep mails as a person saves them, a file each."""
    directory.mkdir()
    for number, text in enumerate(mails):
        (directory / f"{number}.eml").write_text(text)
    return directory


def parts_in(text: str) -> list[tuple[str, bytes]]:
    message = email.message_from_string(text, policy=policy.default)
    found = [(str(each.get_filename()), each.get_content()) for each in message.iter_attachments()]
    return [(name, content) for name, content in found if name.endswith(".log")]


def test_each_checkpoint_by_mail_takes_along_what_was_noted_since_the_last(
    journal: Path, tmp_path: Path
) -> None:
    with mail_server() as server:
        box = mail(server, journal)
        box.take(checkpoint(1))
        erased(journal, 1)
        note(journal, [OBJECTED], at=1_800_000_000)
        box.take(checkpoint(2))
        box.take(checkpoint(3))
        erased(journal, 2)
        box.take(checkpoint(4))
    assert [len(parts_in(text)) for text in server.mails] == [0, 1, 0, 1]
    found = read_erasures(kept_as(server.mails, tmp_path / "mails"))
    assert dict(found.erasures) == {hex_id(1): Extent.AUDIO, hex_id(2): Extent.AUDIO}
    assert [each.what for each in found.notes] == [What.OBJECTED]
    assert found.faults == ()


def test_what_does_not_fit_one_mail_goes_at_once_in_further_ones(journal: Path, tmp_path: Path) -> None:
    erased(journal, *range(50))
    with mail_server() as server:
        mail(server, journal, most=500).take(checkpoint())
    sizes = [len(content) for text in server.mails for _, content in parts_in(text)]
    assert len(sizes) == len(server.mails) >= 5
    assert max(sizes) < 600
    found = read_erasures(kept_as(server.mails, tmp_path / "mails"))
    assert (len(found.erasures), found.faults) == (50, ())


def test_a_service_that_starts_anew_mails_nothing_twice(journal: Path) -> None:
    erased(journal, 1)
    with mail_server() as server:
        mail(server, journal).take(checkpoint(1))
        erased(journal, 2)
        mail(server, journal).take(checkpoint(2))
        mail(server, journal).take(checkpoint(3))
    lines = [content.count(b"audio") for text in server.mails for _, content in parts_in(text)]
    assert lines == [1, 1]


def test_what_a_mail_server_refused_is_mailed_again(journal: Path) -> None:
    erased(journal, 1)
    with mail_server(refusal="full") as server, pytest.raises(WitnessUnavailableError):
        mail(server, journal).take(checkpoint())
    with mail_server() as server:
        mail(server, journal).take(checkpoint())
    assert len(parts_in(server.mails[0])) == 1


def test_a_note_that_cannot_be_kept_has_nothing_mailed_twice_by_the_same_service(journal: Path) -> None:
    erased(journal, 1)
    with mail_server() as server:
        box = mail(server, journal)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("asterisk_consent.ledger.erasure_parts.note_sent_until", _full)
            box.take(checkpoint(1))
        box.take(checkpoint(2))
    assert [len(parts_in(text)) for text in server.mails] == [1, 0]


def _full(*_: object) -> None:
    raise LedgerUnavailableError("the disk is full")


def test_a_journal_that_was_begun_anew_is_mailed_from_its_beginning(journal: Path, tmp_path: Path) -> None:
    with mail_server() as server:
        erased(journal, 1)
        mail(server, journal).take(checkpoint(1))
        journal.unlink()
        erased(journal, 2)
        mail(server, journal).take(checkpoint(2))
    found = read_erasures(kept_as(server.mails, tmp_path / "mails"))
    assert (set(found.erasures), found.faults) == ({hex_id(1), hex_id(2)}, ())


def as_one_mail(mails: list[str], place: Path) -> Path:
    (place / "last.eml").write_text(mails[-1])
    return place / "last.eml"


def as_mbox(mails: list[str], place: Path) -> Path:
    (place / "box").write_text("".join(f"From pbx Thu Jan  1 00:00:00 2026\n{text}\n" for text in mails))
    return place / "box"


def as_attachments(mails: list[str], place: Path) -> Path:
    for text in mails:
        for name, content in parts_in(text):
            (place / name).write_bytes(content)
    return place


@pytest.mark.parametrize(("keep", "count"), [(as_mbox, 2), (as_attachments, 2), (as_one_mail, 1)])
def test_mails_are_read_in_every_form_that_a_person_keeps_them(
    journal: Path, tmp_path: Path, keep: Callable[[list[str], Path], Path], count: int
) -> None:
    with mail_server() as server:
        for number in (1, 2):
            erased(journal, number)
            mail(server, journal).take(checkpoint(number))
    (tmp_path / "kept").mkdir()
    assert len(read_erasures(keep(server.mails, tmp_path / "kept")).erasures) == count


def test_a_mail_that_is_missing_is_told(journal: Path, tmp_path: Path) -> None:
    with mail_server() as server:
        for number in (1, 2, 3):
            erased(journal, number)
            mail(server, journal).take(checkpoint(number))
    del server.mails[1]
    found = read_erasures(kept_as(server.mails, tmp_path / "mails"))
    assert "a part of the journal of erasures is missing" in "".join(found.faults)
    assert set(found.erasures) == {hex_id(1), hex_id(3)}


def test_mails_without_a_part_tell_nothing_and_say_so(tmp_path: Path) -> None:
    with mail_server() as server:
        mail(server, tmp_path / "none").take(checkpoint())
    with pytest.raises(LedgerUnavailableError, match="no part"):
        read_erasures(kept_as(server.mails, tmp_path / "mails"))
