"""What the ledger shows of a sealed payload names nobody, and is bound to what was sealed."""

import sqlite3
from contextlib import closing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from asterisk_consent.errors import KeysError, LedgerBrokenError
from asterisk_consent.ledger import Decision, Kind, Moment, NewEntry, decision_kind, decision_payload
from asterisk_consent.ledger.chain import payload_digest
from asterisk_consent.ledger.commit import Prepared, place, prepare, write_entries
from asterisk_consent.ledger.entry import Header, header_bytes
from asterisk_consent.ledger.index import (
    INDEX_OF,
    DecisionIndex,
    Index,
    index_bytes,
    index_of,
    read_index,
    subject_of,
)
from asterisk_consent.ledger.opening import open_entry
from asterisk_consent.ledger.payload import Access, Export, Payload, Request
from asterisk_consent.ledger.schema import migrate
from asterisk_consent.ledger.sealing import Sealer, parts_of, two_parts
from asterisk_consent.model import Direction, Outcome, Right, Sealed
from tests.ledger.entries import CALLER, CONTROLLER, NOW, hex_id
from tests.ledger.open_sealing import OpenSealer, open_sealed

NAMING = ("+442079460199", "Zoë Geheim", "0800-dialled", "said-in-the-course", "who-asked", "why-of-a-person")
NEVER_SHOWN = {
    "caller",
    "caller_name",
    "withheld",
    "digit",
    "dialled",
    "course",
    "information_ms",
    "person",
    "recipient",
    "asked_by",
    "identified_by",
    "purpose",
}
NUMBER, NAME, DIALLED, SAID, WHO, WHY = NAMING


def decided(outcome: Outcome, *, withheld: bool, digit: str, played_ms: int) -> Decision:
    return decision_payload(
        outcome=outcome,
        started_at=NOW,
        direction=Direction.INCOMING,
        dialled=DIALLED,
        channel="1800000000.7",
        caller=NUMBER,
        caller_name=NAME,
        withheld=withheld,
        digit=digit,
        played_ms=played_ms,
        information_ms=15_000,
        recording_id=hex_id(1) if outcome.allows_recording else None,
        purposes=("training",),
        course=(Moment(at_ms=1, what="digit", detail=SAID),),
        alias="1001-7",
        receipt="123456789012",
    )


DECISIONS = st.builds(
    decided,
    st.sampled_from(Outcome),
    withheld=st.booleans(),
    digit=st.sampled_from("0123456789*#"),
    played_ms=st.integers(0, 10**6),
)
OTHERS = st.sampled_from(
    [
        Export(recording_id=hex_id(1), reason=WHY, recipient=WHO, person=NAME, sha256="cd" * 32),
        Access(what="recording", person=WHO, reason=WHY, purpose=SAID),
        Request(
            right=Right.ERASURE,
            way="command",
            reference="12345678",
            asked_by=NAME,
            identified_by=NUMBER,
            person=WHO,
            reason=WHY,
        ),
    ]
)
KIND_OF = {
    Export: Kind.RECORDING_EXPORTED,
    Access: Kind.RECORDING_OPENED,
    Request: Kind.REQUEST_ENTERED,
}


def prepared(payload: Payload, sealer: Sealer | None = None) -> Prepared:
    kind = decision_kind(payload.outcome) if isinstance(payload, Decision) else KIND_OF[type(payload)]
    entry = NewEntry(stream=CONTROLLER, kind=kind, call_id=hex_id(1), policy="p1-nl", payload=payload)
    return prepare(entry, at=NOW, randomness=bytes, sealer=sealer or OpenSealer())


def shown_of(payload: Payload) -> Index:
    return read_index(parts_of(prepared(payload).body)[0])


@given(payload=DECISIONS | OTHERS)
def test_an_index_and_a_header_name_nobody(payload: Payload) -> None:
    made = prepared(payload)
    visible = parts_of(made.body)[0] + header_bytes(place(made, 2))
    assert not any(text.encode() in visible or text[1:].encode() in visible for text in NAMING)
    assert NEVER_SHOWN.isdisjoint(shown_of(payload).__struct_fields__)


class NoKeys(OpenSealer):
    """Has nobody to seal to."""

    def seal(self, content: bytes, *, controller: str, call_id: str) -> Sealed:
        raise KeysError("there are no recipients")


@given(payload=DECISIONS)
def test_where_there_is_nobody_to_seal_to_only_the_index_is_left(payload: Decision) -> None:
    if payload.outcome.allows_recording:
        return
    made = prepared(payload, NoKeys())
    index, sealed = parts_of(made.body)
    assert (sealed, made.salt, made.key, made.commitment) == (b"", b"", None, "")
    assert not any(text.encode() in made.body for text in NAMING)
    assert read_index(index) == index_of(payload)


@given(payloads=st.lists(DECISIONS | OTHERS, max_size=6))
def test_no_table_for_reading_names_anybody(payloads: list[Payload]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, where="memory")
        write_entries(connection, [prepared(payload) for payload in payloads])
        connection.execute("DELETE FROM payload")
        dump = "\n".join(connection.iterdump())
    assert not any(text in dump or text[1:] in dump for text in NAMING)


@pytest.mark.parametrize("payload", INDEX_OF)
def test_an_index_has_only_fields_of_its_payload_and_the_blind_index(payload: type[Payload]) -> None:
    fields = INDEX_OF[payload].__struct_fields__
    of_its_own = {"subject"} if payload is Decision else set()
    assert set(fields) - set(payload.__struct_fields__) == of_its_own
    assert set(payload.__struct_fields__) - set(fields), "nothing of it would be sealed"
    assert INDEX_OF[payload].__struct_config__.tag == payload.__struct_config__.tag


@given(payload=DECISIONS | OTHERS)
def test_an_index_is_read_back_as_it_was_written(payload: Payload) -> None:
    index = index_of(payload)
    assert read_index(index_bytes(index)) == index


@given(raw=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_as_an_index_or_refused(raw: bytes) -> None:
    with pytest.raises(LedgerBrokenError, match="an index cannot be read"):
        read_index(raw)


def test_a_person_is_found_by_the_blind_index_of_the_number_alone() -> None:
    kept = shown_of(decided(Outcome.GIVEN, withheld=False, digit="1", played_ms=0))
    assert isinstance(kept, DecisionIndex)
    assert kept.subject == OpenSealer().blind(NUMBER, controller=CONTROLLER)
    for outcome, withheld in ((Outcome.GIVEN, True), (Outcome.REFUSED, False)):
        none = shown_of(decided(outcome, withheld=withheld, digit="1", played_ms=0))
        assert isinstance(none, DecisionIndex)
        assert none.subject is UNSET


@pytest.mark.parametrize("number", ["1001", "anna", "", "+1", "+44 20", f"{CALLER}x", "+" + "1" * 16])
def test_what_is_no_telephone_number_has_no_blind_index(number: str) -> None:
    payload = decided(Outcome.GIVEN, withheld=False, digit="1", played_ms=0)
    assert subject_of(msgspec.structs.replace(payload, caller=number), lambda _: "found") is UNSET


def rebound(made: Prepared, body: bytes) -> Header:
    """Return the header of an entry whose stored bytes are others, its digest made to fit."""
    return msgspec.structs.replace(place(made, 2), payload_digest=payload_digest(body))


CHANGES = st.sampled_from(
    [
        {"started_at": 1},
        {"direction": Direction.OUTGOING},
        {"channel": "2.2"},
        {"played_ms": -1},
        {"recording_id": hex_id(2)},
        {"purposes": ("training", "marketing")},
        {"reason": "another"},
        {"alias": "another"},
        {"alias": UNSET},
        {"receipt": UNSET},
    ]
)


@given(payload=DECISIONS, change=CHANGES)
def test_opening_refuses_an_index_that_is_not_of_what_was_sealed(
    payload: Decision, change: dict[str, object]
) -> None:
    made = prepared(payload)
    index, sealed = parts_of(made.body)
    body = two_parts(index_bytes(msgspec.structs.replace(read_index(index), **change)), sealed)
    assert body != made.body
    with pytest.raises(LedgerBrokenError, match="does not fit its index"):
        open_entry(rebound(made, body), b"", body, open_sealed)


@given(payload=DECISIONS, other=DECISIONS)
def test_opening_refuses_the_sealed_part_of_another_entry(payload: Decision, other: Decision) -> None:
    made, foreign = prepared(payload), prepared(other)
    body = two_parts(parts_of(made.body)[0], parts_of(foreign.body)[1])
    if body == made.body:
        return
    with pytest.raises(LedgerBrokenError, match="what was sealed is not what was entered"):
        open_entry(rebound(made, body), b"", body, open_sealed)
