"""What is entered of a call: the purposes that its caller was told of, and a person only where that is allowed."""

import pytest

from asterisk_consent.calls.announced import UNKNOWN_POLICY, Announced
from asterisk_consent.calls.call_file import MAX_MOMENTS, CallFile
from asterisk_consent.ledger import Decision, NewEntry
from asterisk_consent.model import Call, CallId, Direction, Outcome, Party, RecordingId
from asterisk_consent.policy import parse_policy
from tests.policy.shipped import shipped

P1 = Announced(policy=parse_policy(shipped("p1-nl"), file="p1-nl.toml"))
CALL = Call(
    call_id=CallId("0" * 32),
    channel="1800000000.1",
    party=Party(number="0201234567", name="Anna"),
    dialled="1021",
    policy="p1-nl",
    language="nl",
    direction=Direction.INCOMING,
    started_at=1_800_000_000,
)


def entered(
    outcome: Outcome, *, announced: Announced = P1, language: str = "nl"
) -> tuple[NewEntry, Decision]:
    file = CallFile(CALL, announced=announced, region="NL", clock_s=lambda: 0.0)
    entry = file.entry(
        outcome, language=language, digit="", reason="", played_ms=0, recording_id=RecordingId("1" * 32)
    )
    assert isinstance(entry.payload, Decision)
    return entry, entry.payload


def test_a_purpose_that_was_not_announced_in_the_language_of_the_call_is_not_granted() -> None:
    assert entered(Outcome.GIVEN, language="nl")[1].purposes == ("training",)
    assert entered(Outcome.GIVEN, language="en")[1].purposes == ("training", "quality")


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.allows_recording])
def test_what_allows_nothing_grants_no_purpose_and_keeps_nobody(outcome: Outcome) -> None:
    _, decision = entered(outcome)

    assert (decision.purposes, decision.recording_id) == ((), None)
    assert (decision.caller, decision.caller_name) == (None, None)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.allows_recording])
def test_what_is_allowed_has_its_recording_and_its_caller(outcome: Outcome) -> None:
    entry, decision = entered(outcome)

    assert (entry.stream, entry.policy_version, entry.language) == ("voorbeeld", 1, "nl")
    assert (decision.recording_id, decision.caller, decision.caller_name) == (
        "1" * 32,
        "+31201234567",
        "Anna",
    )


def test_a_call_under_a_policy_that_nobody_knows_belongs_to_no_controller() -> None:
    entry, decision = entered(Outcome.FAILED, announced=UNKNOWN_POLICY, language="")

    assert (entry.stream, entry.policy, entry.policy_version) == ("system", "p1-nl", 0)
    assert decision.purposes == ()


def test_a_storm_of_digits_is_cut_off() -> None:
    file = CallFile(CALL, announced=P1, region="NL", clock_s=lambda: 0.0)
    for _ in range(2 * MAX_MOMENTS):
        file.note("digit", "5")
    entry = file.entry(
        Outcome.REFUSED, language="nl", digit="2", reason="", played_ms=0, recording_id=RecordingId("1" * 32)
    )

    assert isinstance(entry.payload, Decision)
    assert len(entry.payload.course) == MAX_MOMENTS
