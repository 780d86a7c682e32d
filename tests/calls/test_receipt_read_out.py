"""The receipt of a call that may be recorded is read out before it goes on, and never keeps it from going on."""

import asyncio
import re

import pytest

from asterisk_consent.calls.arrival import new_receipt
from asterisk_consent.errors import PbxRefusedError
from asterisk_consent.ledger.entry import Kind
from tests.calls.agi_call import Caller
from tests.calls.asterisk import refusal, waiting_channel
from tests.calls.one_call import INFORMATION_S
from tests.calls.service import RECEIPT_MS, WORD_MS, Service, settle
from tests.calls.test_agi_session import conversation
from tests.calls.virtual_time import in_virtual_time

READ = r"play receipt\+(\d\+\d\+\d)\+pause\+(\d\+\d\+\d)\+pause\+(\d\+\d\+\d)\+pause\+(\d\+\d\+\d)"
READING_S = (RECEIPT_MS + 15 * WORD_MS) / 1000


async def agreed() -> Service:
    """A call whose caller has just agreed."""
    service = Service()
    service.asterisk.arrive(waiting_channel(policy="p1-receipt"))
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await settle()
    return service


def test_a_receipt_is_twelve_digits_whatever_the_randomness() -> None:
    assert new_receipt(lambda size: b"\0" * size) == "000000000000"
    assert re.fullmatch(r"[0-9]{12}", new_receipt(lambda size: b"\xff" * size))


@in_virtual_time
async def test_the_digits_are_read_in_groups_of_three_after_the_entry_and_before_the_recording() -> None:
    service = await agreed()
    assert service.ledger.kinds() == [Kind.DECISION_GIVEN]
    found = re.fullmatch(READ, service.asterisk.story[-1])
    assert found is not None
    assert service.continued == []

    await asyncio.sleep(READING_S - 0.1)
    assert service.continued == []
    await asyncio.sleep(0.2)
    assert service.continued == [service.recorded_at]
    assert service.recorder.unstarted == []


@in_virtual_time
async def test_any_digit_skips_it() -> None:
    service = await agreed()
    await asyncio.sleep(0.5)
    service.asterisk.press("7")
    await settle()

    assert service.asterisk.story[-2:] == ["stop", f"continue {service.recorded_at}"]


@in_virtual_time
async def test_a_receipt_that_cannot_be_played_holds_nobody() -> None:
    service = Service()
    service.asterisk.arrive(waiting_channel(policy="p1-receipt"))
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.faults["play receipt"] = refusal(404)
    service.asterisk.press("1")
    await settle()

    assert service.continued == [service.recorded_at]


@in_virtual_time
async def test_a_hang_up_meanwhile_ends_the_recording_before_it_began() -> None:
    service = await agreed()
    await asyncio.sleep(0.5)
    service.asterisk.hang_up()
    await service.finish()

    assert service.continued == []
    assert [recording for recording, _ in service.recorder.unstarted] == [service.recording_id]


@in_virtual_time
async def test_a_service_that_stops_lets_the_call_go_on_to_be_recorded() -> None:
    service = await agreed()
    await service.switchboard.stop()

    assert service.continued == [service.recorded_at]


@in_virtual_time
async def test_a_break_lets_the_call_go_on_to_be_recorded() -> None:
    service = await agreed()
    service.switchboard.disconnected()
    await service.switchboard.connected()
    await service.finish()

    assert service.continued == [service.recorded_at]


@pytest.mark.parametrize(
    "faults", [{}, {"play receipt": PbxRefusedError("missing")}], ids=["read", "missing"]
)
def test_the_same_holds_over_fastagi(faults: dict[str, PbxRefusedError]) -> None:
    @in_virtual_time
    async def call() -> None:
        service = Service()
        caller = Caller(digits=[(INFORMATION_S + 1, "1")], faults=dict(faults))
        channel = await conversation(service, caller, policy="p1-receipt")
        assert channel.extensions == [service.recorded_at]
        read = [words.split()[1] for words in channel.story if words.startswith("play ")][2:]
        assert read[0] == "receipt"
        assert len(read) == (1 if faults else 16)

    call()
