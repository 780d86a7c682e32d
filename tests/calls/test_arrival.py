"""A call at the door: what the caller withheld is gone at once, and nothing from outside does harm."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asterisk_consent.calls.arrival import (
    Arrival,
    LineCall,
    args_of,
    is_for_the_line,
    read_arrival,
    read_line_call,
)
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Decision, decision_payload, payload_bytes, read_payload
from asterisk_consent.model import MAX_OUTSIDE_TEXT, CallId, Direction, Outcome, Party
from asterisk_consent.pbx.ari import CallerId, ChannelSnapshot, DialplanPlace
from asterisk_consent.telephone import e164

CALL_ID = CallId("0" * 32)
ALLOWED = ["ask", "p1-nl", "allowed_not_screened", "allowed_passed_screen", "1001", "0"]
OUTSIDE = [
    "x" * 4096,
    "x" * 100_000,
    "nul\0nul",
    "one\r\ntwo",
    "☎️ Zoë 👩‍👩‍👧",
    "\u202eright to left",
    "${SHELL(rm -rf /)}",
    "^{GLOBAL(x)}",
    "../../etc/passwd",
    "a,b,c",
    "'; DROP TABLE entry; --",
    "\udc80 lone surrogate",
]


def channel(name: str = "Anna Voorbeeld", number: str = "+442079460123") -> ChannelSnapshot:
    return ChannelSnapshot(
        id="1800000000.1", name="PJSIP/anna-1", caller=CallerId(name=name, number=number), language="nl"
    )


def arrival(args: list[str], of: ChannelSnapshot | None = None) -> Arrival:
    return read_arrival(of or channel(), args, call_id=CALL_ID, at=1_800_000_000)


def waiting(app: str, data: str) -> ChannelSnapshot:
    return ChannelSnapshot(id="1.1", dialplan=DialplanPlace(app_name=app, app_data=data))


def test_a_call_is_read_as_the_dialplan_hands_it_over() -> None:
    arrived = arrival(["ask", "p1-nl", "allowed", "allowed", "1001", "12.5"])

    assert arrived.limit_s == 12.5
    assert arrived.call.party == Party(number="+442079460123", name="Anna Voorbeeld")
    assert (arrived.call.policy, arrived.call.dialled, arrived.call.language) == ("p1-nl", "1001", "nl")
    assert (arrived.call.direction, arrived.call.started_at) == (Direction.INCOMING, 1_800_000_000)


@pytest.mark.parametrize(
    "presentation",
    ["prohib_not_screened", "prohib_passed_screen", "prohib_failed_screen", "prohib", "unavailable", "", "x"],
)
def test_a_withheld_number_is_dropped_with_the_name_whatever_the_network_supplied(presentation: str) -> None:
    arrived = arrival(["ask", "p1-nl", presentation, "allowed", "1001", "0"])

    assert arrived.call.party == Party(number=None, name=None)
    assert "2079460123" not in repr(arrived)
    assert "Anna" not in repr(arrived)


def test_a_withheld_name_is_dropped_and_the_number_stays() -> None:
    arrived = arrival(["ask", "p1-nl", "allowed", "prohib", "1001", "0"])

    assert arrived.call.party == Party(number="+442079460123", name=None)


def test_an_empty_number_and_name_are_none() -> None:
    assert arrival(ALLOWED, channel(name="", number="")).call.party == Party(number=None, name=None)


@pytest.mark.parametrize(
    "text", OUTSIDE, ids=[text[:12].encode("ascii", "replace").decode() for text in OUTSIDE]
)
def test_text_from_outside_reaches_an_entry_cut_and_unharmed(text: str) -> None:
    party = arrival(ALLOWED, channel(name=text, number=text)).call.party
    assert party == Party(number=text[:MAX_OUTSIDE_TEXT], name=text[:MAX_OUTSIDE_TEXT])

    payload = decision_payload(
        outcome=Outcome.GIVEN,
        started_at=0,
        direction=Direction.INCOMING,
        dialled=text,
        channel="1.1",
        caller=e164(text, "NL"),
        caller_name=party.name,
        withheld=False,
    )
    NewEntry(stream="voorbeeld", kind=Kind.DECISION_GIVEN, policy=text, payload=payload)
    kept = read_payload(payload_bytes(payload))
    assert isinstance(kept, Decision)
    assert kept.caller_name is not None
    assert len(kept.caller_name) <= MAX_OUTSIDE_TEXT


@pytest.mark.parametrize(
    ("name", "region"),
    [("PJSIP/trunk-de-0000002a", "DE"), ("PJSIP/trunk-0000002a", ""), ("Local/1@x-0000002a;1", ""), ("", "")],
)
def test_numbers_of_a_trunk_belong_to_its_country(name: str, region: str) -> None:
    of_trunk = ChannelSnapshot(id="1.1", name=name)
    arrived = read_arrival(of_trunk, ALLOWED, call_id=CALL_ID, at=0, regions={"trunk-de": "DE"})
    assert arrived.call.region == region


@given(st.lists(st.text(), max_size=9))
@example([])
@example(["ask", "p1-nl", "allowed"])
def test_any_arguments_make_a_call(args: list[str]) -> None:
    arrived = arrival(args)

    assert arrived.limit_s >= 0
    assert arrived.call.policy == (args[1] if len(args) > 1 else "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("0", 0), ("-5", 0), ("nan", 0), ("12,5", 0), ("x", 0), ("30.25", 30.25), ("inf", 1e6)],
)
def test_a_limit_is_a_number_of_seconds_that_is_never_negative(text: str, seconds: float) -> None:
    assert arrival([*ALLOWED[:5], text]).limit_s == seconds


def test_a_waiting_channel_is_ours_when_it_waits_in_our_application() -> None:
    assert args_of(waiting("Stasis", "asterisk-consent,ask,p1-nl")) == ["ask", "p1-nl"]
    assert args_of(waiting("Stasis", "asterisk-consent")) == []
    assert args_of(waiting("Stasis", "another,ask,p1-nl")) == []
    assert args_of(waiting("Stasis", "")) == []
    assert args_of(waiting("Queue", "asterisk-consent,ask")) == []


def test_a_call_to_the_withdrawal_line_is_told_from_one_that_is_asked() -> None:
    assert is_for_the_line(["withdraw", "voorbeeld"])
    assert not is_for_the_line(["ask", "withdraw"])
    assert not is_for_the_line([])


@pytest.mark.parametrize(
    ("presentation", "number"),
    [
        ("allowed_passed_screen", "+442079460123"),
        ("prohib_not_screened", None),
        ("unavailable", None),
        ("", None),
    ],
)
def test_a_number_withheld_on_the_line_is_forgotten_at_once(presentation: str, number: str | None) -> None:
    found = ChannelSnapshot(id="1.1", caller=CallerId(name="Anna", number="+442079460123"))

    call = read_line_call(found, ["withdraw", "voorbeeld", presentation, "12.5"])

    assert call == LineCall(channel="1.1", controller="voorbeeld", number=number, limit_s=12.5)


def test_arguments_of_the_line_that_are_missing_count_as_empty() -> None:
    call = read_line_call(ChannelSnapshot(id="1.1", caller=CallerId(number="1")), ["withdraw"])

    assert call == LineCall(channel="1.1", controller="", number=None, limit_s=0.0)
