"""What each caller of the main round does, by name: one round of calls, placed at the same time.

Rule: a script only behaves; what must come of it is said in the tests. Every call goes on to the agent unless
the caller hangs up first, so each script that stays also hears the agent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.pbx.scenarios.exchange import AGENT_HZ, CALLER_HZ, Caller

TALK_S = 6.0
TURN_S = 0.2
STRANGER_HZ = 700
UNCOVERED_S = 2.0
"""Nothing that the decision does not cover may be recorded for longer."""

Script = Callable[[Caller], Awaitable[None]]


async def agree_in_question(caller: Caller) -> None:
    """The usual case: the digit while the question is read."""
    await caller.wait_for_question()
    await caller.press("1")
    await talk(caller)


async def agree_after_question(caller: Caller) -> None:
    """The digit after everything was played."""
    await caller.wait_for_silence()
    await caller.press("1")
    await talk(caller)


async def agree_and_queue(caller: Caller) -> None:
    """Agree, then wait 8 s with music."""
    await caller.wait_for_question()
    await caller.press("1")
    await talk(caller, agent_within_s=14.0)


async def agree_and_leave_queue(caller: Caller) -> None:
    """Agree, then give up while the music plays."""
    await caller.wait_for_question()
    await caller.press("1")
    await asyncio.sleep(3.0)
    await caller.hang_up()


async def refuse_in_information(caller: Caller) -> None:
    """A refusal works at any moment."""
    await caller.wait(6.0)
    await caller.press("2")
    await talk(caller)


async def refuse_after_question(caller: Caller) -> None:
    """The refusal digit in the silence."""
    await caller.wait_for_silence()
    await caller.press("2")
    await talk(caller)


async def say_nothing(caller: Caller) -> None:
    """No digit at all, however often the question comes."""
    await talk(caller, agent_within_s=60.0)


async def press_wrong_digits(caller: Caller) -> None:
    """Digits that mean nothing, as often as the question is asked."""
    await caller.wait_for_question()
    await caller.press("7")
    await asyncio.sleep(3.0)
    await caller.press("9")
    await talk(caller)


async def agree_too_early(caller: Caller) -> None:
    """The digit of agreement before the information was played out, and none after it."""
    await caller.wait(5.0)
    await caller.press("1")
    await talk(caller, agent_within_s=60.0)


async def agree_early_and_again(caller: Caller) -> None:
    """Too early, then once more when it counts."""
    await caller.wait(5.0)
    await caller.press("1")
    await agree_in_question(caller)


async def repeat_then_agree(caller: Caller) -> None:
    """Hear everything twice."""
    await caller.wait_for_question()
    await caller.press("3")
    await caller.wait(2 * caller.announcement.information_s + 4.0)
    await caller.press("1")
    await talk(caller)


async def press_many_digits(caller: Caller) -> None:
    """A storm: the first that is a choice decides."""
    await caller.wait_for_question()
    for digit in "12112":
        await caller.call.digit(digit, duration_ms=60)
    await talk(caller)


async def hang_up_in_information(caller: Caller) -> None:
    """Gone while the announcement plays."""
    await caller.wait(4.0)
    await caller.hang_up()


async def talk_at_once(caller: Caller) -> None:
    """Nothing is asked: the agent comes at once."""
    await talk(caller)


async def talk(caller: Caller, *, agent_within_s: float = 6.0) -> None:
    """Reach the agent, be heard by it, stay a while, hang up."""
    agent = await caller.reach_agent(within_s=agent_within_s)
    await agent.heard(CALLER_HZ, within_s=3.0, since=agent.answered_at)
    await asyncio.sleep(TALK_S / 2)
    await caller.look_for_recorders()
    await asyncio.sleep(TALK_S / 2)
    await caller.wait(caller.stays_s)
    await caller.hang_up()


def hang_up_with_digit(delay_s: float) -> Script:
    """Press the digit of agreement and be gone so soon after it."""

    async def script(caller: Caller) -> None:
        await caller.wait_for_question()
        await caller.press("1")
        await asyncio.sleep(delay_s)
        await caller.hang_up()

    return script


def answer_in_turn(turn: int, digit: str) -> Script:
    """Answer while the question is read, each turn a little later, and leave when the agent is there."""

    async def script(caller: Caller) -> None:
        await caller.wait_for_question(1.0 + turn * TURN_S)
        await caller.press(digit)
        await caller.reach_agent()
        await caller.hang_up()

    return script


async def be_replaced(caller: Caller) -> None:
    """Agree, wait in the queue, and put somebody from another call there in one's place."""
    await caller.wait_for_question()
    await caller.press("1")
    consulting = await caller.exchange.connect("112")
    stranger = await consulting.reach_agent()
    stranger.tone(STRANGER_HZ)
    accepted = await consulting.call.refer(caller.call.dialog.target, replaces=caller.call)
    assert accepted.status == 202
    await asyncio.wait_for(caller.call.ended.wait(), 5.0)
    await stranger.heard(AGENT_HZ, within_s=12.0, since=time.monotonic())
    await asyncio.sleep(2 * UNCOVERED_S)
    await stranger.hangup()


async def be_joined(caller: Caller) -> None:
    """Agree and talk, until a third person joins; only that one speaks then."""
    await caller.wait_for_question()
    await caller.press("1")
    agent = await caller.reach_agent()
    await asyncio.sleep(3.0)
    console = caller.exchange.pbx.asterisk.console
    await asyncio.to_thread(console, f"dialplan set global JOINED {caller.channel_name}")
    joining = await caller.exchange.connect("1210")
    caller.joined_at = joining.call.answered_at
    caller.call.quiet()
    joining.call.tone(STRANGER_HZ)
    await agent.heard(STRANGER_HZ, within_s=5.0, since=time.monotonic())
    await asyncio.sleep(2 * UNCOVERED_S)
    await asyncio.gather(joining.hang_up(), caller.hang_up())


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One caller of a round.

    :param starts_s: how long after the round's beginning the call is placed.
    :param stays_s: how long after the answer the call lasts at least.
    """

    script: Script
    dialled: str = "1001"
    name: str | bytes = ""
    number: str = ""
    privacy: bool = False
    starts_s: float = 0.0
    stays_s: float = 0.0
