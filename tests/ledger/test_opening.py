"""What is sealed is opened as exactly what was entered, or not at all."""

from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError, LedgerBrokenError
from asterisk_consent.ledger import Decision, Erased, Kind, NewEntry, append_from_outside
from asterisk_consent.ledger.chain import commitment
from asterisk_consent.ledger.entry import SYSTEM_STREAM
from asterisk_consent.ledger.index import DecisionIndex
from asterisk_consent.ledger.opening import Opened, decision_of, open_call, unopened
from asterisk_consent.ledger.payload import Access, Recording, payload_bytes
from asterisk_consent.model import Outcome
from tests.ledger.entries import CONTROLLER, decision, hex_id, open_ledger, recorded
from tests.ledger.open_sealing import OpenSealer, open_sealed
from tests.ledger.tampering import tampering

CALL = hex_id(1)
LOOKED = Access(what="proof", person="dpo", reason="complaint 17")


@pytest.fixture
async def entered(path: Path) -> Path:
    """Two calls, of which the first was recorded and looked at."""
    ledger = await open_ledger(path)
    await ledger.append(decision(1, recording=1))
    await ledger.append(decision(2))
    await ledger.append(recorded(Kind.RECORDING_VERIFIED, 1))
    await ledger.append(NewEntry(stream=CONTROLLER, kind=Kind.PROOF_OPENED, call_id=CALL, payload=LOOKED))
    await ledger.close()
    return path


def opened(path: Path) -> list[Opened]:
    return open_call(path, CALL, open_sealed)


def test_every_entry_about_the_call_is_opened_and_no_other(entered: Path) -> None:
    found = opened(entered)
    wanted = [decision(1, recording=1).payload, recorded(Kind.RECORDING_VERIFIED, 1).payload, LOOKED]
    assert [each.payload for each in found] == wanted
    assert [each.header.seq for each in found] == [2, 4, 5]
    assert {each.header.call_id for each in found} == {CALL}


def test_text_and_salt_are_those_that_the_header_commits_to(entered: Path) -> None:
    for each in opened(entered):
        assert isinstance(each.payload, Decision | Recording | Access)
        assert each.text == payload_bytes(each.payload)
        assert commitment(each.salt, each.text) == each.header.commitment


def test_of_a_call_that_is_not_there_nothing_is_opened(entered: Path) -> None:
    assert open_call(entered, hex_id(99), open_sealed) == []


def test_the_decision_is_found_among_the_entries(entered: Path) -> None:
    assert decision_of(opened(entered)) == decision(1, recording=1).payload
    assert decision_of(opened(entered)[1:]) is None


def test_another_key_opens_nothing(entered: Path) -> None:
    def of_another(_: bytes) -> bytes:
        raise KeysError("cannot be opened")

    for opener in (of_another, unopened):
        with pytest.raises(KeysError, match="opened"):
            open_call(entered, CALL, opener)


def test_what_is_not_sealed_needs_no_key(path: Path, entered: Path) -> None:
    append_from_outside(path, recorded(Kind.RECORDING_STARTED, 3))
    (found,) = open_call(path, hex_id(3), unopened)
    assert isinstance(found.payload, Recording)


async def test_where_there_was_nobody_to_seal_to_the_index_is_all_there_is(path: Path) -> None:
    await (await open_ledger(path)).close()
    append_from_outside(path, decision(1, Outcome.REFUSED))
    (found,) = open_call(path, CALL, unopened)
    assert isinstance(found.payload, DecisionIndex)
    assert (found.salt, found.text) == (b"", b"")


def test_an_erased_payload_is_none_and_its_entry_stays(entered: Path) -> None:
    erasure = NewEntry(
        stream=SYSTEM_STREAM, kind=Kind.PAYLOAD_ERASED, payload=Erased(seqs=(2,), reason="request")
    )
    append_from_outside(entered, erasure, sealer=OpenSealer())
    with tampering(entered) as connection:
        connection.execute("DELETE FROM payload WHERE seq = 2")
    assert [each.payload is None for each in opened(entered)] == [True, False, False]
    assert decision_of(opened(entered)) is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE payload SET body = CAST(replace(body, '21000', '21001') AS BLOB) WHERE seq = 2", "payload"),
        ("UPDATE payload SET body = CAST(replace(body, '\"1\"', '\"2\"') AS BLOB) WHERE seq = 2", "payload"),
        ("UPDATE payload SET body = (SELECT body FROM payload WHERE seq = 3) WHERE seq = 2", "payload"),
        ("UPDATE payload SET salt = zeroblob(16) WHERE seq = 2", "salt"),
        ("UPDATE payload SET salt = zeroblob(16) WHERE seq = 4", "salt"),
    ],
)
def test_what_is_not_what_was_entered_is_not_shown(entered: Path, change: str, what: str) -> None:
    with tampering(entered) as connection:
        connection.execute(change)
    with pytest.raises(LedgerBrokenError, match=f"the {what} is not the one that was entered"):
        opened(entered)
