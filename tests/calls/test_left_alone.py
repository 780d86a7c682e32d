"""A call that is none of ours goes on at once: nothing is asked, recorded, entered or remembered of it."""

from dataclasses import replace

import pytest

from asterisk_consent.calls.announced import Announced
from asterisk_consent.policy import parse_policy
from asterisk_consent.policy.model import Excluded
from tests.calls.agi_call import Caller
from tests.calls.asterisk import UNAVAILABLE, waiting_channel
from tests.calls.service import POLICY, PROMPTS, Service, settle
from tests.calls.test_agi_session import conversation
from tests.calls.virtual_time import in_virtual_time
from tests.policy.shipped import shipped

EXCLUDING = replace(POLICY, excluded=(Excluded(name="Voorbeeld Zorg NV", numbers=("1001", "1008")),))
ANNOUNCED = {
    "excluding": Announced(policy=EXCLUDING, prompts={"nl": PROMPTS}, path="/prompts"),
    "elsewhere": Announced(
        policy=replace(POLICY, excluded=(Excluded(name="Voorbeeld Zorg NV", numbers=("1008",)),)),
        prompts={"nl": PROMPTS},
        path="/prompts",
    ),
    "off": Announced(policy=parse_policy(shipped("p4-plain"), file="p4-plain.toml")),
}


def service_with_policies() -> Service:
    service = Service()
    service.policies.replace(ANNOUNCED)
    return service


def nothing_is_known(service: Service) -> bool:
    return not (service.ledger.entries or service.recorder.expected or service.recorder.later)


@pytest.mark.parametrize("policy", ["excluding", "off"])
def test_a_call_that_is_none_of_ours_goes_on_at_once(policy: str) -> None:
    @in_virtual_time
    async def over_ari() -> None:
        service = service_with_policies()
        service.asterisk.arrive(waiting_channel(policy=policy))
        await settle()

        assert service.asterisk.story == ["continue off"]
        assert nothing_is_known(service)
        assert service.switchboard.outcomes == {}
        assert service.switchboard.depth == 0

    @in_virtual_time
    async def over_fastagi() -> None:
        service = service_with_policies()
        channel = await conversation(service, Caller(), policy=policy)

        assert channel.story == ["extension off"]
        assert nothing_is_known(service)
        assert service.switchboard.outcomes == {}

    over_ari()
    over_fastagi()


@in_virtual_time
async def test_a_call_to_another_number_of_the_same_policy_is_asked() -> None:
    service = service_with_policies()
    service.asterisk.arrive(waiting_channel(policy="elsewhere"))
    await settle()

    assert service.asterisk.story[-1] == "play information+question"
    service.asterisk.hang_up()
    await service.finish()


@in_virtual_time
async def test_a_call_found_waiting_after_a_break_is_left_alone_too() -> None:
    service = service_with_policies()
    service.asterisk.connected = False
    service.asterisk.arrive(waiting_channel(policy="off"))
    service.asterisk.connected = True
    await service.switchboard.connected()
    await settle()

    assert service.asterisk.story == ["list channels", "continue off"]
    assert nothing_is_known(service)


@in_virtual_time
async def test_a_call_that_asterisk_does_not_let_go_on_is_left_to_the_dialplan() -> None:
    service = service_with_policies()
    service.asterisk.faults["continue"] = UNAVAILABLE
    service.asterisk.arrive(waiting_channel(policy="off"))
    await settle()

    assert nothing_is_known(service)
    await service.switchboard.stop()
