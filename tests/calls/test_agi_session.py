"""The same conversation over FastAGI: the same answers, the same order, the same ends."""

import asyncio

import pytest

from asterisk_consent.calls.agi_session import AgiDesk
from asterisk_consent.calls.session import Surroundings
from asterisk_consent.calls.ways_out import ESCAPE_MARGIN_S
from asterisk_consent.dialogue.machine import COMMIT_TIMEOUT_S
from asterisk_consent.errors import PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.payload import Decision
from asterisk_consent.model import Outcome
from tests.calls.agi_call import Caller, FakeAgiChannel, agi_request
from tests.calls.asterisk import CHANNEL, INFORMATION_MS, QUESTION_MS
from tests.calls.service import POLICY, Service, made_up_randomness, settle
from tests.calls.virtual_time import in_virtual_time, wall_s

INFORMATION_S = INFORMATION_MS / 1000
QUESTION_S = QUESTION_MS / 1000
QUESTIONED_S = INFORMATION_S + QUESTION_S
ESCAPE_S = QUESTIONED_S + POLICY.timing.first_digit_s + ESCAPE_MARGIN_S


def desk_of(service: Service) -> AgiDesk:
    """Return the desk that takes this service's calls over FastAGI."""
    surroundings = Surroundings(
        ari=service.ari,
        ledger=service.ledger,
        recorder=service.recorder,
        region="GB",
        objects=service.objects,
        now_s=wall_s,
        randomness=made_up_randomness(),
    )
    return AgiDesk(service.policies, surroundings, service.switchboard)


async def conversation(service: Service, caller: Caller, **about: str) -> FakeAgiChannel:
    """Have one conversation to its end."""
    channel = FakeAgiChannel(caller, agi_request(**about))
    await desk_of(service).handle(channel)
    return channel


def only_decision(service: Service) -> Decision:
    (decision,) = service.ledger.decisions()
    return decision


@in_virtual_time
async def test_an_agreement_is_committed_before_the_dialplan_is_told_to_record() -> None:
    service = Service()
    service.ledger.delay_s = 0.5
    caller = Caller(digits=[(INFORMATION_S + 1, "1")])
    channel = await conversation(service, caller)

    assert channel.story == [
        f"TIMEOUT(absolute)={ESCAPE_S:.3f}",
        "play information from 0",
        "play question from 0",
        "priority 1",
        f"extension {service.recorded_at}",
    ]
    decision = only_decision(service)
    assert (decision.outcome, decision.digit, decision.channel) == (Outcome.GIVEN, "1", CHANNEL)
    assert decision.played_ms == pytest.approx(INFORMATION_MS + 1000, abs=2)
    assert service.recorder.unstarted == []
    assert service.switchboard.has_asked(CHANNEL)
    assert service.switchboard.outcomes == {"given": 1}


@in_virtual_time
async def test_a_refusal_is_taken_at_once_and_keeps_nobody() -> None:
    service = Service()
    channel = await conversation(service, Caller(digits=[(2, "2")]))

    assert channel.extensions == ["out*refused*nl"]
    decision = only_decision(service)
    assert (decision.outcome, decision.caller, decision.recording_id) == (Outcome.REFUSED, None, None)
    assert decision.played_ms == pytest.approx(2000, abs=2)


@in_virtual_time
async def test_an_agreement_before_the_information_is_over_does_not_count_and_it_goes_on_where_it_stopped() -> (
    None
):
    service = Service()
    channel = await conversation(service, Caller(digits=[(4, "1")]))

    assert channel.story[1:4] == [
        "play information from 0",
        "play information from 32000",
        "play question from 0",
    ]
    decision = only_decision(service)
    assert decision.outcome is Outcome.NO_CHOICE
    assert decision.played_ms == pytest.approx(INFORMATION_MS + 3 * QUESTION_MS, abs=5)


@in_virtual_time
async def test_an_agreement_in_the_silence_after_the_question_counts() -> None:
    service = Service()
    channel = await conversation(service, Caller(digits=[(QUESTIONED_S + 1, "1")]))

    assert channel.extensions == [service.recorded_at]


@in_virtual_time
async def test_silence_is_asked_about_as_often_as_the_policy_says() -> None:
    service = Service()
    channel = await conversation(service, Caller())

    assert channel.story.count("play question from 0") == POLICY.timing.attempts
    assert channel.extensions == ["out*no_choice*nl"]
    assert only_decision(service).reason == "no digit"


@in_virtual_time
async def test_the_whole_conversation_is_limited() -> None:
    for digits in (
        [],
        [(59.0, "A")],
        [(POLICY.timing.overall_s - 1, "#"), (POLICY.timing.overall_s + 1, "A")],
    ):
        service = Service()
        caller = Caller(digits=list(digits), lengths_s={"information": 15.0, "question": 42.0})
        began_s = asyncio.get_running_loop().time()
        channel = await conversation(service, caller)

        assert channel.extensions == ["out*no_choice*nl"]
        assert only_decision(service).reason == "overall time-out"
        assert asyncio.get_running_loop().time() - began_s <= POLICY.timing.overall_s + 42


@in_virtual_time
async def test_a_repetition_plays_everything_from_the_beginning() -> None:
    service = Service()
    caller = Caller(digits=[(INFORMATION_S + 2, "#"), (2 * INFORMATION_S + 3, "1")])
    channel = await conversation(service, caller)

    assert [words for words in channel.story if words.startswith("play")] == [
        "play information from 0",
        "play question from 0",
        "play information from 0",
        "play question from 0",
    ]
    assert channel.extensions == [service.recorded_at]


@in_virtual_time
async def test_a_truncated_announcement_allows_no_agreement() -> None:
    service = Service()
    caller = Caller(digits=[(3, "1")], lengths_s={"information": 0.1, "question": QUESTION_S})
    channel = await conversation(service, caller)

    assert channel.extensions == ["out*failed*nl"]
    assert only_decision(service).reason == "information not played in full"


@in_virtual_time
async def test_a_missing_announcement_allows_no_agreement() -> None:
    service = Service()
    channel = await conversation(service, Caller(digits=[(3, "1")], lengths_s={}))

    assert channel.extensions == ["out*failed*nl"]
    assert only_decision(service).outcome is Outcome.FAILED


@in_virtual_time
async def test_a_call_without_a_known_policy_goes_on_at_once_and_is_entered() -> None:
    service = Service()
    channel = await conversation(service, Caller(), policy="p9")

    assert channel.story == ["priority 1", "extension out*failed*"]
    assert only_decision(service).reason == "unknown policy"


@in_virtual_time
async def test_a_withheld_number_is_in_no_entry() -> None:
    service = Service()
    caller = Caller(digits=[(INFORMATION_S + 1, "1")])
    await conversation(service, caller, presentation="prohib")

    assert "2079460123" not in repr(service.ledger.entries)
    assert only_decision(service).withheld


@in_virtual_time
async def test_a_name_that_asterisk_does_not_know_is_none() -> None:
    service = Service()
    await conversation(service, Caller(digits=[(INFORMATION_S + 1, "1")]), name="unknown")

    assert only_decision(service).caller_name is None


@in_virtual_time
async def test_a_hang_up_is_entered_with_what_was_played() -> None:
    service = Service()
    channel = await conversation(service, Caller(hangs_up_at_s=3))

    assert channel.extensions == []
    decision = only_decision(service)
    assert decision.outcome is Outcome.ABANDONED
    assert decision.played_ms == pytest.approx(3000, abs=2)


@in_virtual_time
async def test_a_hang_up_in_the_silence_after_the_question_is_entered() -> None:
    service = Service()
    await conversation(service, Caller(hangs_up_at_s=QUESTIONED_S + 1))

    assert only_decision(service).outcome is Outcome.ABANDONED


@in_virtual_time
async def test_the_escape_time_out_is_entered_as_an_unanswered_call() -> None:
    service = Service()
    await conversation(service, Caller(hangs_up_at_s=10), limit="10")

    assert only_decision(service).outcome is Outcome.FAILED


@in_virtual_time
async def test_a_limit_of_the_administrators_is_never_exceeded() -> None:
    service = Service()
    channel = await conversation(service, Caller(digits=[(1, "2")]), limit="10")

    assert channel.story[0] == "TIMEOUT(absolute)=10.000"


@in_virtual_time
async def test_a_hang_up_while_the_entry_is_written_leaves_the_recording_to_its_end() -> None:
    service = Service()
    service.ledger.delay_s = 1
    caller = Caller(digits=[(INFORMATION_S + 1, "1")], hangs_up_at_s=INFORMATION_S + 1.5)
    await conversation(service, caller)

    assert only_decision(service).outcome is Outcome.GIVEN
    assert [awaited.channel for awaited in service.recorder.expected] == [CHANNEL]


@in_virtual_time
async def test_an_entry_that_cannot_be_written_lets_the_call_go_unrecorded() -> None:
    service = Service()
    service.ledger.failures = -1
    channel = await conversation(service, Caller(digits=[(INFORMATION_S + 1, "1")]))

    assert channel.extensions == ["out*failed*nl"]
    assert service.recorder.doubts == 1
    assert service.switchboard.outcomes == {"unwritten": 1}


@in_virtual_time
async def test_an_unexpected_error_of_the_ledger_lets_the_call_go_too() -> None:
    service = Service()
    service.ledger.bug = ZeroDivisionError()
    channel = await conversation(service, Caller(digits=[(1, "2")]))

    assert channel.extensions == ["out*failed*nl"]


@in_virtual_time
async def test_a_start_that_asterisk_refuses_ends_the_recording() -> None:
    service = Service()
    caller = Caller(digits=[(INFORMATION_S + 1, "1")])
    caller.faults["extension 0"] = PbxRefusedError("Asterisk does not know the extension")
    channel = await conversation(service, caller)

    assert channel.extensions == [service.recorded_at, "out*failed*nl"]
    assert [recording for recording, _ in service.recorder.unstarted] == [service.recording_id]


@pytest.mark.parametrize(("digit", "unstarted"), [("1", 1), ("2", 0)])
def test_a_caller_does_not_wait_for_an_entry_that_is_late_and_nothing_is_recorded(
    digit: str, unstarted: int
) -> None:
    @in_virtual_time
    async def check() -> None:
        service = Service()
        service.ledger.delay_s = 10
        channel = await conversation(service, Caller(digits=[(INFORMATION_S + 1, digit)]))

        assert channel.extensions == ["out*failed*nl"]
        assert channel.went_on_after_s == pytest.approx(INFORMATION_S + 1 + COMMIT_TIMEOUT_S)
        assert len(service.ledger.decisions()) == 1
        assert len(service.recorder.unstarted) == unstarted

    check()


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (PbxUnavailableError("the AGI connection was lost"), Outcome.ABANDONED),
        (PbxRefusedError("520 invalid command"), Outcome.ABORTED),
        (PbxProtocolError("not a reply"), Outcome.ABORTED),
    ],
)
@pytest.mark.parametrize("where", ["TIMEOUT", "wait"])
def test_a_peer_that_does_not_do_as_it_is_told_is_entered_as_what_happened(
    where: str, fault: PbxUnavailableError, outcome: Outcome
) -> None:
    @in_virtual_time
    async def check() -> None:
        service = Service()
        channel = await conversation(service, Caller(faults={where: fault}))
        decision = only_decision(service)
        assert decision.outcome is outcome
        assert channel.extensions == []

    check()


@in_virtual_time
async def test_an_error_inside_is_entered_and_lets_the_call_go_unrecorded() -> None:
    service = Service()
    channel = await conversation(service, Caller(bug=ZeroDivisionError()))
    assert channel.extensions == ["out*failed*nl"]

    decision = only_decision(service)
    assert (decision.outcome, decision.reason) == (Outcome.FAILED, "an error of the service")


@in_virtual_time
async def test_a_stop_lets_a_call_that_is_being_asked_go_at_once_and_enters_it() -> None:
    service = Service()
    service.ledger.delay_s = 1
    channel = FakeAgiChannel(Caller(), agi_request())
    asking = asyncio.create_task(desk_of(service).handle(channel))
    await asyncio.sleep(3)
    asking.cancel()
    await asyncio.wait([asking])

    assert (channel.extensions, channel.went_on_after_s) == (["out*failed*nl"], 3)
    decision = only_decision(service)
    assert (decision.outcome, decision.reason) == (Outcome.FAILED, "the service was stopped")


@in_virtual_time
async def test_a_stop_lets_an_entry_on_its_way_be_written_and_its_recording_be_ended() -> None:
    service = Service()
    service.ledger.delay_s = 1
    asking = asyncio.create_task(conversation(service, Caller(digits=[(INFORMATION_S + 1, "1")])))
    await asyncio.sleep(INFORMATION_S + 1.5)
    asking.cancel()
    await asyncio.wait([asking])

    assert service.ledger.kinds() == [Kind.DECISION_GIVEN]
    assert service.recorder.unstarted == [(service.recording_id, "the service was stopped")]


@in_virtual_time
async def test_a_stop_after_a_refusal_adds_nothing() -> None:
    service = Service()
    service.ledger.delay_s = 1
    asking = asyncio.create_task(conversation(service, Caller(digits=[(1, "2")])))
    await asyncio.sleep(1.5)
    asking.cancel()
    await asyncio.wait([asking])
    await settle()

    assert service.ledger.kinds() == [Kind.DECISION_REFUSED]
    assert service.recorder.unstarted == []


@in_virtual_time
async def test_a_storm_of_digits_counts_once() -> None:
    service = Service()
    digits = [(0.01 * step, "AB4*"[step % 4]) for step in range(1400)]
    channel = await conversation(service, Caller(digits=[*digits, (INFORMATION_S + 0.5, "1")]))

    assert channel.extensions == [service.recorded_at]
    assert len(only_decision(service).course) <= 64
