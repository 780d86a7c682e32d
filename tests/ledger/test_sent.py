"""What is known of checkpoints that left: noted beside the ledger, one file a witness."""

from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerBrokenError, LedgerError, LedgerUnavailableError
from asterisk_consent.ledger import Ledger
from asterisk_consent.ledger.checkpoints import newest_checkpoint, take_checkpoint, waiting_since
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.sent import last_sent, note_sent, sent_path
from tests.ledger.entries import NOW, decision
from tests.ledger.signing import signing_key
from tests.ledger.tampering import tampering
from tests.ledger.test_witness import checkpoint


def test_the_last_one_of_each_witness_is_known(path: Path) -> None:
    note_sent(path, "dpo", checkpoint(1))
    note_sent(path, "dpo", checkpoint(2))
    note_sent(path, "nas", checkpoint(1))
    assert last_sent(path, "dpo") == checkpoint(2)
    assert last_sent(path, "nas") == checkpoint(1)
    assert last_sent(path, "syslog") is None
    assert sent_path(path, "../x").parent == path.parent


def test_a_note_that_cannot_be_written_or_read_is_told(path: Path) -> None:
    sent_path(path, "dpo").mkdir()
    with pytest.raises(LedgerUnavailableError, match="noted"):
        note_sent(path, "dpo", checkpoint(1))
    with pytest.raises(LedgerUnavailableError, match="read") as raised:
        last_sent(path, "dpo")
    assert raised.value.where == str(sent_path(path, "dpo"))
    sent_path(path, "nas").write_text("x")
    with pytest.raises(LedgerBrokenError):
        last_sent(path, "nas")


def test_how_long_entries_wait_for_a_checkpoint(filled: Path) -> None:
    assert newest_checkpoint(filled) is None
    assert waiting_since(filled, 0) == NOW
    taken = take_checkpoint(filled, signing_key(1))
    assert newest_checkpoint(filled) == taken
    assert waiting_since(filled, taken.seq) is None
    assert waiting_since(filled, taken.seq - 1) is not None


def test_a_stored_checkpoint_that_is_damaged_is_told(filled: Path) -> None:
    take_checkpoint(filled, signing_key(1))
    with tampering(filled) as connection:
        connection.execute("UPDATE checkpoint SET content = 'x'")
    with pytest.raises(LedgerBrokenError):
        newest_checkpoint(filled)


def test_without_a_ledger_there_is_nothing_to_ask(path: Path) -> None:
    with pytest.raises(LedgerError):
        newest_checkpoint(path)
    with pytest.raises(LedgerError):
        waiting_since(path, 0)


async def test_whether_a_service_has_the_ledger_is_seen_without_a_trace(ledger: Ledger, path: Path) -> None:
    await ledger.append(decision(1))
    assert Ownership(path).is_taken()
    await ledger.close()
    assert not Ownership(path).is_taken()
    other = path.with_name("other.db")
    assert not Ownership(other).is_taken()
    assert not other.with_name("other.db.lock").exists()
    Ownership(path).take()


def test_a_lock_that_may_not_be_looked_at_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refused)
    with pytest.raises(LedgerUnavailableError, match="Permission denied"):
        Ownership(path).is_taken()
