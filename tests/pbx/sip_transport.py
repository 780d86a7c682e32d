"""One UDP socket of a SIP user agent: transactions with retransmission (RFC 3261 §17), nothing of calls.

Rule: a request gets exactly one final answer or a time-out, whatever was lost or repeated on the way; a
request that comes again is answered with what was answered before, and handled once.
"""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from tests.pbx.sip_message import Headers, Request, Response, SipSyntaxError, parse

Address = tuple[str, int]

T1_S = 0.5
T2_S = 4.0
_GIVE_UP_S = 64 * T1_S
_REMEMBERED_ANSWERS = 4096

log = logging.getLogger(__name__)


class SipTimeoutError(Exception):
    """No final answer came."""


class SipTransport(asyncio.DatagramProtocol):
    """Sends requests, matches answers, hands requests and stray answers on."""

    def __init__(
        self,
        on_request: Callable[[Request, Address], None],
        on_stray_response: Callable[[Response, Address], None],
    ) -> None:
        self._on_request = on_request
        self._on_stray_response = on_stray_response
        self._waiting: dict[tuple[str, str], asyncio.Queue[Response]] = {}
        self._answers: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._udp: asyncio.DatagramTransport | None = None
        self.address: Address = ("", 0)

    async def open(self, local: str, port: int) -> None:
        """Bind the socket; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(local, port))
        host, bound = self._udp.get_extra_info("sockname")[:2]
        self.address = (host, bound)

    async def close(self) -> None:
        """Stop everything under way and close the socket; raise the first failure of a task."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._udp is not None:
            self._udp.close()
            await asyncio.sleep(0)  # lets the loop close the socket
        if self._failures:
            raise self._failures[0]

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside; its failure is raised by ``close``."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("sip task failed", exc_info=failure)
            self._failures.append(failure)

    def via(self, branch: str | None = None) -> tuple[str, str]:
        """Return a Via header of ours; without ``branch`` of a new transaction."""
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        return ("Via", f"SIP/2.0/UDP {self.address[0]}:{self.address[1]};branch={branch};rport")

    def send(self, datagram: bytes, peer: Address) -> None:
        """Send once, without waiting for anything."""
        if self._udp is not None and not self._udp.is_closing():
            self._udp.sendto(datagram, peer)

    def answer(self, request: Request, peer: Address, response: Response) -> None:
        """Answer a request, and remember the answer in case the request comes again."""
        datagram = response.pack()
        self._answers[(request.branch, request.method)] = datagram
        while len(self._answers) > _REMEMBERED_ANSWERS:
            self._answers.popitem(last=False)
        self.send(datagram, peer)

    def answer_again(self, request: Request, peer: Address) -> None:
        """Send once more what was answered, unasked."""
        self.send(self._answers[(request.branch, request.method)], peer)

    def refuse(self, request: Request, peer: Address, status: int, reason: str, extra: Headers = ()) -> None:
        """Answer a request with an error."""
        self.answer(request, peer, request.response(status, reason, tag=secrets.token_hex(4), extra=extra))

    async def transact(
        self,
        request: Request,
        peer: Address,
        *,
        within_s: float = _GIVE_UP_S,
        on_provisional: Callable[[Response], None] = lambda _: None,
    ) -> Response:
        """Send a request, repeating it as long as UDP may have lost it; return the final answer.

        :raises SipTimeoutError: none came within ``within_s``.
        """
        key = (request.branch, request.method)
        queue = self._waiting[key] = asyncio.Queue()
        try:
            async with asyncio.timeout(within_s):
                return await self._exchange(request, peer, queue, on_provisional)
        except TimeoutError:
            raise SipTimeoutError(f"{request.method} {request.uri}: no answer in {within_s:g} s") from None
        finally:
            del self._waiting[key]

    async def _exchange(
        self,
        request: Request,
        peer: Address,
        queue: asyncio.Queue[Response],
        on_provisional: Callable[[Response], None],
    ) -> Response:
        pause_s: float | None = T1_S
        self.send(request.pack(), peer)
        while True:
            try:
                response = await asyncio.wait_for(queue.get(), pause_s)
            except TimeoutError:
                self.send(request.pack(), peer)
                assert pause_s is not None
                pause_s = pause_s * 2 if request.method == "INVITE" else min(pause_s * 2, T2_S)
                continue
            if response.status >= 200:
                return response
            # The other side has it now; an INVITE may ring for as long as it likes (§17.1.1.2).
            pause_s = None if request.method == "INVITE" else T2_S
            on_provisional(response)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Sort what arrived."""
        try:
            message = parse(data)
        except (SipSyntaxError, ValueError) as problem:
            log.warning("not SIP from %s: %s", addr, problem)
            return
        if isinstance(message, Response):
            waiting = self._waiting.get((message.branch, message.sequence[1]))
            if waiting is not None:
                waiting.put_nowait(message)
            else:
                self._on_stray_response(message, addr)
            return
        answered = self._answers.get((message.branch, message.method))
        if answered is not None:
            self.send(answered, addr)
        else:
            self._on_request(message, addr)
