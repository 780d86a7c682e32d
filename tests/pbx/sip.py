"""A SIP phone for tests and the demo: calls, answers, hangs up, and has voice, digits and ears.

Rule: it does what a phone on a desk does, and nothing it hears or sends is simulated; sound is RTP, digits
are telephone-events. Within a call requests go to where the call came from or was sent to (loopback needs
no routing). Leaving the ``async with`` hangs up whatever is left.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Self

from tests.pbx.g711 import Law
from tests.pbx.sip_call import Call, CallRefusedError
from tests.pbx.sip_dialog import Dialog
from tests.pbx.sip_message import Header, Request, Response, address_of, named_address
from tests.pbx.sip_transport import Address, SipTransport
from tests.pbx.stream import SoundStream

__all__ = ["Call", "CallRefusedError", "SipAgent", "SipPhone"]

OnInvite = Callable[[Call], Coroutine[Any, Any, None]]


class SipPhone:
    """One SIP user agent on a port of its own.

    :param port: 0 takes a free one.
    :param on_invite: what to do with a call that comes in; without it the phone is busy.
    """

    def __init__(self, *, local: str = "127.0.0.1", port: int = 0, on_invite: OnInvite | None = None) -> None:
        self.local = local
        self.port = port
        self.on_invite = on_invite
        self.calls: list[Call] = []
        self._live: dict[str, Call] = {}
        self._transport = SipTransport(self._take_request, self._take_stray_response)

    async def __aenter__(self) -> Self:
        await self._transport.open(self.local, self.port)
        self.port = self._transport.address[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        live = [call for call in self.calls if not call.ended.is_set()]
        await asyncio.gather(*(call.hangup(within_s=2.0) for call in live), return_exceptions=True)
        for call in self.calls:
            call.stream.close()
        await self._transport.close()

    async def call(
        self,
        uri: str,
        *,
        caller: str = "+442079460123",
        name: str | bytes = "",
        privacy: bool = False,
        codec: Law = "alaw",
        headers: tuple[Header, ...] = (),
        answer_within_s: float = 10.0,
    ) -> Call:
        """Call and wait for the answer.

        :param uri: such as ``sip:1001@127.0.0.1:15060``.
        :param name: the display name; ``bytes`` are sent as they are, however hostile.
        :param privacy: withhold the number: From is anonymous, P-Asserted-Identity carries it (RFC 3325).
        :raises CallRefusedError: the other side did not answer in time, or refused.
        """
        call = self.dial(uri, caller=caller, name=name, privacy=privacy, codec=codec, headers=headers)
        await call.answered(within_s=answer_within_s)
        return call

    def dial(
        self,
        uri: str,
        *,
        caller: str = "+442079460123",
        name: str | bytes = "",
        privacy: bool = False,
        codec: Law = "alaw",
        headers: tuple[Header, ...] = (),
    ) -> Call:
        """Begin a call without waiting; the arguments are those of ``call``."""
        identity = named_address(name, f"sip:{caller}@{self.local}")
        shown = '"Anonymous" <sip:anonymous@anonymous.invalid>' if privacy else identity
        withheld = (("P-Asserted-Identity", identity), ("Privacy", "id")) if privacy else ()
        dialog = Dialog(
            call_id=f"{secrets.token_hex(12)}@{self.local}",
            local=f"{shown};tag={secrets.token_hex(6)}",
            remote=f"<{uri}>",
            target=uri,
            peer=_peer_of(uri),
        )
        call = self._new_call(dialog, codec)
        call.place((*withheld, *headers))
        return call

    async def options(self, uri: str, *, within_s: float = 5.0) -> Response:
        """Ask the other side whether it is there."""
        dialog = Dialog(
            call_id=secrets.token_hex(12),
            local=f"<sip:phone@{self.local}>;tag={secrets.token_hex(6)}",
            remote=f"<{uri}>",
            target=uri,
            peer=_peer_of(uri),
        )
        request = dialog.request("OPTIONS", self._transport, self.contact)
        return await self._transport.transact(request, dialog.peer, within_s=within_s)

    @property
    def contact(self) -> str:
        """Where this phone is reached."""
        return f"<sip:phone@{self.local}:{self.port}>"

    def _new_call(self, dialog: Dialog, codec: Law) -> Call:
        call = Call(dialog, self._transport, SoundStream(self.local, codec), self.contact)
        self.calls.append(call)
        self._live[dialog.call_id] = call
        return call

    def _take_request(self, request: Request, peer: Address) -> None:
        call = self._live.get(request.get("Call-ID"))
        if call is not None:
            call.take(request, peer)
        elif request.method == "INVITE":
            self._take_invite(request, peer)
        elif request.method == "OPTIONS":
            self._transport.refuse(request, peer, 200, "OK")
        elif request.method != "ACK":
            self._transport.refuse(request, peer, 481, "Call/Transaction Does Not Exist")

    def _take_invite(self, request: Request, peer: Address) -> None:
        if self.on_invite is None:
            self._transport.refuse(request, peer, 486, "Busy Here")
            return
        dialog = Dialog(
            call_id=request.get("Call-ID"),
            local=f"{request.get('To')};tag={secrets.token_hex(6)}",
            remote=request.get("From"),
            target=address_of(request.get("Contact")),
            peer=peer,
        )
        call = self._new_call(dialog, self._codec_for(request))
        call.invited(request)
        self._transport.spawn(self.on_invite(call))

    def _codec_for(self, request: Request) -> Law:
        return "ulaw" if "RTP/AVP 0 " in request.body else "alaw"

    def _take_stray_response(self, response: Response, peer: Address) -> None:
        call = self._live.get(response.get("Call-ID"))
        if call is not None:
            call.take_stray_response(response)


class SipAgent(SipPhone):
    """A phone that answers every call after a while and sounds a tone.

    :param tone: its frequency in Hz; 0 stays silent.
    """

    def __init__(
        self, *, local: str = "127.0.0.1", port: int = 15070, tone: int = 1000, answer_after_s: float = 0.3
    ) -> None:
        super().__init__(local=local, port=port, on_invite=self._answer)
        self.hz = tone
        self.answer_after_s = answer_after_s
        self._arrived: asyncio.Queue[Call] = asyncio.Queue()

    async def next_call(self, *, within_s: float = 10.0) -> Call:
        """Return the next call that was answered.

        :raises TimeoutError: none within ``within_s``.
        """
        async with asyncio.timeout(within_s):
            return await self._arrived.get()

    async def _answer(self, call: Call) -> None:
        call.ring()
        await asyncio.sleep(self.answer_after_s)
        if call.ended.is_set():
            return
        if self.hz:
            call.tone(self.hz)
        call.accept()
        self._arrived.put_nowait(call)


def _peer_of(uri: str) -> Address:
    host, _, port = uri.removeprefix("sip:").partition(";")[0].rpartition("@")[2].partition(":")
    return host, int(port or 5060)
