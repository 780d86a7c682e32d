"""What callers of the other policies do: listen to a notice, choose a language, object, try to refuse.

Rule: as in ``scripts``; here the digits that decide nothing leave the caller's tone as it is.
"""

from tests.pbx.scenarios.exchange import Caller
from tests.pbx.scenarios.scripts import Script, say_nothing, talk

CHOOSES_AFTER_S = 2.0
REFUSES_AFTER_S = 4.0
NOTICE_DIGITS = "1290*#"
"""None of them means anything during a notice."""


async def press_during_the_notice(caller: Caller) -> None:
    """Digits that decide elsewhere."""
    await caller.wait(3.0)
    for digit in NOTICE_DIGITS:
        await caller.call.digit(digit)
    await say_nothing(caller)


async def object_in_menu(caller: Caller) -> None:
    """The objection while the languages are named."""
    await caller.wait(CHOOSES_AFTER_S)
    await caller.press("9")
    await talk(caller)


async def press_wrong_digit_in_menu(caller: Caller) -> None:
    """A digit that is no language, and none after it."""
    await caller.wait(CHOOSES_AFTER_S)
    await caller.call.digit("6")
    await say_nothing(caller)


async def try_to_refuse(caller: Caller) -> None:
    """The refusal where the law demands the recording, once while everything is explained and once more."""
    await caller.wait(REFUSES_AFTER_S)
    caller.pressed_at = await caller.call.digit("9")
    await caller.wait(REFUSES_AFTER_S + caller.announcement.part_s("no_refusal") + REFUSES_AFTER_S)
    await caller.call.digit("9")
    await say_nothing(caller)


async def leave_at_once(caller: Caller) -> None:
    """Reach the agent, and no more."""
    await caller.reach_agent()
    await caller.hang_up()


def choose(digit: str, then: Script, *, after_s: float = CHOOSES_AFTER_S) -> Script:
    """Choose a language in the menu, then do something."""

    async def script(caller: Caller) -> None:
        await caller.wait(after_s)
        await caller.choose_language(digit)
        await then(caller)

    return script


async def object_in_information(caller: Caller) -> None:
    """The objection while the caller is informed."""
    await caller.wait_in_information(5.0)
    await caller.press("9")
    await talk(caller)


async def object_in_question(caller: Caller) -> None:
    """The objection while it is asked for."""
    await caller.wait_for_question()
    await caller.press("9")
    await talk(caller)


async def object_after_question(caller: Caller) -> None:
    """The objection in the silence after everything was played."""
    await caller.wait_for_silence()
    await caller.press("9")
    await talk(caller)


async def press_wrong_digit(caller: Caller) -> None:
    """A digit that means nothing once the language is chosen, and none after it."""
    await caller.wait_for_question()
    await caller.call.digit("7")
    await say_nothing(caller)


async def hang_up_in_chosen_language(caller: Caller) -> None:
    """Gone while the information plays."""
    await caller.wait_in_information(4.0)
    await caller.hang_up()
