"""One call of a SIP phone: how it begins and ends (RFC 3261 §13-15), and the sound agreed in it (RFC 3264).

Rule: a call is placed or invited, then answered at most once, then ended exactly once, whoever ends it;
``ended`` is set whatever the reason.
"""

import asyncio
import secrets
import time
from collections.abc import Callable

from tests.pbx.ears import Heard, HeardDigit
from tests.pbx.sip_dialog import SDP_TYPE, Dialog
from tests.pbx.sip_message import Headers, Media, Request, Response, SipSyntaxError, address_of, parameter
from tests.pbx.sip_transport import T1_S, T2_S, Address, SipTimeoutError, SipTransport
from tests.pbx.stream import SoundStream

_ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY")
_GIVE_UP_S = 32.0


class CallRefusedError(Exception):
    """The other side refused, or did not answer; ``status`` is 0 where nothing came."""

    def __init__(self, what: str, *, status: int = 0) -> None:
        super().__init__(what)
        self.status = status


class Call:
    """One call. Moments are ``time.monotonic()``; 0 where it has not happened."""

    def __init__(self, dialog: Dialog, transport: SipTransport, stream: SoundStream, contact: str) -> None:
        self.dialog = dialog
        self.stream = stream
        self.ended = asyncio.Event()
        self.ended_by_peer = False
        self.placed_at = time.monotonic()
        self.answered_at = 0.0
        self.ended_at = 0.0
        self.invite: Request | None = None
        self.refusal: Response | None = None
        self._settled = asyncio.Event()
        self._acknowledged: asyncio.Future[None] | None = None
        self._placed = False
        self._cancelled = False
        self._transport = transport
        self._contact = contact
        self._handlers: dict[str, Callable[[Request, Address], None]] = {
            "ACK": self._take_ack,
            "BYE": self._take_bye,
            "CANCEL": self._take_cancel,
            "INVITE": self._take_offer,
        }
        # The voice, the digits and the ears are the call's own.
        self.tone, self.quiet, self.mute = stream.tone, stream.quiet, stream.mute
        self.digit, self.heard, self.fell_silent = stream.digit, stream.heard, stream.fell_silent
        self.heard_digits, self.restart_stream = stream.heard_digits, stream.restart_stream

    @property
    def received(self) -> Heard:
        """Everything heard so far."""
        return self.stream.received

    @property
    def digits(self) -> list[HeardDigit]:
        """The digits heard so far."""
        return self.stream.digits

    def place(self, extra: Headers) -> None:
        """Send the INVITE."""
        self._placed = True
        offer = self.stream.description()
        headers = (("Contact", self._contact), _ALLOW, *extra)
        self.dialog.sequence += 1
        self.invite = self.dialog.repeat(
            "INVITE", self.dialog.sequence, (self._transport.via(), *headers), offer
        )
        self._transport.spawn(self._await_answer(self.invite))

    async def answered(self, *, within_s: float) -> None:
        """Wait until the other side answers.

        :raises CallRefusedError: it refused, or did not answer in time; the call is then given up.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._settled.wait()
        except TimeoutError:
            await self.hangup()
            raise CallRefusedError(f"{self.dialog.target}: no answer in {within_s:g} s") from None
        if not self.answered_at:
            status = self.refusal.status if self.refusal else 0
            reason = self.refusal.reason if self.refusal else "no answer at all"
            raise CallRefusedError(f"{self.dialog.target}: {status} {reason}", status=status)

    async def hangup(self, *, within_s: float = 5.0) -> None:
        """End the call, in whatever state it is."""
        if self.ended.is_set():
            return
        if self.answered_at:
            self._end(by_peer=False)
            try:
                await self._request("BYE", within_s=within_s)
            except SipTimeoutError:
                return
        elif self._placed:
            await self._cancel(within_s)
        else:
            self.refuse(486, "Busy Here")

    async def hold(self) -> None:
        """Put the other side on hold."""
        await self._offer("sendonly")

    async def resume(self) -> None:
        """Take the other side off hold."""
        await self._offer("sendrecv")

    async def refer(self, target: str, *, replaces: "Call | None" = None) -> Response:
        """Transfer the other side to a target, or onto another call of ours (RFC 3515, RFC 3891)."""
        if replaces is not None:
            other = replaces.dialog
            tags = f"{parameter(other.remote, 'tag')}%3Bfrom-tag%3D{parameter(other.local, 'tag')}"
            target = f"{target}?Replaces={other.call_id.replace('@', '%40')}%3Bto-tag%3D{tags}"
        headers = (("Refer-To", f"<{target}>"), ("Referred-By", self._contact))
        return await self._request("REFER", within_s=5.0, extra=headers)

    def invited(self, request: Request) -> None:
        """Take the INVITE that began this call."""
        self.invite = request
        if request.body:
            self.stream.connect(Media.parse(request.body, prefer=self.stream.talker.law))
        self._respond(request, 100, "Trying")

    def ring(self) -> None:
        """Say that it rings here."""
        if self.invite is not None and not self.ended.is_set():
            self._respond(self.invite, 180, "Ringing")

    def accept(self) -> None:
        """Answer, and begin to send."""
        if self.invite is None or self.ended.is_set():
            return
        self.answered_at = time.monotonic()
        self._settled.set()
        self._accept_offer(self.invite)
        self.stream.start_talking()

    def refuse(self, status: int, reason: str) -> None:
        """Refuse to answer."""
        if self.invite is not None:
            self._respond(self.invite, status, reason)
        self._end(by_peer=False)

    def take(self, request: Request, peer: Address) -> None:
        """Handle a request of the other side within this call."""
        self.dialog.peer = peer
        handler = self._handlers.get(request.method)
        if handler is not None:
            handler(request, peer)
        elif request.method in ("OPTIONS", "NOTIFY", "INFO", "MESSAGE"):
            self._respond(request, 200, "OK")
        else:
            self._respond(request, 405, "Method Not Allowed", extra=(_ALLOW,))

    def take_stray_response(self, response: Response) -> None:
        """Acknowledge again an answer that came again: our ACK was lost."""
        if response.sequence[1] == "INVITE" and response.status >= 200:
            self._acknowledge(response)

    async def _await_answer(self, invite: Request) -> None:
        try:
            response = await self._transport.transact(
                invite, self.dialog.peer, within_s=180.0, on_provisional=self._take_provisional
            )
        except SipTimeoutError:
            self._end(by_peer=True)
            return
        self._acknowledge(response, invite.branch)
        if response.status >= 300:
            self.refusal = response
            self._end(by_peer=True)
            return
        self.dialog.remote = response.get("To")
        self.dialog.target = address_of(response.get("Contact")) or self.dialog.target
        self.stream.connect(Media.parse(response.body))
        self.answered_at = time.monotonic()
        if self._cancelled:  # the answer crossed our CANCEL
            await self.hangup()
            return
        self.stream.start_talking()
        self._settled.set()

    def _take_provisional(self, response: Response) -> None:
        if response.body:
            self.stream.connect(Media.parse(response.body))

    def _acknowledge(self, response: Response, branch: str | None = None) -> None:
        # To anything but a 2xx the ACK belongs to the INVITE's transaction (§17.1.1.3).
        via = self._transport.via(branch or response.branch if response.status >= 300 else None)
        ack = self.dialog.repeat("ACK", response.sequence[0], (via,))
        headers = tuple((name, response.get("To") if name == "To" else value) for name, value in ack.headers)
        target = address_of(response.get("Contact")) if response.status < 300 else self.dialog.target
        request = Request(method="ACK", uri=target or self.dialog.target, headers=headers)
        self._transport.send(request.pack(), self.dialog.peer)

    async def _cancel(self, within_s: float) -> None:
        assert self.invite is not None
        self._cancelled = True
        via = self._transport.via(self.invite.branch)
        cancel = self.dialog.repeat("CANCEL", self.invite.sequence[0], (via,))
        try:
            await self._transport.transact(cancel, self.dialog.peer, within_s=within_s)
            async with asyncio.timeout(within_s):
                await self.ended.wait()
        except (SipTimeoutError, TimeoutError):
            self._end(by_peer=False)

    async def _request(
        self, method: str, *, within_s: float, extra: Headers = (), body: str = ""
    ) -> Response:
        request = self.dialog.request(method, self._transport, self._contact, extra=extra, body=body)
        return await self._transport.transact(request, self.dialog.peer, within_s=within_s)

    async def _offer(self, direction: str) -> None:
        body = self.stream.description(direction=direction)
        response = await self._request("INVITE", within_s=5.0, extra=(_ALLOW,), body=body)
        self._acknowledge(response)
        if response.status >= 300:
            raise CallRefusedError(
                f"{direction}: {response.status} {response.reason}", status=response.status
            )
        self.stream.connect(Media.parse(response.body))

    def _respond(
        self, request: Request, status: int, reason: str, *, extra: Headers = (), body: str = ""
    ) -> None:
        tag = parameter(self.dialog.local, "tag") or secrets.token_hex(6)
        headers = (("Contact", self._contact), *extra, *((SDP_TYPE,) if body else ()))
        response = request.response(status, reason, tag=tag, extra=headers, body=body)
        self._transport.answer(request, self.dialog.peer, response)

    def _accept_offer(self, request: Request) -> None:
        self._acknowledged = asyncio.get_running_loop().create_future()
        self._respond(request, 200, "OK", extra=(_ALLOW,), body=self.stream.description())
        self._transport.spawn(self._repeat_until_acknowledged(request, self._acknowledged))

    async def _repeat_until_acknowledged(self, request: Request, acknowledged: asyncio.Future[None]) -> None:
        pause_s, waited_s = T1_S, 0.0
        while waited_s < _GIVE_UP_S and not self.ended.is_set():
            await asyncio.wait({acknowledged}, timeout=pause_s)
            if acknowledged.done():
                return
            self._transport.answer_again(request, self.dialog.peer)
            waited_s, pause_s = waited_s + pause_s, min(2 * pause_s, T2_S)

    def _take_ack(self, request: Request, _: Address) -> None:
        self._stop_repeating()
        if request.body:
            self.stream.connect(Media.parse(request.body))

    def _take_bye(self, request: Request, _: Address) -> None:
        self._respond(request, 200, "OK")
        self._end(by_peer=True)

    def _take_cancel(self, request: Request, _: Address) -> None:
        self._respond(request, 200, "OK")
        if self.invite is not None and not self.answered_at:
            self._respond(self.invite, 487, "Request Terminated")
            self._end(by_peer=True)

    def _take_offer(self, request: Request, _: Address) -> None:
        try:
            if request.body:
                self.stream.connect(Media.parse(request.body, prefer=self.stream.talker.law))
        except SipSyntaxError:
            self._respond(request, 488, "Not Acceptable Here")
            return
        self._accept_offer(request)

    def _end(self, *, by_peer: bool) -> None:
        if not self.ended.is_set():
            self.ended_by_peer = by_peer
            self.ended_at = time.monotonic()
            self.stream.close()
            self.ended.set()
            self._settled.set()
            self._stop_repeating()

    def _stop_repeating(self) -> None:
        if self._acknowledged is not None and not self._acknowledged.done():
            self._acknowledged.set_result(None)
