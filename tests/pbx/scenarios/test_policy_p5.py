"""Opt-out with a menu of languages: recorded is who heard everything in a chosen language and never pressed 9."""

from itertools import pairwise

import pytest

from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Announcement
from tests.pbx.scenarios.exchange import MENU
from tests.pbx.scenarios.policy_round import PolicyRound
from tests.pbx.scenarios.proof import (
    FOLLOWS_S,
    assert_holds_the_conversation_only,
    assert_nothing_is_kept,
    assert_reached_the_agent_unrecorded,
    assert_recorded,
    assert_the_entry_names_what_was_heard,
    heard,
)
from tests.pbx.scenarios.round import Played
from tests.pbx.spoken import spoken

STAYED = {
    **{f"p5 {language}, stayed": language for language in MENU.values()},
    "p5 over FastAGI, stayed": "fr",
}
OBJECTED = {
    "p5, objected in menu": "",
    "p5, objected in information": "nl",
    "p5, objected in question": "fr",
    "p5, objected in silence": "de",
    "p5 over FastAGI, objected": "",
}
UNDECIDED = {
    "p5, no language": ("", "no language chosen"),
    "p5, wrong digit in menu": ("", "no language chosen"),
    "p5, wrong digit": ("en", "no digit"),
    "p5 over FastAGI, no language": ("", "no language chosen"),
}
ABANDONED = {"p5, hung up in menu": "", "p5, hung up": "fr"}


def languages(call: Played) -> dict[str, Announcement]:
    """Every language of the menu."""
    return {language: call.caller.exchange.announced("p5-be", language) for language in MENU.values()}


@pytest.mark.parametrize("name", STAYED)
def test_saying_nothing_in_a_chosen_language_is_informed_and_recorded_for_both_purposes(
    policy_calls: PolicyRound, name: str
) -> None:
    call = policy_calls[name]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.INFORMED, "")
    assert (call.header.stream, call.header.policy) == ("voorbeeld-groep", "p5-be")
    assert call.header.language == STAYED[name]
    assert_recorded(call, ["quality", "evidence"])


@pytest.mark.parametrize("name", STAYED)
def test_what_the_entry_names_was_heard_in_full_in_the_chosen_language_and_in_no_other(
    policy_calls: PolicyRound, name: str
) -> None:
    call = policy_calls[name]
    assert_the_entry_names_what_was_heard(call, "information", "question")
    for language, announcement in languages(call).items():
        if language != STAYED[name]:
            assert heard(call, "information", announcement).share < 0.1


@pytest.mark.parametrize("name", STAYED)
def test_the_recording_holds_the_conversation_only(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    assert_holds_the_conversation_only(pbx, policy_calls[name])


@pytest.mark.parametrize("name", OBJECTED)
def test_9_objects_at_any_moment_and_leaves_nothing(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert (call.decision.outcome, call.decision.digit) == (Outcome.OBJECTED, "9")
    assert call.header.language == OBJECTED[name]
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_is_kept(pbx, call)


@pytest.mark.parametrize("name", UNDECIDED)
def test_no_language_and_a_digit_that_means_nothing_are_no_choice_and_leave_nothing(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert call.decision.outcome is Outcome.NO_CHOICE
    assert (call.header.language, call.decision.reason) == UNDECIDED[name]
    assert_reached_the_agent_unrecorded(call)
    assert_nothing_is_kept(pbx, call)


@pytest.mark.parametrize("name", ["p5, no language", "p5 over FastAGI, no language"])
def test_the_languages_are_named_in_the_order_of_the_menu_and_nobody_is_informed_in_one_not_chosen(
    policy_calls: PolicyRound, name: str
) -> None:
    call = policy_calls[name]
    announcements = languages(call)
    menu_s = sum(announcement.part_s("menu") for announcement in announcements.values())
    answered_at = call.caller.call.answered_at
    first_time = call.caller.call.stream.received_in_step.between(
        answered_at - 0.5, answered_at + menu_s + 1.0
    )
    named = [spoken(first_time, announcement.sound("menu")) for announcement in announcements.values()]
    assert [each.share for each in named] == [1.0] * len(MENU)
    for before, after in pairwise(named):
        assert after.began_at == pytest.approx(before.ended_at, abs=FOLLOWS_S)
    shares = [heard(call, "information", announcement).share for announcement in announcements.values()]
    assert max(shares) < 0.1


@pytest.mark.parametrize("name", ABANDONED)
def test_a_hang_up_is_abandoned_and_leaves_nothing(
    policy_calls: PolicyRound, pbx: DevelopmentPbx, name: str
) -> None:
    call = policy_calls[name]
    assert call.decision.outcome is Outcome.ABANDONED
    assert call.header.language == ABANDONED[name]
    assert_nothing_is_kept(pbx, call)
