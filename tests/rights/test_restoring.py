"""Invariant 14: a restore replays the erasures before anything can be read, and says what it could not bring back."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError, LedgerBrokenError, LedgerError, RequestRefusedError
from asterisk_consent.ledger import find_call, recordings, verify
from asterisk_consent.ledger.backup import back_up
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.erasures import Extent, note_erasures, read_journal
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.payload import Restored
from asterisk_consent.model import Right
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.proof_keys import call_identities
from tests.ledger.entries import hex_id
from tests.ledger.signing import signing_key
from tests.ledger.tampering import tampering
from tests.rights.backed_up import (
    LIFE_S,
    BackedUp,
    back_up_all,
    back_up_keys_of,
    entered,
    erase,
    identities,
    opens,
    other_ledger,
    restored,
    secrets_of,
)
from tests.rights.kept_calls import KeptCalls

OTHER = "+442079460999"


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    place = tmp_path / "place"
    place.mkdir()
    return await KeptCalls.begin(place, "p1-nl")


def test_what_was_erased_after_the_backup_is_in_no_file_after_its_restore(
    kept: KeptCalls, elsewhere: Path
) -> None:
    call_id = kept.recorded(1, receipt="123456789012")
    other = kept.recorded(2, caller=OTHER)
    canaries = secrets_of(kept, call_id)
    assert kept.holds_bytes(canaries[-1]) == [f"{call_id}.audio.age"]
    saved = back_up_all(kept, elsewhere)
    audio = (kept.held.vault / f"{hex_id(1)}.flac.age").read_bytes()
    erase(kept, call_id)
    kept.held.ledger.unlink()  # with it, what it says of erasures
    (kept.held.vault / f"{hex_id(1)}.flac.age").write_bytes(audio)

    report = restored(kept, saved.ledger, keys=saved.keys)

    assert report.erased == 1
    assert kept.holds_bytes(*canaries, audio[-60:]) == []
    assert find_call(kept.held.ledger, call_id) is None
    assert verify(kept.held.ledger).problem is None
    with pytest.raises(KeysError, match="no key"):
        call_identities(call_id, keys=kept.held.keys, identities=identities(kept))
    assert opens(kept, other)
    assert [row.recording_id for row in recordings(kept.held.ledger) if row.has_audio] == [hex_id(2)]


def test_keys_that_came_back_another_way_are_destroyed_too(kept: KeptCalls, elsewhere: Path) -> None:
    call_id = kept.recorded(1)
    saved = back_up_all(kept, elsewhere)
    shutil.copytree(kept.held.keys, elsewhere / "keys")
    erase(kept, call_id)
    journal = kept.held.journal.read_bytes()
    shutil.rmtree(kept.held.keys)
    shutil.copytree(elsewhere / "keys", kept.held.keys)
    (elsewhere / "erased.log").write_bytes(journal)
    kept.held.ledger.unlink()

    restored(kept, saved.ledger, erasures=(elsewhere / "erased.log",))

    with pytest.raises(KeysError, match="no key"):
        call_identities(call_id, keys=kept.held.keys, identities=identities(kept))
    with pytest.raises(KeysError, match="no key"):
        open_key(CallKey(keys=kept.held.keys, call_id=call_id, controller="x"), identities(kept))
    assert read_journal(kept.held.journal).erasures == {call_id: Extent.ALL}


@pytest.mark.parametrize("lost", ["ledger", "journal", "both"])
def test_every_source_that_is_left_tells_what_was_erased(kept: KeptCalls, elsewhere: Path, lost: str) -> None:
    withdrawn, erased = kept.recorded(1), kept.recorded(2)
    saved = back_up_all(kept, elsewhere)
    erase(kept, withdrawn, Right.WITHDRAWAL)
    erase(kept, erased)
    shutil.copy(kept.held.journal, elsewhere)
    if lost in ("ledger", "both"):
        kept.held.ledger.unlink()
    if lost in ("journal", "both"):
        kept.held.journal.unlink()
    outside = (elsewhere / "erased.log",) if lost == "both" else ()

    assert restored(kept, saved.ledger, keys=saved.keys, erasures=outside).erased == 2

    assert [(row.recording_id, row.has_audio) for row in recordings(kept.held.ledger)] == [(hex_id(1), False)]
    names = {path.name for path in kept.files()}
    assert not {f"{hex_id(1)}.audio.age", f"{hex_id(2)}.audio.age", f"{hex_id(1)}.flac.age"} & names
    assert call_identities(
        withdrawn, keys=kept.held.keys, identities=identities(kept)
    )  # proof has its own term
    assert verify(kept.held.ledger).problem is None


def test_a_restore_brings_back_keys_that_were_lost(kept: KeptCalls, elsewhere: Path) -> None:
    call_id = kept.recorded(1)
    saved = back_up_all(kept, elsewhere)
    shutil.rmtree(kept.held.keys)

    report = restored(kept, saved.ledger, keys=saved.keys)

    assert report.keys == 2  # of the decision, of the audio
    assert opens(kept, call_id)
    assert open_key(CallKey(keys=kept.held.keys, call_id=call_id, controller="x"), identities(kept))
    assert (kept.held.keys / "recipients").is_dir()
    assert (kept.held.keys / call_id[:2] / f"{call_id}.audio.age").stat().st_mode & 0o777 == 0o600
    assert restored(kept, saved.ledger, keys=saved.keys).keys == 0


def test_a_backup_of_keys_past_its_stated_life_is_not_brought_back(kept: KeptCalls, elsewhere: Path) -> None:
    kept.recorded(1)
    saved = back_up_all(kept, elsewhere)
    shutil.rmtree(kept.held.keys)
    kept.clock.now += LIFE_S
    before = kept.held.ledger.read_bytes()
    with pytest.raises(KeysError, match="life of this backup"):
        restored(kept, saved.ledger, keys=saved.keys)
    assert kept.held.ledger.read_bytes() == before
    assert not list(kept.held.keys.rglob("*.age"))


def test_keys_of_another_ledger_are_not_brought_back(kept: KeptCalls, elsewhere: Path) -> None:
    saved = back_up_all(kept, elsewhere)
    back_up_keys_of(kept, elsewhere / "other.backup", of_ledger="0" * 32)
    with pytest.raises(KeysError, match="another ledger"):
        restored(kept, saved.ledger, keys=elsewhere / "other.backup")


def test_the_chain_tells_what_was_restored_and_what_is_lost(kept: KeptCalls, elsewhere: Path) -> None:
    call_id = kept.recorded(1)
    saved = back_up_all(kept, elsewhere)
    head = verify(saved.ledger).head
    kept.recorded(2)
    erase(kept, call_id)
    lost = verify(kept.held.ledger).head.seq - head.seq

    report = restored(kept, saved.ledger)

    assert (report.missing, report.known_of, report.doubts) == (lost, True, ())
    entries = entered(kept.held.ledger)
    assert entries == [Restored(seq=head.seq, hash=head.hash.hex(), missing=lost, erasures=1, person="root")]


def test_what_a_later_checkpoint_covers_and_the_backup_lacks_is_told(
    kept: KeptCalls, elsewhere: Path
) -> None:
    take_checkpoint(kept.held.ledger, signing_key(1))
    saved = back_up_all(kept, elsewhere)
    kept.recorded(1)
    later = take_checkpoint(kept.held.ledger, signing_key(1))
    kept.held.ledger.unlink()
    head = verify(saved.ledger).head
    assert restored(kept, saved.ledger, checkpoints=(later,)).missing == later.seq - head.seq


def test_without_a_checkpoint_and_a_ledger_what_is_lost_cannot_be_told(
    kept: KeptCalls, elsewhere: Path
) -> None:
    saved = back_up_all(kept, elsewhere)
    kept.held.ledger.unlink()
    report = restored(kept, saved.ledger)
    assert (report.missing, report.known_of, report.kept_aside) == (0, False, None)


def test_a_backup_of_another_history_needs_a_reason_and_it_is_entered(
    kept: KeptCalls, elsewhere: Path
) -> None:
    saved = back_up_all(kept, elsewhere)
    kept.decide(1)
    ours = take_checkpoint(kept.held.ledger, signing_key(1))
    restored(kept, saved.ledger)
    kept.decide(2)
    kept.decide(3)
    kept.decide(4)
    other = elsewhere / "other.backup"
    back_up(kept.held.ledger, other)

    with pytest.raises(RequestRefusedError, match="another hash for entry"):
        restored(kept, other, checkpoints=(ours,))
    assert len(entered(kept.held.ledger)) == 1
    report = restored(kept, other, checkpoints=(ours,), even_so="the disk was exchanged")
    assert len(report.doubts) == 1
    assert [getattr(each, "reason", "") for each in entered(kept.held.ledger)] == [
        "",
        "the disk was exchanged",
    ]


def test_another_ledger_in_its_place_needs_a_reason(kept: KeptCalls, elsewhere: Path, tmp_path: Path) -> None:
    saved = back_up_all(kept, elsewhere)
    head = take_checkpoint(kept.held.ledger, signing_key(1))
    kept.held.ledger.write_bytes(other_ledger(tmp_path).read_bytes())
    with pytest.raises(RequestRefusedError, match="another one"):
        restored(kept, saved.ledger)
    assert restored(kept, saved.ledger, even_so="new machine").kept_aside is not None
    assert head.ledger_id in (kept.held.ledger.read_bytes().decode("latin-1"))


def test_a_backup_whose_chain_does_not_verify_changes_nothing(kept: KeptCalls, elsewhere: Path) -> None:
    kept.recorded(1)
    saved = back_up_all(kept, elsewhere)
    with tampering(saved.ledger) as connection:
        connection.execute("UPDATE chain SET header = replace(header, 'p1-nl', 'p2-nb') WHERE seq = 3")
    before = kept.held.ledger.read_bytes()
    with pytest.raises(LedgerBrokenError, match="entry 3"):
        restored(kept, saved.ledger)
    assert kept.held.ledger.read_bytes() == before
    assert not kept.held.ledger.with_name("ledger.sqlite.restoring").exists()


def test_a_file_that_is_no_ledger_changes_nothing(kept: KeptCalls, elsewhere: Path) -> None:
    elsewhere.mkdir()
    for content in (b"", b"no ledger" * 1000):
        (elsewhere / "file").write_bytes(content)
        with pytest.raises(LedgerError, match="not a ledger"):
            restored(kept, elsewhere / "file")
    assert verify(kept.held.ledger).problem is None


def test_while_the_service_runs_nothing_is_restored(kept: KeptCalls, elsewhere: Path) -> None:
    saved = back_up_all(kept, elsewhere)
    service = Ownership(kept.held.ledger)
    assert service.try_take()
    try:
        with pytest.raises(LedgerError, match="another service"):
            restored(kept, saved.ledger)
    finally:
        service.release()


def test_the_ledger_that_was_there_is_kept_whole_and_without_what_was_erased(
    kept: KeptCalls, elsewhere: Path
) -> None:
    call_id = kept.recorded(1, receipt="123456789012")
    canaries = secrets_of(kept, call_id)
    saved = back_up_all(kept, elsewhere)
    kept.decide(2, caller=OTHER)
    before = verify(kept.held.ledger).head
    # Erased by a ledger that is lost: the one in its place does not know.
    note_erasures(kept.held.journal, {call_id: Extent.ALL}, at=0)

    aside = restored(kept, saved.ledger).kept_aside

    assert aside is not None
    assert verify(aside, expected=before).problem is None
    assert kept.holds_bytes(*canaries) == []


def test_a_ledger_that_cannot_be_read_is_replaced_and_kept_as_it_is(kept: KeptCalls, elsewhere: Path) -> None:
    saved = back_up_all(kept, elsewhere)
    kept.held.ledger.write_bytes(b"damaged" * 1000)
    aside = restored(kept, saved.ledger).kept_aside
    assert aside is not None
    assert aside.read_bytes() == b"damaged" * 1000
    assert verify(kept.held.ledger).problem is None


def test_a_damaged_journal_is_used_as_far_as_it_can_be_read_and_needs_a_reason(
    kept: KeptCalls, elsewhere: Path
) -> None:
    call_id = kept.recorded(1)
    saved = back_up_all(kept, elsewhere)
    erase(kept, call_id)
    kept.held.ledger.unlink()
    kept.held.journal.write_bytes(kept.held.journal.read_bytes() + b"nonsense\n")
    with pytest.raises(RequestRefusedError, match="1 lines of the journal of erasures are damaged"):
        restored(kept, saved.ledger)
    assert restored(kept, saved.ledger, even_so="no other copy").erased == 1


def test_an_older_backup_can_be_restored_over_a_newer_one(kept: KeptCalls, elsewhere: Path) -> None:
    kept.recorded(1)
    first = back_up_all(kept, elsewhere)
    kept.recorded(2)
    second = back_up_all(kept, elsewhere / "second")
    restored(kept, second.ledger)
    kept.clock.now += 1
    assert restored(kept, first.ledger).missing > 0
    assert len(recordings(kept.held.ledger)) == 1


def test_the_restored_ledger_is_written_on_by_the_service(kept: KeptCalls, elsewhere: Path) -> None:
    saved: BackedUp = back_up_all(kept, elsewhere)
    kept.recorded(1)
    restored(kept, saved.ledger)
    with closing(sqlite3.connect(kept.held.ledger)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    kept.recorded(1)
    assert verify(kept.held.ledger).problem is None


@pytest.mark.parametrize(
    ("keys", "directory", "expected"),
    [(0o750, 0o750, 0o640), (0o2770, 0o755, 0o660), (0o2770, 0o750, 0o664)],
)
def test_where_no_ledger_was_the_restored_one_is_shared_as_the_keys_are(
    kept: KeptCalls, elsewhere: Path, keys: int, directory: int, expected: int
) -> None:
    saved = back_up_all(kept, elsewhere)
    ledger, lock = kept.held.ledger, kept.held.ledger.with_name("ledger.sqlite.lock")
    ledger.unlink()
    lock.unlink(missing_ok=True)
    if os.geteuid() == 0:
        os.chown(kept.held.keys, 65534, 65534)
    kept.held.keys.chmod(keys)
    ledger.parent.chmod(directory)
    umask = os.umask(0o077)
    try:
        restored(kept, saved.ledger)
    finally:
        os.umask(umask)
    owner = kept.held.keys.stat()
    for path, mode in ((ledger, expected), (lock, expected & 0o660)):
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (owner.st_uid, owner.st_gid)
        assert found.st_mode & 0o777 == mode


def test_a_ledger_that_was_there_gives_the_restored_one_its_rights(kept: KeptCalls, elsewhere: Path) -> None:
    saved = back_up_all(kept, elsewhere)
    kept.held.ledger.chmod(0o664)
    restored(kept, saved.ledger)
    assert kept.held.ledger.stat().st_mode & 0o777 == 0o664
