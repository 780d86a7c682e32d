"""One call where something fails: the caller goes on unrecorded, and what happened is entered."""

import asyncio

import pytest

from asterisk_consent.calls.held import MAX_PLAYS
from asterisk_consent.dialogue.machine import COMMIT_TIMEOUT_S
from asterisk_consent.errors import ConfigError
from asterisk_consent.model import Outcome
from asterisk_consent.policy import parse_policy
from tests.calls import virtual_time
from tests.calls.asterisk import (
    CHANNEL,
    INFORMATION_MS,
    QUESTION_MS,
    UNAVAILABLE,
    refusal,
    waiting_channel,
)
from tests.calls.one_call import INFORMATION_S, TIMEOUT, answered, asked, only_decision
from tests.calls.service import Service, settle
from tests.calls.virtual_time import EPOCH_S, in_virtual_time
from tests.policy.example import EXAMPLE


@in_virtual_time
async def test_an_entry_that_cannot_be_written_lets_the_call_go_unrecorded() -> None:
    service = Service()
    service.ledger.failures = -1
    service.asterisk.arrive(waiting_channel())
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await service.finish()

    assert service.continued == ["out*failed*nl"]
    assert service.recorder.expected == []
    assert service.switchboard.outcomes == {"unwritten": 1}


@in_virtual_time
async def test_a_refusal_that_cannot_be_written_is_entered_later_and_an_agreement_never() -> None:
    for digit, later in (("2", [Outcome.REFUSED]), ("1", [])):
        service = Service()
        service.ledger.failures = -1
        service.asterisk.arrive(waiting_channel())
        await asyncio.sleep(INFORMATION_S + 1)
        service.asterisk.press(digit)
        await service.finish()
        assert [entry.payload.outcome for entry in service.recorder.later] == later  # type: ignore[union-attr]  # decisions only


@in_virtual_time
async def test_an_entry_of_which_nothing_is_known_lets_the_call_go_and_is_looked_for() -> None:
    service = await asked()
    service.ledger.unanswered = 1
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await service.finish()

    assert service.continued == ["out*failed*nl"]
    assert service.recorder.doubts == 1


@in_virtual_time
async def test_an_entry_that_takes_too_long_lets_the_call_go_and_its_recording_is_never_started() -> None:
    service = await answered("1", delay_s=COMMIT_TIMEOUT_S + 1)

    await asyncio.sleep(COMMIT_TIMEOUT_S + 0.1)
    assert service.continued == ["out*failed*nl"]
    assert service.recorder.expected == []

    await service.finish()
    assert service.continued == ["out*failed*nl"]
    assert service.recorder.unstarted == [
        (service.recording_id, "the call had gone before the entry was on disk")
    ]


@in_virtual_time
async def test_a_hang_up_in_the_announcement_is_entered_once() -> None:
    service = await asked()
    await asyncio.sleep(3)
    service.asterisk.hang_up()
    await service.finish()

    decision = only_decision(service)
    assert (decision.outcome, decision.digit, decision.caller) == (Outcome.ABANDONED, "", None)
    assert decision.played_ms == pytest.approx(3000, abs=10)
    assert service.continued == []


@in_virtual_time
async def test_a_hang_up_with_the_digit_starts_nothing() -> None:
    service = await answered("1", delay_s=0.5)
    service.asterisk.hang_up()
    await service.finish()

    assert only_decision(service).outcome is Outcome.GIVEN
    assert service.continued == []
    assert [recording for recording, _ in service.recorder.unstarted] == [service.recording_id]


@in_virtual_time
async def test_a_hang_up_between_the_commit_and_the_start_ends_the_recording() -> None:
    service = await answered("1", delay_s=0.5)
    service.asterisk.faults["continue"] = refusal(404)
    await service.finish()

    assert service.recorder.unstarted == [(service.recording_id, "the call had left or ended (404)")]
    assert service.continued == [service.recorded_at, "out*failed*nl"]


@in_virtual_time
async def test_the_escape_time_out_is_entered_as_an_unanswered_call() -> None:
    service = await asked()
    await asyncio.sleep(3)
    service.asterisk.escape()
    await service.finish()

    assert only_decision(service).outcome is Outcome.FAILED
    assert service.continued == []


@in_virtual_time
async def test_a_start_that_asterisk_does_not_answer_is_not_repeated_blindly() -> None:
    service = await answered("1", delay_s=0.1)
    service.asterisk.faults["continue"] = UNAVAILABLE
    await asyncio.sleep(60)
    assert service.continued == [service.recorded_at]

    service.asterisk.leave(CHANNEL)
    await service.finish()
    assert service.recorder.unstarted == []


@in_virtual_time
async def test_a_start_that_was_not_answered_is_asked_for_again_when_the_call_still_waits() -> None:
    service = await answered("1", delay_s=0.1)
    service.asterisk.faults["continue"] = UNAVAILABLE
    await asyncio.sleep(1)
    service.asterisk.faults.clear()

    await service.switchboard.connected()
    await service.finish()

    assert service.continued == [service.recorded_at] * 2
    assert service.recorder.unstarted == []


@in_virtual_time
async def test_a_start_that_was_carried_out_unanswered_is_never_entered_as_not_started() -> None:
    service = await answered("1", delay_s=0.1)
    service.asterisk.connected = False
    service.asterisk.keep_answer("continue", 2.0, UNAVAILABLE)
    waiting = service.asterisk.channels[CHANNEL]
    await asyncio.sleep(3)
    service.asterisk.channels[CHANNEL] = waiting
    service.asterisk.faults["continue"] = refusal(409)

    await service.switchboard.connected()
    await service.finish()

    assert service.continued == [service.recorded_at] * 2
    assert service.recorder.unstarted == []


@in_virtual_time
async def test_an_announcement_that_asterisk_does_not_take_lets_the_call_go() -> None:
    for fault in (UNAVAILABLE, refusal(404)):
        service = Service()
        service.asterisk.faults["play"] = fault
        service.asterisk.arrive(waiting_channel())
        await service.finish()

        assert service.continued == ["out*failed*nl"]
        assert only_decision(service).outcome is Outcome.FAILED


@in_virtual_time
async def test_nothing_is_played_when_the_escape_time_out_cannot_be_set() -> None:
    service = Service()
    service.asterisk.faults["TIMEOUT"] = UNAVAILABLE
    service.asterisk.arrive(waiting_channel())
    await service.finish()

    assert not [words for words in service.asterisk.story if words.startswith("play")]
    assert service.continued == ["out*failed*nl"]


@in_virtual_time
async def test_a_playback_that_cannot_be_stopped_does_not_keep_the_call() -> None:
    service = await asked()
    service.asterisk.faults["stop"] = UNAVAILABLE
    await asyncio.sleep(1)
    service.asterisk.playbacks.clear()
    service.asterisk.press("2")
    await service.finish()

    assert service.continued == ["out*refused*nl"]


@pytest.mark.parametrize("digit", "12")
def test_a_call_does_not_continue_before_its_playback_is_known_to_be_deleted(digit: str) -> None:
    @in_virtual_time
    async def check() -> None:
        service = await asked()
        service.asterisk.keep_answer("stop", 0.5)
        await asyncio.sleep(INFORMATION_S + 1)
        service.asterisk.press(digit)
        await asyncio.sleep(0.4)
        assert len(service.ledger.entries) == 1
        assert service.continued == []

        await service.finish()
        assert len(service.continued) == 1

    check()


@in_virtual_time
async def test_a_release_that_nobody_answers_is_sent_once_more_and_then_left_to_the_escape_time_out() -> None:
    service = await asked()
    service.asterisk.faults["continue"] = UNAVAILABLE
    service.asterisk.press("2")
    await service.finish()

    assert service.continued == ["out*refused*nl", "out*refused*nl"]
    assert only_decision(service).outcome is Outcome.REFUSED


@in_virtual_time
async def test_an_error_inside_lets_the_call_go_and_is_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    service = await asked()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("asterisk_consent.calls.session.step", fail)
    service.asterisk.press("9")
    await service.finish()

    assert service.asterisk.story[-2:] == ["stop", "continue out*failed*nl"]
    assert only_decision(service).reason == "an error of the service"


@in_virtual_time
async def test_an_error_after_the_decision_lets_the_call_go_and_adds_no_second_decision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = await answered("1", delay_s=1)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("asterisk_consent.calls.session.step", fail)
    service.asterisk.press("9")
    await settle()
    assert service.continued == ["out*failed*nl"]

    await service.finish()
    assert only_decision(service).outcome is Outcome.GIVEN
    assert [awaited.recording_id for awaited in service.recorder.expected] == [service.recording_id]


@in_virtual_time
async def test_an_unexpected_error_of_the_ledger_ends_the_waiting_too() -> None:
    service = await asked()
    service.ledger.bug = ZeroDivisionError()
    service.asterisk.press("2")
    await service.finish()

    assert service.continued == ["out*failed*nl"]
    assert service.recorder.doubts == 1


@in_virtual_time
async def test_a_limit_of_the_administrators_is_never_exceeded() -> None:
    service = await asked(limit="10")
    assert service.asterisk.story[0] == "TIMEOUT(absolute)=10.000"

    service.asterisk.lengths_ms = {"information": INFORMATION_MS, "question": QUESTION_MS}
    await asyncio.sleep(9.95)
    await service.switchboard.connected()
    await settle()
    assert service.asterisk.story[-2] == "TIMEOUT(absolute)=0.050"


@in_virtual_time
async def test_a_limit_that_is_far_away_does_not_matter() -> None:
    service = await asked(limit="3600")

    assert service.asterisk.story[0] == TIMEOUT


@in_virtual_time
async def test_a_clock_that_jumps_ten_years_changes_no_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    service = await asked(limit="3600")
    monkeypatch.setattr(virtual_time, "EPOCH_S", EPOCH_S + 315_360_000)
    await service.switchboard.connected()
    await asyncio.sleep(2)
    service.asterisk.press("2")
    await service.finish()

    assert service.asterisk.story.count(TIMEOUT) == 2
    assert max(moment.at_ms for moment in only_decision(service).course) < 3_000


@in_virtual_time
async def test_a_storm_of_digits_counts_once_and_leaves_a_bounded_course() -> None:
    service = await asked()
    for _ in range(50):
        for digit in "AB4":
            service.asterisk.press(digit)
    await asyncio.sleep(INFORMATION_S + 1)
    for digit in "1212AD":
        service.asterisk.press(digit)
    await service.finish()

    assert service.continued == [service.recorded_at]
    decision = only_decision(service)
    assert decision.outcome is Outcome.GIVEN
    assert len(decision.course) <= 64


def test_no_policy_makes_more_playbacks_than_an_earlier_run_can_be_silenced_of() -> None:
    most = EXAMPLE.replace("attempts = 3", "attempts = 5").replace("repeats = 1", "repeats = 5")
    timing = parse_policy(most, file="p.toml").timing
    menu, explained, restored, receipt = timing.attempts, 1, 2, 1

    assert menu + timing.attempts + timing.repeats + explained + restored + receipt <= MAX_PLAYS
    with pytest.raises(ConfigError):
        parse_policy(most.replace("attempts = 5", "attempts = 6"), file="p.toml")
    with pytest.raises(ConfigError):
        parse_policy(most.replace("repeats = 5", "repeats = 6"), file="p.toml")
