"""One call from its arrival to its way on: what is asked of Asterisk and of the ledger, in which order."""

import asyncio

import pytest

from asterisk_consent.calls.ways_out import ESCAPE_MARGIN_S
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.model import Outcome
from tests.calls.asterisk import (
    CHANNEL,
    INFORMATION_MS,
    waiting_channel,
)
from tests.calls.one_call import INFORMATION_S, QUESTION_S, TIMEOUT, answered, asked, only_decision
from tests.calls.service import POLICY, PROMPTS, Service
from tests.calls.virtual_time import in_virtual_time


@in_virtual_time
async def test_the_escape_time_out_is_set_before_anything_is_played() -> None:
    service = await asked()

    assert service.asterisk.story == [TIMEOUT, "play information+question"]


@in_virtual_time
async def test_an_agreement_is_committed_before_its_recording_starts_and_the_playback_is_deleted_first() -> (
    None
):
    service = await answered("1", delay_s=0.5)
    assert service.asterisk.story[2:] == ["stop"]
    assert service.recorder.expected == []

    await service.finish()

    assert service.asterisk.story[2:] == ["stop", f"continue {service.recorded_at}"]
    assert service.ledger.kinds() == [Kind.DECISION_GIVEN]
    assert service.recorder.unstarted == []
    assert service.switchboard.outcomes == {"given": 1}


@in_virtual_time
async def test_the_entry_of_an_agreement_tells_what_was_agreed_to() -> None:
    service = await answered("1")
    await service.finish()

    (entry,) = service.ledger.entries
    decision = only_decision(service)
    assert (entry.stream, entry.policy, entry.policy_version) == ("voorbeeld", "p1-nl", 3)
    assert (entry.language, entry.announcement) == ("nl", PROMPTS.digest)
    assert (decision.outcome, decision.digit, decision.dialled) == (Outcome.GIVEN, "1", "1001")
    assert (decision.caller, decision.caller_name) == ("+442079460123", "Anna Voorbeeld")
    assert (decision.channel, decision.purposes) == (CHANNEL, ("training", "evidence"))
    assert decision.recording_id == service.recording_id
    assert decision.information_ms == INFORMATION_MS
    assert decision.played_ms == pytest.approx(INFORMATION_MS + 1000, abs=10)
    assert ("digit", "1") in [(moment.what, moment.detail) for moment in decision.course]
    (awaited,) = service.recorder.expected
    assert (awaited.call_id, awaited.controller, awaited.channel) == (entry.call_id, "voorbeeld", CHANNEL)


@in_virtual_time
async def test_a_refusal_goes_the_same_way_and_keeps_nobody() -> None:
    service = await answered("2")
    await service.finish()

    assert service.asterisk.story[2:] == ["stop", "continue out*refused*nl"]
    decision = only_decision(service)
    assert (decision.outcome, decision.digit, decision.recording_id) == (Outcome.REFUSED, "2", None)
    assert (decision.caller, decision.caller_name, decision.purposes) == (None, None, ())
    assert service.recorder.expected == []


@in_virtual_time
async def test_a_refusal_is_taken_at_once_while_the_information_is_played() -> None:
    service = await answered("2", after_s=1)
    await service.finish()

    assert service.continued == ["out*refused*nl"]
    assert only_decision(service).played_ms == pytest.approx(1000, abs=10)


@in_virtual_time
async def test_silence_is_asked_about_as_often_as_the_policy_says_and_then_the_call_goes_on() -> None:
    service = await asked()
    await service.finish()

    assert [words for words in service.asterisk.story if words.startswith("play")] == [
        "play information+question",
        "play question",
        "play question",
    ]
    assert service.continued == ["out*no_choice*nl"]
    assert only_decision(service).outcome is Outcome.NO_CHOICE


@in_virtual_time
async def test_the_escape_time_out_is_renewed_with_every_question() -> None:
    service = await asked()
    await service.finish()

    again_s = QUESTION_S + POLICY.timing.first_digit_s + ESCAPE_MARGIN_S
    assert service.asterisk.story.count(f"TIMEOUT(absolute)={again_s:.3f}") == 2


@in_virtual_time
async def test_an_agreement_before_the_information_is_over_does_not_count() -> None:
    service = await answered("1", after_s=INFORMATION_S - 1)
    await service.finish()

    assert only_decision(service).outcome is Outcome.NO_CHOICE
    assert service.recorder.expected == []


@in_virtual_time
async def test_a_truncated_announcement_allows_no_agreement() -> None:
    service = Service()
    service.asterisk.lengths_ms["information"] = 100
    service.asterisk.arrive(waiting_channel())
    await asyncio.sleep(1)
    service.asterisk.press("1")
    await service.finish()

    assert service.continued == ["out*failed*nl"]
    assert only_decision(service).outcome is Outcome.FAILED


@in_virtual_time
async def test_a_call_without_a_known_policy_goes_on_at_once_and_is_entered() -> None:
    service = await asked("p9")
    await service.finish()

    assert service.asterisk.story == ["continue out*failed*"]
    (entry,) = service.ledger.entries
    assert (entry.stream, entry.policy, only_decision(service).reason) == ("system", "p9", "unknown policy")


@in_virtual_time
async def test_a_call_whose_announcement_is_missing_goes_on_at_once_and_is_entered() -> None:
    service = await asked("p1-mute")
    await service.finish()

    assert service.asterisk.story == ["continue out*failed*"]
    assert only_decision(service).reason == "no announcement"


@in_virtual_time
async def test_a_withheld_number_is_in_no_entry() -> None:
    service = await asked(presentation="prohib_not_screened")
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await service.finish()

    decision = only_decision(service)
    assert (decision.outcome, decision.withheld, decision.caller) == (Outcome.GIVEN, True, None)
    assert "2079460123" not in repr(service.ledger.entries)
