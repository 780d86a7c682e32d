"""Whoever is on the list of objections is neither asked nor recorded, whichever way the call comes."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.promises import ObjectionList
from asterisk_consent.dialogue.machine import ON_THE_LIST
from asterisk_consent.errors import KeysError
from asterisk_consent.model import Call, CallId, Direction, Outcome, Party
from asterisk_consent.policy import Policy
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.calls.agi_call import Caller
from tests.calls.asterisk import waiting_channel
from tests.calls.one_call import only_decision
from tests.calls.service import POLICY, Service
from tests.calls.test_agi_session import conversation
from tests.calls.virtual_time import in_virtual_time

NUMBER = "+442079460123"
OTHER = "+442079460999"
WAY_OUT = "out*refused*"


def call_of(number: str | None) -> Call:
    return Call(
        call_id=CallId("0" * 32),
        channel="1800000000.1",
        party=Party(number=number, name=None),
        dialled="1001",
        policy=POLICY.id,
        language="nl",
        direction=Direction.INCOMING,
        started_at=1_800_000_000,
    )


def is_caller(call: Call, policy: Policy) -> bool:
    return call.party.number == NUMBER and policy is POLICY


def assert_neither_asked_nor_recorded(service: Service) -> None:
    decision = only_decision(service)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, ON_THE_LIST)
    assert (decision.played_ms, decision.caller, decision.recording_id) == (0, None, None)
    assert service.recorder.expected == []


def test_a_caller_on_the_list_is_neither_asked_nor_recorded() -> None:
    @in_virtual_time
    async def over_ari() -> None:
        service = Service(objects=is_caller)
        service.asterisk.arrive(waiting_channel(number=NUMBER))
        await service.finish()
        assert service.asterisk.story == [f"continue {WAY_OUT}"]
        assert_neither_asked_nor_recorded(service)

    @in_virtual_time
    async def over_fastagi() -> None:
        service = Service(objects=is_caller)
        channel = await conversation(service, Caller())
        assert channel.extensions == [WAY_OUT]
        assert not any(words.startswith("play") for words in channel.story)
        assert_neither_asked_nor_recorded(service)

    over_ari()
    over_fastagi()


@in_virtual_time
async def test_another_caller_is_asked_as_ever() -> None:
    service = Service(objects=is_caller)
    service.asterisk.arrive(waiting_channel(number=OTHER))
    await service.finish()
    assert "play information+question" in service.asterisk.story
    assert only_decision(service).outcome is Outcome.NO_CHOICE


@pytest.fixture
def listed(tmp_path: Path) -> ObjectionList:
    """A list with one number on it, of the policy's controller."""
    keys = ProofKeys(tmp_path)
    objections = ObjectionList(keys.blind, region="GB")
    controller = POLICY.controller.id
    objections.known = frozenset({(controller, keys.blind(NUMBER, controller=controller))})
    return objections


@pytest.mark.parametrize("number", [NUMBER, "020 7946 0123", "00442079460123", "442079460123"])
def test_the_list_covers_its_number_however_the_network_writes_it(listed: ObjectionList, number: str) -> None:
    assert listed.covers(call_of(number), POLICY)


@pytest.mark.parametrize("number", [OTHER, "", "1001", "anonymous", None])
def test_the_list_covers_no_other_number_and_never_a_withheld_one(
    listed: ObjectionList, number: str | None
) -> None:
    assert not listed.covers(call_of(number), POLICY)


def test_the_list_of_one_controller_is_not_that_of_another(tmp_path: Path) -> None:
    keys = ProofKeys(tmp_path)
    objections = ObjectionList(keys.blind, region="GB")
    objections.known = frozenset(
        {
            ("another", keys.blind(NUMBER, controller="another")),
            (POLICY.controller.id, keys.blind(NUMBER, controller="another")),
        }
    )
    assert not objections.covers(call_of(NUMBER), POLICY)


def test_where_nobody_can_tell_the_caller_is_taken_for_one_who_objects(listed: ObjectionList) -> None:
    def unusable(_number: str, *, controller: str) -> str:
        raise KeysError("the key of the blind index cannot be used", where=controller)

    objections = ObjectionList(unusable, region="GB")
    assert not objections.covers(call_of(NUMBER), POLICY)
    objections.known = listed.known
    with capture_logs() as said:
        assert objections.covers(call_of(NUMBER), POLICY)
    assert [entry["event"] for entry in said] == ["objections.unknown"]
    assert NUMBER not in str(said)
