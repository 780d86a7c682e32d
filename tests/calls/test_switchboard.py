"""Events reach the session of their call; after a break, a replacement or a stop no call is left waiting."""

import asyncio

import pytest

from asterisk_consent.calls import switchboard as switchboard_module
from asterisk_consent.calls.switchboard import STOPPING_S
from asterisk_consent.errors import PbxUnavailableError
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.model import Outcome
from asterisk_consent.pbx.ari import AriEvent, ChannelSnapshot, PlaybackSnapshot
from tests.calls.asterisk import CHANNEL, INFORMATION_MS, QUESTION_MS, UNAVAILABLE, waiting_channel
from tests.calls.service import Service, settle
from tests.calls.virtual_time import in_virtual_time

INFORMATION_S = INFORMATION_MS / 1000
QUESTION_S = QUESTION_MS / 1000
OTHER = "1800000000.2"


async def asked(*channels: str) -> Service:
    """Return a service that is connected and asks these calls."""
    service = Service()
    await service.switchboard.connected()
    for channel in channels or (CHANNEL,):
        service.asterisk.arrive(waiting_channel(channel))
    await settle()
    service.asterisk.story.clear()
    return service


@in_virtual_time
async def test_each_call_has_its_own_conversation() -> None:
    service = await asked(CHANNEL, OTHER)
    assert service.switchboard.depth == 2

    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("2", OTHER)
    service.asterisk.press("1", CHANNEL)
    await service.finish()

    assert {decision.channel: decision.outcome for decision in service.ledger.decisions()} == {
        OTHER: Outcome.REFUSED,
        CHANNEL: Outcome.GIVEN,
    }
    assert service.switchboard.outcomes == {"refused": 1, "given": 1}


@in_virtual_time
async def test_events_of_nobody_and_of_strangers_mean_nothing() -> None:
    service = await asked()
    for event in (
        AriEvent(type="ApplicationMoveFailed"),
        AriEvent(type="StasisStart"),
        AriEvent(type="StasisEnd", channel=ChannelSnapshot(id="9.9")),
        AriEvent(type="ChannelDtmfReceived", channel=ChannelSnapshot(id="9.9"), digit="1"),
        AriEvent(type="PlaybackFinished", playback=PlaybackSnapshot(id="x", target_uri="bridge:1")),
        AriEvent(type="PlaybackFinished", playback=PlaybackSnapshot(id="x", target_uri="channel:9.9")),
    ):
        service.switchboard.take(event)
    await settle()

    assert service.switchboard.depth == 1
    assert service.asterisk.story == []


@in_virtual_time
async def test_every_event_told_twice_leads_to_one_decision_and_one_start() -> None:
    service = Service()
    await service.switchboard.connected()

    def tell_twice(event: AriEvent) -> None:
        service.switchboard.take(event)
        service.switchboard.take(event)

    service.asterisk.tell = tell_twice
    service.asterisk.arrive(waiting_channel())
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await service.finish()

    assert service.ledger.kinds() == [Kind.DECISION_GIVEN]
    assert service.continued == [service.recorded_at]


@in_virtual_time
async def test_a_call_that_is_over_is_forgotten_but_known_to_have_been_asked() -> None:
    service = await asked()
    service.asterisk.hang_up()
    await service.finish()

    assert service.switchboard.depth == 0
    assert service.switchboard.has_asked(CHANNEL)
    assert not service.switchboard.has_asked(OTHER)


@in_virtual_time
async def test_what_is_known_of_calls_that_are_over_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard_module, "REMEMBERED", 1)
    service = await asked(CHANNEL, OTHER)
    for channel in (CHANNEL, OTHER):
        service.asterisk.hang_up(channel)
    await service.finish()

    assert not service.switchboard.has_asked(CHANNEL)
    assert service.switchboard.has_asked(OTHER)


@in_virtual_time
async def test_calls_can_be_asked_while_connected_only() -> None:
    service = Service()
    acting = [service.switchboard.acting]
    await service.switchboard.connected()
    acting.append(service.switchboard.acting)
    service.switchboard.disconnected()
    acting.append(service.switchboard.acting)

    assert acting == [False, True, False]


@in_virtual_time
async def test_a_connection_on_which_asterisk_cannot_tell_its_channels_is_none() -> None:
    service = Service()
    service.asterisk.faults["list channels"] = UNAVAILABLE

    with pytest.raises(PbxUnavailableError):
        await service.switchboard.connected()
    assert not service.switchboard.acting


@in_virtual_time
async def test_silence_during_a_break_is_none_since_nobody_could_be_heard() -> None:
    service = await asked()
    await asyncio.sleep(INFORMATION_S + QUESTION_S + 1)
    service.switchboard.disconnected()
    service.asterisk.connected = False
    so_far = list(service.asterisk.story)
    await asyncio.sleep(30)
    assert service.asterisk.story == so_far

    service.asterisk.connected = True
    await service.switchboard.connected()
    await settle()

    assert service.ledger.entries == []
    assert service.asterisk.story[-1] == "play question"


@in_virtual_time
async def test_a_call_that_waited_through_a_break_is_asked_again_and_a_digit_pressed_in_it_is_not_inferred() -> (
    None
):
    service = await asked()
    await asyncio.sleep(INFORMATION_S + 1)
    service.switchboard.disconnected()
    service.asterisk.connected = False
    service.asterisk.press("1")
    await asyncio.sleep(1)
    service.asterisk.connected = True
    await service.switchboard.connected()
    await settle()

    assert service.asterisk.story[-3:] == ["stop", "TIMEOUT(absolute)=12.500", "play question"]
    assert service.ledger.entries == []

    service.asterisk.press("2")
    await service.finish()
    assert service.continued == ["out*refused*nl"]


@in_virtual_time
async def test_a_call_that_is_gone_after_a_break_is_entered_as_aborted() -> None:
    service = await asked()
    service.asterisk.connected = False
    service.asterisk.hang_up()
    service.asterisk.connected = True
    await service.switchboard.connected()
    await service.finish()

    (decision,) = service.ledger.decisions()
    assert decision.outcome is Outcome.ABORTED


@in_virtual_time
async def test_a_call_that_went_on_during_a_break_is_entered_as_aborted() -> None:
    service = await asked()
    service.asterisk.connected = False
    service.asterisk.escape()
    service.asterisk.connected = True
    await service.switchboard.connected()
    await service.finish()

    (decision,) = service.ledger.decisions()
    assert decision.outcome is Outcome.ABORTED
    assert service.continued == []


@in_virtual_time
async def test_a_call_that_left_for_its_recording_during_a_break_keeps_it() -> None:
    service = await asked()
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    service.asterisk.connected = False
    await asyncio.sleep(1)
    service.asterisk.connected = True
    await service.switchboard.connected()
    await service.finish()

    assert service.continued == [service.recorded_at]
    assert service.recorder.unstarted == []


@in_virtual_time
async def test_a_call_found_waiting_without_a_session_is_silenced_and_asked_from_the_beginning() -> None:
    service = Service()
    service.asterisk.channels[CHANNEL] = waiting_channel()
    service.asterisk.channels[OTHER] = ChannelSnapshot(id=OTHER)

    await service.switchboard.connected()
    await settle()

    assert service.switchboard.depth == 1
    story = service.asterisk.story
    assert set(story[1:-2]) == {"stop"}
    assert story[-1] == "play information+question"


@in_virtual_time
async def test_a_break_does_not_give_a_call_a_second_session() -> None:
    service = await asked()
    await service.switchboard.connected()
    service.asterisk.arrive(waiting_channel())
    await settle()

    assert service.switchboard.depth == 1


@in_virtual_time
async def test_a_service_that_was_replaced_leaves_the_calls_to_the_other_one() -> None:
    service = await asked()
    service.switchboard.replaced()
    await service.finish()

    assert service.switchboard.was_replaced
    assert not service.switchboard.acting
    assert service.asterisk.story == []
    assert [decision.outcome for decision in service.ledger.decisions()] == [Outcome.ABORTED]


@in_virtual_time
async def test_a_service_that_was_replaced_starts_no_recording_of_a_decision_on_its_way() -> None:
    service = await asked()
    service.ledger.delay_s = 1
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await settle()
    service.switchboard.replaced()
    await service.finish()

    assert service.continued == []
    assert [recording for recording, _ in service.recorder.unstarted] == [service.recording_id]


@in_virtual_time
async def test_a_stop_lets_every_call_go_on_and_enters_it() -> None:
    service = await asked(CHANNEL, OTHER)

    await service.switchboard.stop()

    assert service.switchboard.depth == 0
    assert not service.switchboard.acting
    assert service.continued == ["out*failed*nl", "out*failed*nl"]
    assert [decision.reason for decision in service.ledger.decisions()] == ["the service was stopped"] * 2


@in_virtual_time
async def test_a_stop_lets_a_decision_on_its_way_come_to_its_end() -> None:
    service = await asked()
    service.ledger.delay_s = 1
    await asyncio.sleep(INFORMATION_S + 1)
    service.asterisk.press("1")
    await settle()

    await service.switchboard.stop()

    assert service.continued == [service.recorded_at]


@in_virtual_time
async def test_a_stop_does_not_wait_for_a_ledger_that_does_not_answer() -> None:
    service = await asked()
    service.ledger.delay_s = 3600
    before_s = asyncio.get_running_loop().time()

    await service.switchboard.stop()
    await settle()

    assert service.continued == ["out*failed*nl"]
    assert asyncio.get_running_loop().time() - before_s < STOPPING_S + 1
    assert service.switchboard.depth == 0


@in_virtual_time
async def test_a_stop_with_nobody_there_is_over_at_once() -> None:
    service = Service()

    await service.switchboard.stop()

    assert service.asterisk.story == []
