"""A peer that is no Asterisk at all: the test writes its bytes. On a loopback port of its own choice."""

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha1

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_peer(behave: Behaviour) -> AsyncIterator[str]:
    """Let ``behave`` serve every connection for the length of the block; gives the URL of its ARI."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError):
                await behave(reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ari"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def upgrade(request: bytes) -> bytes:
    """Return the answer that turns this request's connection into a WebSocket (RFC 6455, section 4.2.2)."""
    lines = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if line)
    key = lines[b"Sec-WebSocket-Key"] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = b64encode(sha1(key, usedforsecurity=False).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """Return one WebSocket frame as a server sends it (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        size = bytes([length])
    elif length < 1 << 16:
        size = b"\x7e" + length.to_bytes(2, "big")
    else:
        size = b"\x7f" + length.to_bytes(8, "big")
    return bytes([(0x80 if final else 0) | opcode]) + size + payload


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
