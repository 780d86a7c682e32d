"""Whoever agrees hears the receipt of the call, twelve digits, before being put through; any digit skips it."""

import asyncio

import pytest

from asterisk_consent.ledger import Kind
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.exchange import Caller
from tests.pbx.scenarios.round import Round, play_round
from tests.pbx.scenarios.scripts import Part, Script, refuse_after_question, talk
from tests.pbx.spoken import Spoken, spoken
from tests.pbx.spoken_digits import digits_heard

GROUPS = (3, 3, 3, 3)
AT_ONCE_S = 1.0


async def agree_and_listen(caller: Caller) -> None:
    """Agree, and hear the receipt to its end."""
    await caller.wait_for_question()
    await caller.press("1")
    await talk(caller, agent_within_s=25.0)


async def agree_and_skip(caller: Caller) -> None:
    """Agree, and press another digit while the receipt is announced."""
    await caller.wait_for_question()
    await caller.press("1")
    await asyncio.sleep(1.5)
    await caller.press("5")
    await talk(caller)


async def agree_and_hang_up(caller: Caller) -> None:
    """Agree, and be gone while the receipt is announced."""
    await caller.wait_for_question()
    await caller.press("1")
    await asyncio.sleep(1.5)
    await caller.hang_up()


@pytest.fixture(scope="module")
def calls(running_pbx: DevelopmentPbx) -> Round:
    scripts: dict[str, Script] = {
        "listens": agree_and_listen,
        "listens too": agree_and_listen,
        "skips": agree_and_skip,
        "hangs up": agree_and_hang_up,
        "refuses": refuse_after_question,
    }
    return play_round(
        running_pbx, {name: Part(script=script, dialled="1230") for name, script in scripts.items()}
    )


def announced(pbx: DevelopmentPbx, caller: Caller) -> Spoken:
    file = pbx.settings.prompts / "receipt-nl" / "1" / "nl" / "receipt.wav"
    return spoken(caller.call.stream.received_in_step, file)


def receipt(pbx: DevelopmentPbx, caller: Caller) -> tuple[str, float]:
    return digits_heard(
        caller.call.stream.received_in_step,
        pbx.settings.prompts / "_digits" / "nl",
        since=announced(pbx, caller).ended_at,
        groups=GROUPS,
    )


def test_twelve_digits_of_each_call_its_own_are_heard_before_the_agent(
    calls: Round, pbx: DevelopmentPbx
) -> None:
    receipts = set()
    for name in ("listens", "listens too"):
        caller = calls[name].caller
        assert announced(pbx, caller).in_full
        assert abs(announced(pbx, caller).began_at - caller.pressed_at) < AT_ONCE_S
        digits, ended_at = receipt(pbx, caller)
        assert 0 <= caller.rang_at - ended_at < AT_ONCE_S
        receipts.add(digits)
    assert len(receipts) == 2
    assert {len(each) for each in receipts} == {12}


@pytest.mark.parametrize("name", ["listens", "skips"])
def test_the_call_is_recorded_as_ever(calls: Round, name: str) -> None:
    assert calls[name].decision.outcome is Outcome.GIVEN
    assert calls[name].end[0] is Kind.RECORDING_VERIFIED


def test_a_digit_puts_the_caller_through_at_once(calls: Round) -> None:
    caller = calls["skips"].caller
    assert caller.rang_at - caller.pressed_at < AT_ONCE_S


def test_a_hang_up_meanwhile_leaves_no_recording(calls: Round) -> None:
    kind, recording = calls["hangs up"].end
    assert kind is Kind.RECORDING_NOT_STARTED
    assert recording.reason == "the call had gone before it was put through"


def test_who_refuses_is_read_nothing_and_waits_for_nothing(calls: Round, pbx: DevelopmentPbx) -> None:
    caller = calls["refuses"].caller
    assert calls["refuses"].decision.outcome is Outcome.REFUSED
    assert announced(pbx, caller).share < 0.5
    assert caller.rang_at - caller.pressed_at < AT_ONCE_S
