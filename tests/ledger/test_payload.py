"""What an entry keeps of a person, and that no text from outside can keep it from being written."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.ledger import Decision, Kind, Moment, NewEntry, Service, decision_kind, decision_payload
from asterisk_consent.ledger.entry import PAYLOAD_OF, header_bytes, read_header
from asterisk_consent.ledger.payload import payload_bytes, read_payload
from asterisk_consent.model import MAX_OUTSIDE_TEXT, Direction, Outcome
from tests.ledger.entries import CALLER, CONTROLLER, NOW, decision
from tests.ledger.write_vectors import chain_of

HOSTILE = st.text(st.characters(), max_size=300) | st.sampled_from(
    [
        "\x00",
        "\udc80\ud800",
        "a\r\nb",
        "${SHELL(reboot)}",
        "'; DROP TABLE chain; --",
        "\u202egnp",
        "\u260e\ufe0f",
        "x" * 5000,
        "\udcff" * 5000,
    ]
)


def said(outcome: Outcome, *, withheld: bool, text: str = "Anna") -> Decision:
    return decision_payload(
        outcome=outcome,
        started_at=NOW,
        direction=Direction.INCOMING,
        dialled=text,
        channel=text,
        caller=CALLER,
        caller_name=text,
        withheld=withheld,
        reason=text,
        purposes=(text,),
        course=(Moment(at_ms=1, what=text, detail=text),),
    )


@pytest.mark.parametrize("withheld", [False, True])
@pytest.mark.parametrize("outcome", Outcome)
def test_only_an_agreement_keeps_the_caller_unless_withheld(outcome: Outcome, withheld: bool) -> None:
    payload = said(outcome, withheld=withheld)
    keeps = outcome in {Outcome.GIVEN, Outcome.INFORMED} and not withheld
    assert (payload.caller, payload.caller_name) == ((CALLER, "Anna") if keeps else (None, None))


@pytest.mark.parametrize("field", ["caller", "caller_name"])
@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.allows_recording])
def test_a_decision_that_keeps_more_than_it_may_cannot_be_made(outcome: Outcome, field: str) -> None:
    lawful = said(outcome, withheld=False)
    with pytest.raises(ValueError, match="may not keep the caller"):
        msgspec.structs.replace(lawful, **{field: "020 7946 0123"})
    with pytest.raises(ValueError, match="may not keep the caller"):
        msgspec.structs.replace(said(Outcome.GIVEN, withheld=True), **{field: "020 7946 0123"})


@given(text=HOSTILE)
def test_any_text_from_outside_is_written_and_read_back(text: str) -> None:
    raw = payload_bytes(said(Outcome.GIVEN, withheld=False, text=text))
    payload = read_payload(raw)
    assert isinstance(payload, Decision)
    kept = text[:MAX_OUTSIDE_TEXT].encode("utf-8", "backslashreplace").decode()[:MAX_OUTSIDE_TEXT]
    assert payload.caller_name == kept
    assert payload_bytes(payload) == raw


@given(text=HOSTILE)
def test_any_text_in_a_header_is_written_and_read_back(text: str) -> None:
    entry = NewEntry(
        stream=text, policy=text, language=text, kind=Kind.SERVICE_STARTED, payload=Service(release="1")
    )
    raw = chain_of([entry])[1].header
    header = read_header(raw)
    assert len(header.policy) <= 128
    assert header_bytes(header) == raw


def test_each_outcome_has_a_kind_and_each_kind_a_payload() -> None:
    decisions = {kind for kind in Kind if PAYLOAD_OF[kind] is Decision}
    assert {decision_kind(outcome) for outcome in Outcome} == decisions
    assert set(PAYLOAD_OF) == set(Kind)


def test_kind_and_payload_of_an_entry_belong_together() -> None:
    with pytest.raises(ValueError, match="cannot hold a Service"):
        NewEntry(stream=CONTROLLER, kind=Kind.BYPASS_ON, payload=Service(release="1"))
    with pytest.raises(ValueError, match="cannot hold the outcome given"):
        NewEntry(stream=CONTROLLER, kind=Kind.DECISION_REFUSED, payload=decision(1).payload)


@pytest.mark.parametrize("call_id", ["1", "G" * 32, "../../etc/passwd", "A" * 32, "0" * 33])
def test_a_call_id_is_32_hexadecimal_digits(call_id: str) -> None:
    with pytest.raises(ValueError, match="not a call id"):
        NewEntry(stream=CONTROLLER, kind=Kind.SERVICE_STARTED, payload=Service(release="1"), call_id=call_id)


def test_a_header_names_nobody() -> None:
    assert CALLER.encode() not in chain_of([decision(1)])[1].header
    assert b"Anna" not in chain_of([decision(1)])[1].header
