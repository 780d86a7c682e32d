"""An ARI under the test's control, on a loopback port of its own choice.

It knows one user, opens the WebSocket as Asterisk 22 does and answers every request with 204 unless the test
says otherwise. ``story`` tells what reached it, in order.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import WSMsgType, web

USER, PASSWORD, APP = "asterisk-consent", "secret", "asterisk-consent"
AUTHORIZATION = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
FILTER = f"PUT /applications/{APP}/eventFilter"


class FakeSocket:
    """One WebSocket of a client."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._socket = socket
        self._request = request
        self.gone = asyncio.Event()
        self.pings: asyncio.Queue[bytes] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, **event: object) -> None:
        """Send one event."""
        await self._socket.send_bytes(msgspec.json.encode(event))

    async def send_text(self, text: str) -> None:
        """Send any text as one message."""
        await self._socket.send_str(text)

    async def ping(self, data: bytes) -> None:
        """Ask whether the client is there."""
        await self._socket.ping(data)

    async def close(self) -> None:
        """Close as Asterisk does when it stops."""
        await self._socket.close()

    def send_raw(self, data: bytes) -> None:
        """Write bytes past the WebSocket."""
        assert self._request.transport is not None
        self._request.transport.write(data)

    def drop(self) -> None:
        """Reset the connection."""
        assert self._request.transport is not None
        self._request.transport.abort()

    async def listen(self, *, answers_pings: bool) -> None:
        """Take what the client sends, until either side ends it."""
        try:
            while (message := await self._socket.receive()).type in (WSMsgType.PING, WSMsgType.PONG):
                if message.type is WSMsgType.PONG:
                    self.pongs.put_nowait(message.data)
                    continue
                self.pings.put_nowait(message.data)
                if answers_pings:
                    await self._socket.pong(message.data)
        finally:
            self.gone.set()


@dataclass(slots=True)
class FakeAri:
    """The peer: what reached it, and switches for how it misbehaves."""

    url: str = ""
    story: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Status and body by method and path; also for ``GET /events``."""
    silent: set[str] = field(default_factory=set)
    """Methods and paths that get no answer."""
    filters: list[bytes] = field(default_factory=list)
    requests: asyncio.Queue[web.Request] = field(default_factory=asyncio.Queue)
    sockets: asyncio.Queue[FakeSocket] = field(default_factory=asyncio.Queue)
    connections: set[asyncio.BaseTransport | None] = field(default_factory=set)
    answers_pings: bool = True
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.connections.add(request.transport)
        asked = f"{request.method} {request.rel_url.raw_path.removeprefix('/ari')}"
        self.story.append(asked)
        self.requests.put_nowait(request)
        if request.headers.get("Authorization") != AUTHORIZATION:
            return web.Response(status=401)
        if asked == FILTER:
            self.filters.append(await request.read())
        if asked in self.silent:
            await self._over.wait()
        status, body = self.answers.get(asked, (204, b""))
        if asked == "GET /events" and status == 204:
            return await self._open(request)
        headers = {"Location": "/ari/elsewhere"} if status == 302 else {}
        return web.Response(status=status, body=body, headers=headers)

    def end(self) -> None:
        """Let go of what was never answered."""
        self._over.set()

    async def _open(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        ours = FakeSocket(socket, request)
        self.sockets.put_nowait(ours)
        await ours.listen(answers_pings=self.answers_pings)
        return socket


@asynccontextmanager
async def fake_ari(port: int = 0) -> AsyncIterator[FakeAri]:
    """Run a peer for the length of the block; port 0 takes a free one."""
    peer = FakeAri()
    app = web.Application()
    app.router.add_route("*", r"/{path:[\s\S]*}", peer.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, port = runner.addresses[0][:2]
    peer.url = f"http://{host}:{port}/ari"
    try:
        yield peer
    finally:
        peer.end()
        await runner.cleanup()
