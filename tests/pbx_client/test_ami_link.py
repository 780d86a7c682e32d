"""The protocol of one AMI connection under any stream; loop and transport are under the test's control."""

import asyncio
from collections.abc import Callable
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import PbxError, PbxProtocolError
from asterisk_consent.pbx.ami_link import TURN_S, AmiLink, AmiProtocol, AmiRequest
from asterisk_consent.pbx.ami_wire import AmiEvent
from tests.pbx_client.test_ami_wire import GREETING, STREAMS

HANDLING_S = TURN_S / 10


class Loop:
    """Time that passes only by handling events; turns that come only when the test takes them."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.turns: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now_s

    def call_soon(self, turn: Callable[[], None]) -> None:
        self.turns.append(turn)


class Transport:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.aborted = False

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def abort(self) -> None:
        self.aborted = True


class Link:
    """What the protocol needs of a link."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.transport = Transport()
        self.seen: list[str] = []
        self.failures: list[PbxError] = []
        self.protocol = AmiProtocol(cast(AmiLink, self))
        self.protocol.connection_made(self.transport)

    def dispatch(self, event: AmiEvent) -> None:
        self.loop.now_s += HANDLING_S
        self.seen.append(event.name)

    def fail(self, reason: PbxError) -> None:
        self.failures.append(reason)
        self.protocol.close()

    def take_turn(self) -> float:
        """Run what waits for its turn; return how long it held the loop."""
        began_at_s = self.loop.now_s
        waiting, self.loop.turns = self.loop.turns, []
        for turn in waiting:
            turn()
        return self.loop.now_s - began_at_s


def events(count: int) -> bytes:
    return b"".join(b"Event: E%d\r\n\r\n" % number for number in range(count))


def test_a_flood_of_events_is_handled_in_turns_in_order_and_reading_pauses() -> None:
    link = Link()
    link.protocol.data_received(GREETING + events(95))
    assert link.loop.now_s <= TURN_S + HANDLING_S
    assert link.transport.calls[-1] == "pause"
    while link.loop.turns:
        assert link.take_turn() <= TURN_S + HANDLING_S
    assert link.seen == [f"E{number}" for number in range(95)]
    assert link.transport.calls[-1] == "resume"
    assert link.failures == []


def test_what_comes_while_a_turn_is_awaited_stays_behind_what_came_before() -> None:
    link = Link()
    link.protocol.data_received(GREETING + events(20))
    link.protocol.data_received(b"Event: Later\r\n\r\n")
    while link.loop.turns:
        link.take_turn()
    assert link.seen == [*(f"E{number}" for number in range(20)), "Later"]


def test_a_loss_is_told_after_the_events_that_came_before_it() -> None:
    link = Link()
    link.protocol.data_received(GREETING + events(20))
    link.protocol.connection_lost(None)
    assert link.failures == []
    while link.loop.turns:
        link.take_turn()
    assert len(link.seen) == 20
    assert len(link.failures) == 1


def test_after_close_no_event_is_handed_on() -> None:
    link = Link()
    link.protocol.data_received(GREETING + events(20))
    handled = len(link.seen)
    link.protocol.close()
    while link.loop.turns:
        link.take_turn()
    assert len(link.seen) == handled


@given(stream=STREAMS, cut=st.integers(0, 400), greeted=st.booleans())
def test_any_stream_ends_in_messages_or_in_a_protocol_error_and_every_action_ends(
    stream: bytes, cut: int, greeted: bool
) -> None:
    async def run() -> None:
        link = Link()
        request = AmiRequest("Status", {})
        link.protocol.responses = {request.id: request, "1": request}
        link.protocol.data_received(GREETING * greeted + stream[:cut])
        link.protocol.data_received(stream[cut:])
        while link.loop.turns:
            assert link.take_turn() <= TURN_S + HANDLING_S
        assert all(type(failure) is PbxProtocolError for failure in link.failures)
        assert link.transport.aborted == bool(link.failures)
        link.protocol.connection_lost(None)
        assert request.future.done()
        request.future.exception()

    asyncio.run(run())
