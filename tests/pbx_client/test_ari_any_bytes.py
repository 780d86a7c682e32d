"""Any bytes where ARI should be: the connection is dropped and tried again, and only the product's errors come out."""

import asyncio
import contextlib
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import structlog.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_consent.errors import PbxError, PbxProtocolError
from asterisk_consent.pbx.ari import MAX_EVENT_BYTES, AriClient
from asterisk_consent.pbx.ari_wire import (
    MAX_LISTED_OBJECTS,
    AriEvent,
    parse_bridge_channels,
    parse_channels,
    parse_event,
    parse_running_modules,
    parse_variable,
    parse_version,
)
from tests.pbx_client.fake_ari import APP, PASSWORD, USER, FakeAri
from tests.pbx_client.raw_peer import BINARY, CLOSE, PING, PONG, TEXT, frame, raw_peer, upgrade
from tests.pbx_client.test_ari_connection import AT_ONCE, Listener, running, until

LOOP_HELD_S = 0.020
"""Invariant: whatever comes in, the loop is never held longer than this."""

EVENT = msgspec.json.encode({"type": "StasisStart", "channel": {"id": "1.1"}, "args": ["ask"]})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.fixed_dictionaries(
    {"type": st.text(max_size=8)},
    optional={
        "timestamp": JSON | st.datetimes().map(str) | st.just("0001-01-01T00:00:00+23:59"),
        "channel": JSON | st.fixed_dictionaries({"id": JSON}, optional={"caller": JSON, "dialplan": JSON}),
        "playback": JSON | st.fixed_dictionaries({"id": JSON, "target_uri": JSON}),
        "digit": JSON,
        "args": JSON,
    },
)
ENCODED = (JSON | SHAPED).map(msgspec.json.encode)
CUT = st.tuples(ENCODED, st.integers(0, 200), st.binary(max_size=3)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
)
MESSAGES = st.binary(max_size=200) | ENCODED | CUT
PARSERS: tuple[Callable[[bytes], Any], ...] = (
    parse_channels,
    parse_bridge_channels,
    parse_variable,
    parse_version,
    parse_running_modules,
)


@given(data=MESSAGES)
@settings(max_examples=200)
def test_any_message_is_an_event_whose_every_text_can_be_written_down_or_the_products_error(
    data: bytes,
) -> None:
    try:
        event = parse_event(data)
    except PbxProtocolError:
        return
    assert isinstance(event, AriEvent)
    assert isinstance(event.at_s, float)
    assert event.playback is None or isinstance(event.playback.channel_id, str)
    assert msgspec.json.decode(msgspec.json.encode(event), type=AriEvent) == event


@given(data=MESSAGES, parse=st.sampled_from(PARSERS))
@settings(max_examples=200)
def test_any_answer_is_a_value_or_the_products_error(data: bytes, parse: Callable[[bytes], Any]) -> None:
    with contextlib.suppress(PbxProtocolError):
        assert parse(data) is not None


@pytest.mark.parametrize(
    "moment", ["", "yesterday", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "0001-01-01T00:00:00+23:59"]
)
def test_a_moment_that_cannot_be_read_counts_as_none(moment: str) -> None:
    assert AriEvent(type="PlaybackStarted", timestamp=moment).at_s <= 253402300800.0


def test_a_list_of_more_channels_than_can_be_read_in_time_is_refused() -> None:
    listed = msgspec.json.encode([{"id": str(number)} for number in range(MAX_LISTED_OBJECTS + 1)])
    with pytest.raises(PbxProtocolError, match="too long"):
        parse_channels(listed)
    assert len(parse_channels(msgspec.json.encode([{"id": "1"}] * MAX_LISTED_OBJECTS))) == MAX_LISTED_OBJECTS


BROKEN = {
    "no JSON": frame(TEXT, b"hello"),
    "no event": frame(TEXT, b"[]"),
    "no UTF-8": frame(TEXT, b'{"type":"\xff\xfe"}'),
    "no UTF-8 in a binary message": frame(BINARY, b'{"type":"\xff\xfe"}'),
    "half a surrogate": frame(TEXT, b'{"type":"\\ud800"}'),
    "deeply nested": frame(TEXT, b'{"type":"x","y":' + b"[" * 100_000),
    "huge": frame(TEXT, b'{"type":"' + b"x" * MAX_EVENT_BYTES + b'"}'),
    "huge, announced": b"\x81\x7f" + (1 << 40).to_bytes(8, "big") + b"x" * 100,
    "huge in pieces": frame(TEXT, b'"', final=False) + frame(0, b"x" * 100_000, final=False) * 3,
    "reserved bits": b"\xf1\x00",
    "an unknown opcode": b"\x83\x00",
    "a long ping": frame(PING, b"x" * 200),
    "a continuation of nothing": frame(0, b"x"),
    "a close without a code": frame(CLOSE, b"x"),
    "a close with a code of nobody": frame(CLOSE, b"\x00\x01"),
    "masked": b"\x81\x81\x00\x00\x00\x00x",
    "noise": bytes(range(256)) * 100,
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_message_drops_the_connection_after_the_events_before_it_and_another_is_made(
    name: str, ari_peer: FakeAri
) -> None:
    async with running(ari_peer) as connection:
        broken = await connection.socket()
        broken.send_raw(frame(TEXT, EVENT) + BROKEN[name])
        await connection.listener.hear("connected", "StasisStart", "disconnected", "connected")
        again = await connection.socket()
        again.send_raw(frame(TEXT, EVENT))
        await connection.listener.hear("StasisStart")
        assert not connection.running.done()


PIECES = st.sampled_from(
    [
        b"HTTP/1.1 ",
        b"101 Switching Protocols",
        b"200 OK",
        b"204 No Content",
        b"302 Found",
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Encoding: gzip",
        b"Transfer-Encoding: chunked",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Connection: close",
        b"Location: http://[",
        b"Set-Cookie: a=b",
        b"Sec-WebSocket-Accept: x",
        b"ffffffffffffffff\r\n",
        b"0\r\n\r\n",
        frame(TEXT, EVENT),
        frame(CLOSE, b""),
    ]
)
STREAMS = st.lists(PIECES | st.binary(max_size=20), max_size=25).map(b"".join)


@given(stream=STREAMS, upgraded=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_bytes_instead_of_http_or_a_websocket_leave_the_client_trying(
    stream: bytes, upgraded: bool
) -> None:
    asyncio.run(_answer_with(stream, upgraded=upgraded))


async def _answer_with(stream: bytes, *, upgraded: bool) -> None:
    tries = 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        asked = await reader.readuntil(b"\r\n\r\n")
        tries += 1
        if upgraded and asked.startswith(b"GET /ari/events"):
            writer.write(upgrade(asked))
        elif upgraded:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        writer.write(stream)

    with structlog.testing.capture_logs():
        async with (
            raw_peer(behave) as url,
            AriClient(url=url, username=USER, password=PASSWORD, app=APP, backoff=AT_ONCE) as client,
        ):
            task = asyncio.create_task(client.run(Listener()))
            await until(lambda: tries >= 4 or task.done())
            assert not task.done()
            with contextlib.suppress(PbxError):
                await client.channels.list()
            task.cancel()
            await asyncio.wait([task])


class Forgetful(Listener):
    """Keeps no events: what they cost afterwards is not the client's."""

    def take(self, event: AriEvent) -> None: ...


FLOODS = {
    "small events": frame(TEXT, b'{"type":""}') * 20_000,
    "events": frame(TEXT, EVENT) * 2_000,
    "pings": frame(PING, b"") * 50_000,
    "pongs": frame(PONG, b"") * 50_000,
    "a message in pieces": frame(TEXT, b"[", final=False) + frame(0, b"", final=False) * 50_000,
    "events of many arguments": frame(TEXT, b'{"type":"","args":[' + b'"",' * 80_000 + b'""]}'),
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Keep Python's collector from walking over all that the test run holds: 30 ms that are nobody's here."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_neither_holds_the_loop_nor_keeps_the_client_from_closing(
    name: str, no_collector: None
) -> None:
    turns: list[float] = []
    with structlog.testing.capture_logs(), flooding(FLOODS[name]) as url:
        async with AriClient(url=url, username=USER, password=PASSWORD, app=APP, backoff=AT_ONCE) as client:
            listener = Forgetful()
            task = asyncio.create_task(client.run(listener))
            await listener.hear("connected")
            ends_at_s, began_s = time.monotonic() + 0.2, time.thread_time()
            while time.monotonic() < ends_at_s:
                await asyncio.sleep(0)
                now_s = time.thread_time()
                turns.append(now_s - began_s)
                began_s = now_s
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=2.0)
            assert done
    assert turns
    assert max(turns) <= LOOP_HELD_S


@contextmanager
def flooding(flood: bytes) -> Iterator[str]:
    """A peer in a thread of its own, so that its work is not counted: opens the WebSocket, then pours."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def pour(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(1.0)
            while not over.is_set():
                asked = connection.recv(65536)
                if asked.startswith(b"GET /ari/events"):
                    connection.sendall(upgrade(asked))
                    while not over.is_set():
                        connection.sendall(flood)
                elif asked:
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def accept(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection, _ = server.accept()
                threads.append(threading.Thread(target=pour, args=(connection,), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        accepting = threading.Thread(target=accept, args=(server,), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/ari"
        finally:
            over.set()
            for thread in [accepting, *threads]:
                thread.join(timeout=3.0)
