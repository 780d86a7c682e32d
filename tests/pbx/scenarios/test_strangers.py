"""Somebody who made no decision: put in the caller's place, or beside the caller, that person is not recorded."""

import asyncio
import time

from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import read_entries, wait_for_ends
from tests.pbx.scenarios.exchange import AGENT_HZ, Caller, Exchange
from tests.pbx.scenarios.recorded import from_vault

STRANGER_HZ = 700
STOPPED_WITHIN_S = 2.0
"""Nothing that the decision does not cover may be recorded for longer."""


def test_a_recording_does_not_move_to_a_stranger_in_the_callers_place(pbx: DevelopmentPbx) -> None:
    """The caller agrees, waits in the queue, and is replaced there by somebody from another call."""

    async def scenario() -> Caller:
        async with Exchange(pbx) as exchange:
            waiting = await exchange.connect("1007")
            await waiting.wait_for_question()
            await waiting.press("1")
            consulting = await exchange.connect("112")
            stranger = await consulting.reach_agent()
            stranger.tone(STRANGER_HZ)
            accepted = await consulting.call.refer(pbx.sip_uri("1007"), replaces=waiting.call)
            assert accepted.status == 202
            await asyncio.wait_for(waiting.call.ended.wait(), 5.0)
            await stranger.heard(AGENT_HZ, within_s=12.0, since=time.monotonic())
            await asyncio.sleep(STOPPED_WITHIN_S + 2.0)
            await stranger.hangup()
            return waiting

    replaced = asyncio.run(scenario())
    wait_for_ends(pbx.settings)
    entries = read_entries(pbx.settings)
    _, recording = entries.end(entries.decision(replaced.channel).recording_id)
    assert not recording.sha256 or from_vault(pbx, recording.recording_id).heard_s(STRANGER_HZ) == 0


def test_a_recording_stops_when_somebody_joins(pbx: DevelopmentPbx) -> None:
    async def scenario() -> tuple[Caller, float]:
        async with Exchange(pbx) as exchange:
            talking = await exchange.connect("1001")
            await talking.wait_for_question()
            await talking.press("1")
            agent = await talking.reach_agent()
            await asyncio.sleep(3.0)
            await asyncio.to_thread(
                pbx.asterisk.console, f"dialplan set global JOINED {talking.channel_name}"
            )
            joining = await exchange.connect("1010")
            talking.call.quiet()
            joining.call.tone(STRANGER_HZ)
            await agent.heard(STRANGER_HZ, within_s=5.0, since=time.monotonic())
            await asyncio.sleep(STOPPED_WITHIN_S + 2.0)
            await asyncio.gather(joining.hang_up(), talking.hang_up())
            return talking, joining.call.answered_at - agent.answered_at

    talking, joined_after_s = asyncio.run(scenario())
    wait_for_ends(pbx.settings)
    entries = read_entries(pbx.settings)
    _, recording = entries.end(entries.decision(talking.channel).recording_id)
    assert recording.duration_ms / 1000 <= joined_after_s + STOPPED_WITHIN_S
    assert from_vault(pbx, recording.recording_id).heard_s(STRANGER_HZ) <= STOPPED_WITHIN_S
