"""What the shipped dialplan keeps by itself, whatever the service does."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.pbx import sound
from tests.pbx.configure import MUSIC_HZ
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import list_files
from tests.pbx.scenarios.exchange import BEFORE_HZ, CALLER_HZ, Caller, Exchange
from tests.pbx.scenarios.recorded import read_sides

RECORDING_ID = "00000000000000000000000000001011"
UNANSWERED_S = 2.0
"""So long the dialplan lets a call wait for the service to take it."""
NO_ID = "asterisk-consent/0"
"""The beginning of every file that the extensions tried by 1212 could lead to."""
EXTENSIONS_OF_1212 = 25
SENT_OVER_ARI = (
    "00000000000000000000000000001012*given*n,l",
    "00000000000000000000000000001012*given*nl,1,x",
    "00000000000000000000000000001012,*given*nl",
    "00000000000000000000000000001012*given*nl)i(x",
    "00000000000000000000000000001012*given*nl\r\nnl",
    "out*refused*n,l",
    "out*refused,refused*nl",
)
"""With characters that the dialplan itself cannot write into an extension; the service could send them."""


def play(pbx: DevelopmentPbx, dialled: str, act: Callable[[Caller], Awaitable[None]]) -> Caller:
    """Place one call, let it act, and return it after its end."""

    async def scenario() -> Caller:
        async with Exchange(pbx) as exchange:
            caller = await exchange.connect(dialled)
            await act(caller)
            await caller.hang_up()
            return caller

    return asyncio.run(scenario())


@pytest.fixture
def spool(pbx: DevelopmentPbx) -> Iterator[Path]:
    """The spool, from which recordings that no service asked for are removed afterwards."""
    before = list_files(pbx.settings.spool)
    yield pbx.settings.spool
    for left in (pbx.settings.spool / name for name in list_files(pbx.settings.spool) - before):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


def test_only_the_time_in_a_bridge_is_recorded(pbx: DevelopmentPbx, spool: Path) -> None:
    """The caller hears music for two seconds before the agent, and sounds another tone meanwhile."""

    async def act(caller: Caller) -> None:
        await caller.reach_agent()
        await asyncio.sleep(2.0)

    call = play(pbx, "1211", act)
    assert call.agent is not None
    connected_s = call.call.ended_at - call.agent.answered_at
    time.sleep(0.5)
    recorded = read_sides(*(spool / f"{RECORDING_ID}-{side}.wav" for side in ("caller", "agent")))
    assert recorded.duration_s == pytest.approx(connected_s, abs=0.3)
    assert sound.tone_db(recorded.agent, recorded.rate, MUSIC_HZ) < -55
    assert sound.tone_db(recorded.caller, recorded.rate, BEFORE_HZ) < -55
    assert sound.tone_db(recorded.caller, recorded.rate, CALLER_HZ) > -30


def test_an_emergency_number_is_not_asked(pbx: DevelopmentPbx) -> None:
    async def act(caller: Caller) -> None:
        await caller.reach_agent(within_s=1.0)
        await caller.look_for_recorders()

    call = play(pbx, "112", act)
    assert call.rang_at - call.call.placed_at < 0.5
    assert "asterisk-consent/" not in call.recorders


def test_a_call_that_is_let_go_is_not_cut_afterwards(pbx: DevelopmentPbx) -> None:
    async def act(caller: Caller) -> None:
        await caller.reach_agent()
        await caller.wait(3 * UNANSWERED_S)

    call = play(pbx, "1099", act)
    assert not call.call.ended_by_peer
    assert call.call.ended_at - call.call.answered_at >= 3 * UNANSWERED_S


def test_what_the_service_would_not_send_starts_no_recording(pbx: DevelopmentPbx, spool: Path) -> None:
    async def act(caller: Caller) -> None:
        await caller.reach_agent()
        await caller.look_for_recorders()

    call = play(pbx, "1212", act)
    assert "MixMonitor ID" in call.recorders
    assert NO_ID not in call.recorders
    ways_out = pbx.asterisk.global_variable("WAYS_OUT").split("|")[:-1]
    assert len(ways_out) == EXTENSIONS_OF_1212
    assert set(ways_out) == {"failed 0"}


def test_no_comma_and_no_line_break_in_what_the_service_sends_starts_a_recording(
    pbx: DevelopmentPbx, spool: Path
) -> None:
    def let_go(caller: Caller, extension: str) -> None:
        pbx.asterisk.ari("DELETE", f"playbacks/consent-{caller.channel}-1")
        where = {"context": "asterisk-consent", "extension": extension, "priority": "1"}
        status, _ = pbx.asterisk.ari("POST", f"channels/{caller.channel}/continue", **where)
        assert status == 204

    async def scenario() -> list[Caller]:
        async with Exchange(pbx) as exchange:
            callers = await asyncio.gather(*(exchange.connect("1221") for _ in SENT_OVER_ARI))
            await callers[0].wait(1.0)
            for caller, extension in zip(callers, SENT_OVER_ARI, strict=True):
                await asyncio.to_thread(let_go, caller, extension)
            for caller in callers:
                await caller.reach_agent()
                await caller.look_for_recorders()
                await caller.hang_up()
            return callers

    callers = asyncio.run(scenario())
    assert [NO_ID in caller.recorders for caller in callers] == [False] * len(SENT_OVER_ARI)
    number = [caller.number.removeprefix("+") for caller in callers]
    for name, expected in (("OUTCOME", "failed"), ("RECORDED", "0")):
        told = {pbx.asterisk.global_variable(f"SEEN_{name}_{each}") for each in number}
        assert told == {expected}
