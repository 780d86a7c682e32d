"""Calls over FastAGI on the real PBX, all at once: asked, recorded, refused, gone, and the service lost.

The service freezes in the second silence of a caller who chooses no language, once everybody else has decided; it is
killed after the thaw.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk_consent.calls.ways_out import ESCAPE_MARGIN_S
from asterisk_consent.ledger import Decision, Kind
from asterisk_consent.model import Outcome
from tests.pbx import sound
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Entries, SpoolWatch, read_entries, wait_for_ends
from tests.pbx.scenarios.exchange import BEFORE_HZ, Caller, Exchange
from tests.pbx.scenarios.recorded import export
from tests.pbx.scenarios.scripts import (
    Script,
    agree_early_and_again,
    agree_in_question,
    hang_up_in_information,
    refuse_in_information,
)
from tests.pbx.scenarios.test_service_away import notes_entered

AT_ONCE_S = 1.0
DECIDE_WITHIN_S = 2.5
"""After the information everybody who agrees has done so, and is with the agent."""
MENU_DIGIT_S = 4.0
"""How long the policy with a menu waits for a digit."""


@dataclass(slots=True, kw_only=True)
class Calls:
    """What became of all of them."""

    callers: dict[str, Caller]
    spool: SpoolWatch
    entries: Entries

    def decision(self, name: str) -> Decision:
        """The one decision of a call."""
        return self.entries.decision(self.callers[name].channel)

    def held_s(self, name: str) -> float:
        """How long after the answer the agent's phone rang."""
        caller = self.callers[name]
        return caller.rang_at - caller.call.answered_at


@pytest.fixture(scope="module")
def over_fastagi(running_pbx: DevelopmentPbx) -> Calls:
    with SpoolWatch(running_pbx.settings).watching() as spool:
        callers = asyncio.run(_everybody(running_pbx))
        running_pbx.service.start()
        notes_entered(running_pbx, [callers["killed"].channel])
        wait_for_ends(running_pbx.settings)
    return Calls(callers=callers, spool=spool, entries=read_entries(running_pbx.settings))


async def _everybody(pbx: DevelopmentPbx) -> dict[str, Caller]:
    callers: dict[str, Caller] = {}
    async with Exchange(pbx) as exchange:
        decided_s = exchange.announcement.information_s + DECIDE_WITHIN_S
        # In the middle of the second silence after the menu once everybody else has decided.
        silence_s = 2 * exchange.menu_s + MENU_DIGIT_S * 1.5

        async def dial(name: str, dialled: str = "1011", after_s: float = 0.0) -> Caller:
            await asyncio.sleep(after_s)
            callers[name] = await exchange.connect(dialled)
            return callers[name]

        async def act(name: str, script: Script) -> None:
            await script(await dial(name))

        async def lose_the_service() -> None:
            frozen, killed = await asyncio.gather(
                dial("frozen", "1016", decided_s - silence_s), dial("killed", after_s=decided_s - 5.0)
            )
            await frozen.wait(silence_s)
            pbx.service.freeze()
            await frozen.reach_agent(within_s=8.0)
            pbx.service.thaw()
            await asyncio.sleep(AT_ONCE_S)
            await asyncio.to_thread(pbx.service.kill)
            await killed.reach_agent(within_s=AT_ONCE_S)
            await asyncio.gather(frozen.hang_up(), killed.hang_up())

        await asyncio.gather(
            act("agreed", agree_in_question),
            act("agreed too early and again", agree_early_and_again),
            act("refused", refuse_in_information),
            act("hung up", hang_up_in_information),
            lose_the_service(),
        )
    return callers


@pytest.mark.parametrize("name", ["agreed", "agreed too early and again"])
def test_an_agreement_is_recorded_and_verified(over_fastagi: Calls, name: str) -> None:
    decision = over_fastagi.decision(name)
    assert (decision.outcome, decision.digit) == (Outcome.GIVEN, "1")
    assert over_fastagi.entries.end(decision.recording_id)[0] is Kind.RECORDING_VERIFIED
    assert f"{decision.recording_id}-caller" in over_fastagi.callers[name].recorders


@pytest.mark.parametrize("name", ["agreed", "agreed too early and again"])
def test_a_recording_holds_the_conversation_each_party_on_its_side_and_nothing_else(
    over_fastagi: Calls, pbx: DevelopmentPbx, exports: Path, name: str
) -> None:
    recorded = export(pbx, over_fastagi.decision(name).recording_id, exports)
    assert min(recorded.apart_db()) >= 40
    assert recorded.impure_s() == pytest.approx((0, 0), abs=0.15)
    assert sound.tone_db(recorded.caller, recorded.rate, BEFORE_HZ) < -55
    caller = over_fastagi.callers[name]
    assert caller.agent is not None
    connected_s = caller.call.ended_at - caller.agent.answered_at
    assert recorded.duration_s == pytest.approx(connected_s, abs=0.3)


@pytest.mark.parametrize("name", ["agreed", "agreed too early and again"])
def test_the_announcement_is_measured_up_to_the_digit(over_fastagi: Calls, name: str) -> None:
    call, decision = over_fastagi.callers[name], over_fastagi.decision(name)
    heard_ms = (call.pressed_at - call.call.answered_at) * 1000
    assert decision.played_ms == pytest.approx(heard_ms, abs=500)
    assert decision.played_ms >= decision.information_ms


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("refused", Outcome.REFUSED),
        ("hung up", Outcome.ABANDONED),
        (
            "frozen",
            Outcome.NO_CHOICE,
        ),  # Asterisk heard both silences out; what it said then is read after the thaw
        ("killed", Outcome.FAILED),
    ],
)
def test_without_an_agreement_the_outcome_is_entered_once_and_nothing_else(
    over_fastagi: Calls, name: str, outcome: Outcome
) -> None:
    decision = over_fastagi.decision(name)
    assert decision.outcome is outcome
    assert (decision.recording_id, decision.caller, decision.caller_name) == (None, None, None)


def test_no_file_appears_but_those_of_the_agreements(over_fastagi: Calls) -> None:
    agreed = [over_fastagi.decision(name).recording_id for name in ("agreed", "agreed too early and again")]
    assert over_fastagi.spool.unallowed == set()
    made = ("caller.wav", "agent.wav", "joined.flac")
    assert over_fastagi.spool.allowed == {f"{each}-{name}" for each in agreed for name in made}


def test_a_refusal_reaches_the_agent_at_once(over_fastagi: Calls) -> None:
    refused = over_fastagi.callers["refused"]
    assert refused.rang_at - refused.pressed_at <= AT_ONCE_S


def test_a_frozen_service_holds_nobody_longer_than_the_escape_time_out(over_fastagi: Calls) -> None:
    menu_s = over_fastagi.callers["frozen"].exchange.menu_s
    menu_again_s = menu_s + MENU_DIGIT_S
    escape_s = menu_s + MENU_DIGIT_S + ESCAPE_MARGIN_S
    assert over_fastagi.held_s("frozen") == pytest.approx(menu_again_s + escape_s, abs=1.5)


def test_a_killed_service_lets_a_caller_go_in_the_middle_of_the_announcement(over_fastagi: Calls) -> None:
    killed = over_fastagi.callers["killed"]
    assert over_fastagi.held_s("killed") < killed.announcement.information_s
