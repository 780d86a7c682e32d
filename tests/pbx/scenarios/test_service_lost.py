"""A service that goes during a call: the caller reaches the agent in time, and nothing is left without an end."""

import asyncio
import time

from asterisk_consent.ledger import Kind
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Announcement, list_files, read_entries, wait_for_ends
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.scenarios.test_service_away import ASKED, notes_entered
from tests.pbx.service import Service

HELD_S = 10.0
"""Longer than its announcement no call is held by a service that stopped answering, but for this."""
HELD_LATER_S = 3.0
"""After the others, who have agreed and talk when the service is killed in the middle of these calls' question."""


async def reach_agent_in_time(caller: Caller, announcement: Announcement) -> None:
    """Assert that the caller gets out of the announcement within the limit."""
    limit_s = announcement.whole_s + HELD_S
    await caller.reach_agent(within_s=limit_s)
    assert caller.rang_at - caller.call.answered_at <= limit_s
    await asyncio.sleep(1.0)
    await caller.hang_up()


def test_a_stopped_service_releases_the_calls_in_the_announcement_at_once(
    pbx: DevelopmentPbx, service: Service
) -> None:
    async def scenario() -> list[Caller]:
        async with Exchange(pbx) as exchange:
            callers = await asyncio.gather(*(exchange.connect(dialled) for dialled in ASKED))
            await callers[0].wait(4.0)
            await asyncio.to_thread(service.stop)
            await asyncio.gather(*(caller.reach_agent(within_s=1.0) for caller in callers))
            await asyncio.gather(*(caller.hang_up() for caller in callers))
            return callers

    callers = asyncio.run(scenario())
    entries = read_entries(pbx.settings)
    decisions = [entries.decision(caller.channel) for caller in callers]
    assert [(decision.outcome, decision.reason) for decision in decisions] == [
        (Outcome.FAILED, "the service was stopped")
    ] * len(ASKED)


def test_a_service_that_freezes_holds_nobody_longer_than_announcement_and_ten_seconds(
    pbx: DevelopmentPbx, service: Service
) -> None:
    async def scenario() -> list[Caller]:
        async with Exchange(pbx) as exchange:
            numbers = (*ASKED, "1001")
            callers = await asyncio.gather(*(exchange.connect(dialled) for dialled in numbers))
            silent, _, agreeing = callers
            await silent.wait(5.0)
            service.freeze()
            await agreeing.wait_for_question()
            await agreeing.press("1")
            await asyncio.gather(*(reach_agent_in_time(caller, exchange.announcement) for caller in callers))
            return callers

    *silent, agreeing = asyncio.run(scenario())
    service.thaw()
    wait_for_ends(pbx.settings)
    entered = notes_entered(pbx, [caller.channel for caller in silent])
    assert [decision.outcome for decision in entered] == [Outcome.FAILED] * len(ASKED)
    late = notes_entered(pbx, [agreeing.channel])
    assert len(late) == 1
    ends = read_entries(pbx.settings).ends(late[0].recording_id)
    assert late[0].outcome is Outcome.FAILED or ends[0][0] is Kind.RECORDING_NOT_STARTED


def test_a_service_that_is_killed_and_comes_back_leaves_nothing_without_an_end(
    pbx: DevelopmentPbx, service: Service
) -> None:
    """Killed twice: with calls in conversation and in the announcement; then with one that is asked again."""

    async def scenario() -> tuple[list[Caller], list[Caller]]:
        async with Exchange(pbx) as exchange:
            staying, leaving = await asyncio.gather(exchange.connect("1001"), exchange.connect("1001"))
            await staying.wait(HELD_LATER_S)
            held = await asyncio.gather(*(exchange.connect(dialled) for dialled in ASKED))
            await staying.wait_for_question()
            await asyncio.gather(staying.press("1"), leaving.press("1"))
            await asyncio.gather(staying.reach_agent(), leaving.reach_agent())
            await asyncio.sleep(2.0)
            await asyncio.to_thread(service.kill)
            await asyncio.sleep(1.0)
            await leaving.hang_up()
            await asyncio.gather(*(reach_agent_in_time(caller, exchange.announcement) for caller in held))
            await asyncio.to_thread(service.start)
            asked_again = await exchange.connect("1001")
            await asyncio.sleep(2.0)
            await asyncio.to_thread(service.kill)
            await asyncio.to_thread(service.start)
            back_at_s = time.monotonic() - asked_again.call.answered_at
            await staying.hang_up()
            await asked_again.wait(back_at_s + exchange.announcement.information_s + 2.0)
            await asked_again.press("1")
            await asked_again.reach_agent()
            await asyncio.sleep(2.0)
            await asked_again.hang_up()
            return [staying, leaving, asked_again], held

    agreed, held = asyncio.run(scenario())
    wait_for_ends(pbx.settings)
    entered = notes_entered(pbx, [caller.channel for caller in held])
    assert [decision.outcome for decision in entered] == [Outcome.FAILED] * len(ASKED)
    entries = read_entries(pbx.settings)
    for caller in agreed:
        decision = entries.decision(caller.channel)
        assert decision.outcome is Outcome.GIVEN
        kind, recording = entries.end(decision.recording_id)
        assert kind is Kind.RECORDING_VERIFIED
        assert f"{recording.recording_id}.flac.age" in list_files(pbx.settings.data / "vault")
