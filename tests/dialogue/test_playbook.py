"""The playbook itself: it must fail where the conversation is not what was written."""

import pytest

from asterisk_consent.dialogue.commands import PlayPrompt, SetTimer
from asterisk_consent.dialogue.events import CallArrived, DigitReceived, EntryCommitted, Part, Timer
from asterisk_consent.dialogue.script import State
from asterisk_consent.errors import DialogueError
from tests.dialogue.playbook import Playbook

OVERALL = SetTimer(Timer.OVERALL, 90.0)
ANNOUNCEMENT = PlayPrompt(1, (Part.INFORMATION, Part.QUESTION), "nl")


def test_a_playbook_that_tells_every_command_holds() -> None:
    playbook = Playbook() >> CallArrived("nl") << OVERALL << ANNOUNCEMENT

    assert playbook
    assert playbook.state is State.INFORMING


def test_another_command_than_the_one_told_fails() -> None:
    with pytest.raises(AssertionError, match=r"expected << .*PlayPrompt"):
        assert Playbook() >> CallArrived("nl") << ANNOUNCEMENT


def test_a_command_told_that_does_not_come_fails() -> None:
    with pytest.raises(AssertionError, match="found << None"):
        assert Playbook() >> CallArrived("nl") << OVERALL << ANNOUNCEMENT << OVERALL


def test_a_command_that_was_not_told_before_the_next_event_fails() -> None:
    with pytest.raises(AssertionError, match=r"before >> DigitReceived.* nobody expected\n<< PlayPrompt"):
        assert Playbook() >> CallArrived("nl") << OVERALL >> DigitReceived("1")


def test_a_command_that_was_not_told_at_the_end_fails() -> None:
    with pytest.raises(AssertionError, match=r"at the end nobody expected\n<< PlayPrompt"):
        assert Playbook() >> CallArrived("nl") << OVERALL


def test_the_complaint_tells_the_course_so_far() -> None:
    with pytest.raises(AssertionError, match=r">> CallArrived\(language='nl'\)\n<< SetTimer"):
        assert Playbook() >> CallArrived("nl") << OVERALL << OVERALL


def test_an_unlisted_event_raises_as_in_the_dialogue() -> None:
    with pytest.raises(DialogueError):
        Playbook() >> EntryCommitted()
