"""One AMI connection, from TCP to its loss: panoramisk's manager, protocol and action, their defects cured.

Rule: an action is written at most once and always gets an end: the answer, a time limit or the loss of the
link. A link is never used again: a new connection is a new link, so nothing of the old one can be replayed.

Source: ``docs/decisions/ami-panoramisk.md`` lists each defect of panoramisk 1.4 and what cures it here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from asterisk_consent.errors import PbxError, PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.ami_wire import AmiEvent, AmiReader, AmiReply, check_action

TURN_S = 0.005
"""How long one turn of the event loop may go on with what was read; the rest waits for the next turn."""
MAX_UNANSWERED = 1000
MAX_LIST_ITEMS = 10_000

_log = structlog.get_logger("asterisk_consent.pbx.ami")


class AmiRequest(Action):  # type: ignore[misc]  # panoramisk has no types
    """An action on its way; complete with its reply, or with the end of the list that its reply announced."""

    def __init__(self, name: str, fields: Mapping[str, str]) -> None:
        check_action(name, fields)
        super().__init__({"Action": name, **fields})
        self._reply: AmiReply | None = None
        self._listed: list[AmiEvent] = []

    def takes(self, message: AmiEvent | AmiReply) -> bool:
        """Tell whether a message with our id is part of the answer: an event only inside a list."""
        return isinstance(message, AmiReply) or self._reply is not None

    def add_message(self, message: AmiEvent | AmiReply) -> bool:
        """Add a part of the answer; True when that completes it."""
        if isinstance(message, AmiReply):
            self._reply = message
            if message.success and message.get("EventList", "").lower() == "start":
                return False
        elif message.get("EventList", "").lower() not in ("complete", "cancelled"):
            self._listed.append(message)
            if len(self._listed) > MAX_LIST_ITEMS:
                raise PbxProtocolError(f"a list has more than {MAX_LIST_ITEMS} items")
            return False
        if not self.future.done() and self._reply is not None:
            self.future.set_result(replace(self._reply, items=tuple(self._listed)))
        return True


class AmiProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's protocol over our reader: bounded, in turns, and with an end for every action."""

    def __init__(self, link: "AmiLink") -> None:
        self._link = link
        self._reader = AmiReader()
        self._turn_pending = False
        self._peer_gone = False
        self.closed = False
        self.responses: dict[str, AmiRequest] = {}

    def data_received(self, data: bytes) -> None:
        """Handle what came, at most ``TURN_S`` of it now."""
        self._reader.feed(data)
        if not self._turn_pending:
            self._take_turn()

    def _take_turn(self) -> None:
        clock = self._link.loop.time
        gives_way_at = clock() + TURN_S
        self._turn_pending = False
        try:
            while not self.closed and (message := self._reader.next_message()) is not None:
                self.handle_message(message)
                if clock() >= gives_way_at:
                    self._turn_pending = True
                    self.transport.pause_reading()
                    self._link.loop.call_soon(self._take_turn)
                    return
        except PbxProtocolError as error:
            self._link.fail(error)
        self.transport.resume_reading()
        if self._peer_gone:
            self._link.fail(PbxUnavailableError("Asterisk closed the AMI connection"))

    def handle_message(self, message: AmiEvent | AmiReply) -> None:
        """Give a message to the action it answers, every other event to the link."""
        request = self.responses.get(message.action_id)
        if request is not None and request.takes(message):
            if request.add_message(message):
                self.forget(request)
        elif isinstance(message, AmiEvent):
            self._link.dispatch(message)
        else:
            _log.info("ami_answer_to_nothing", response=message.response)

    def forget(self, request: AmiRequest) -> None:
        """Stop waiting for the answer to ``request``."""
        self.responses.pop(request.id, None)

    def connection_lost(self, _: Exception | None) -> None:
        """Note the loss; what was read before it is handled first."""
        self._peer_gone = True
        if not self._turn_pending:
            self._take_turn()

    def close(self) -> None:
        """Drop the connection at once and end every unanswered action; nothing is queued for later."""
        if not self.closed:
            self.closed = True
            self.transport.abort()
        while self.responses:
            _, request = self.responses.popitem()
            if not request.future.done():
                request.future.set_exception(
                    PbxUnavailableError("the AMI connection was lost before the answer")
                )


class AmiLink(Manager):  # type: ignore[misc]  # panoramisk has no types
    """One connection to one Asterisk; ``lost`` is done, with the reason, when it is over."""

    def __init__(self, *, host: str, port: int, on_event: Callable[[AmiEvent], None]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            host=host, port=port, loop=loop, encoding="utf-8", protocol_factory=lambda: AmiProtocol(self)
        )
        self.lost: asyncio.Future[PbxError] = loop.create_future()
        self._on_event = on_event
        self._place = f"AMI {host}:{port}"

    async def open(self, *, timeout_s: float) -> None:
        """Connect.

        :raises PbxUnavailableError: refused, unknown host or not within ``timeout_s``.
        """
        made: asyncio.Future[object] = self.loop.create_future()
        try:
            async with asyncio.timeout(timeout_s):
                made.set_result(
                    await self.loop.create_connection(
                        self.config["protocol_factory"], self.config["host"], self.config["port"]
                    )
                )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise PbxUnavailableError(f"cannot connect ({reason})", where=self._place) from error
        self.connection_made(made)
        self.pinger.cancel()  # its pings are never looked at; the client pings with a time limit

    async def request(self, name: str, fields: Mapping[str, str], *, timeout_s: float) -> AmiReply:
        """Send one action and return its answer.

        :raises PbxUnavailableError: no answer within ``timeout_s``, or the link lost: the effect is unknown.
        :raises PbxRefusedError: Asterisk answered with an error.
        :raises PbxProtocolError: a field that must not be sent; nothing was.
        """
        request = AmiRequest(name, fields)
        if self.lost.done() or len(self.protocol.responses) >= MAX_UNANSWERED:
            raise PbxUnavailableError(
                f"{name} was not sent: no link or too many unanswered", where=self._place
            )
        future: asyncio.Future[AmiReply] = self.send_action(request)
        try:
            # Not wait_for(): after the process was stopped for a while, an answer that is there still counts.
            await asyncio.wait([future], timeout=timeout_s)
        finally:
            self.protocol.forget(request)
        if not future.done():
            raise PbxUnavailableError(f"no answer to {name} within {timeout_s:g} s", where=self._place)
        reply = future.result()
        if not reply.success:
            reason = reply.get("Message", "no reason given")
            raise PbxRefusedError(f"{name} was refused: {reason}", where=self._place)
        return reply

    def dispatch(self, event: AmiEvent) -> None:
        """Hand an event on."""
        self._on_event(event)

    def connection_lost(self, _: Exception | None) -> None:
        """Do not reconnect: the client makes a new link."""

    def fail(self, reason: PbxError) -> None:
        """End the link for ``reason``."""
        if not self.lost.done():
            self.lost.set_result(reason)
        self.close()

    def ping(self) -> None:
        """Do nothing: the client pings and looks at the answer."""
