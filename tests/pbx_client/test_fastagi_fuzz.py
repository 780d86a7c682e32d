"""Any bytes into the FastAGI server and its channel: only the product's errors, and no handler reached."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_consent.errors import PbxError
from asterisk_consent.pbx.agi_wire import MAX_LINE_BYTES, parse_request
from asterisk_consent.pbx.fastagi import AgiChannel, FastAgiServer
from tests.pbx_client.fake_agi_call import header_block

Step = Callable[[AgiChannel], Awaitable[Any]]


class Sink:
    """A writer, and its transport, that forget."""

    @property
    def transport(self) -> "Sink":
        return self

    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def abort(self) -> None: ...

    def is_closing(self) -> bool:
        return False


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


PIECES = st.sampled_from(
    [
        b"\n",
        b"\n\n",
        b"200 result=",
        b"0",
        b"(",
        b")",
        b"HANGUP",
        b"520-",
        b"520 ",
        b"100 ",
        b" endpos=",
        b"49",
    ]
)
REPLIES = st.lists(PIECES | st.binary(max_size=10), max_size=30).map(b"".join)
STEPS: tuple[Step, ...] = (
    AgiChannel.answer,
    lambda channel: channel.stream_file("a", "1"),
    lambda channel: channel.wait_for_digit(1),
    lambda channel: channel.get_variable("A"),
)


@given(replies=REPLIES)
@settings(max_examples=200)
def test_any_bytes_as_replies_end_in_a_value_or_the_products_error(replies: bytes) -> None:
    async def run() -> int:
        writer: Any = Sink()
        channel = AgiChannel(parse_request(WHOLE_BLOCK), reader_of(replies), writer)
        ended = 0
        for step in STEPS:
            with contextlib.suppress(PbxError):
                await step(channel)
            ended += 1
        return ended

    assert asyncio.run(run()) == len(STEPS)


WHOLE_BLOCK = header_block().strip().split(b"\n")
BLOCKS = st.lists(st.sampled_from([line + b"\n" for line in WHOLE_BLOCK]) | PIECES | st.binary(max_size=10))


@given(block=BLOCKS.map(b"".join), whole=st.booleans(), replies=REPLIES)
@settings(max_examples=200)
def test_any_bytes_as_a_call_reach_no_handler_and_raise_nothing(
    block: bytes, whole: bool, replies: bytes
) -> None:
    reached: list[AgiChannel] = []

    async def handler(channel: AgiChannel) -> None:
        reached.append(channel)

    async def run() -> None:
        writer: Any = Sink()
        server = FastAgiServer(host="127.0.0.1", port=0, handler=handler)
        with structlog.testing.capture_logs() as logs:
            await server._serve(reader_of((header_block() if whole else block) + replies), writer)
        assert [log["event"] for log in logs] in (["agi_peer_broken"], ["agi_session_ended"])

    asyncio.run(run())
    assert reached == []
