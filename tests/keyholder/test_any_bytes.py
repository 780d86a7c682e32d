"""Any bytes on either end of the socket: bounded, and only the product's own errors."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import structlog.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_consent.errors import ConsentError
from asterisk_consent.keyholder.client import ask
from asterisk_consent.keyholder.server import KeyHolder
from asterisk_consent.keyholder.wire import (
    MAX_REQUEST_BYTES,
    Released,
    encode,
    read_answer,
    read_request,
    refused,
)
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.rights.access import Wanted
from tests.keyholder.conftest import key_holder
from tests.keyholder.place import RECORDED, UNKNOWN, Place, request_line

WHOLE = request_line(call_id=UNKNOWN)
PIECES = st.sampled_from(
    [
        b"\n",
        b"{",
        b"}",
        b'"',
        b",",
        b":",
        b"[" * 2000,
        b"\xff",
        b"\x00",
        b'{"version":1,',
        b'"call_id"',
        b"null",
    ]
    + [WHOLE[at : at + 9] for at in range(0, len(WHOLE), 9)]
)
BYTES = st.lists(PIECES | st.binary(max_size=20), max_size=30).map(b"".join)
CHANGED = st.tuples(st.integers(0, len(WHOLE)), st.binary(max_size=4), st.integers(0, 4)).map(
    lambda change: WHOLE[: change[0]] + change[1] + WHOLE[change[0] + change[2] :]
)
EVENTS = {"keyholder.refused", "keyholder.browsing"}


class Sink:
    """A writer, and its transport, that remember what was written; its peer is ourselves."""

    def __init__(self, ours: socket.socket) -> None:
        self.written = b""
        self._ours = ours

    @property
    def transport(self) -> "Sink":
        return self

    def get_extra_info(self, _: str) -> socket.socket:
        return self._ours

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None: ...

    async def wait_closed(self) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


@pytest.fixture(scope="module")
def holder() -> Iterator[KeyHolder]:
    """One that is served by hand; made once, since nothing that is sent to it changes anything."""
    with TemporaryDirectory() as directory:
        place = Place(Path(directory))
        place.make()
        asyncio.run(place.fill())
        yield key_holder(place, per_minute=10_000)
        assert place.reads() == []


@given(sent=BYTES | CHANGED)
@settings(max_examples=300, deadline=None)
def test_any_bytes_to_the_key_holder_are_refused_in_one_line_and_release_nothing(
    holder: KeyHolder, sent: bytes
) -> None:
    async def run(writer: Any) -> None:
        reader = asyncio.StreamReader(limit=MAX_REQUEST_BYTES)
        reader.feed_data(sent)
        reader.feed_eof()
        await holder._serve(reader, writer)

    ours, theirs = socket.socketpair()
    with ours, theirs, structlog.testing.capture_logs() as logs:
        sink = Sink(ours)
        asyncio.run(run(sink))
    assert [log["event"] for log in logs if log["event"] in EVENTS] == [log["event"] for log in logs]
    assert len(logs) == 1
    assert sink.written.count(b"\n") == 1
    assert not isinstance(read_answer(sink.written), Released)


@given(line=BYTES | CHANGED)
@settings(max_examples=300, deadline=None)
def test_any_line_is_a_request_or_the_products_error(line: bytes) -> None:
    with contextlib.suppress(ConsentError):
        assert read_request(line).version == 1


ANSWERS = st.sampled_from([encode(Released(("AGE-SECRET-KEY-1X",))), encode(refused(ConsentError("no")))])


@given(sent=BYTES | ANSWERS)
@settings(max_examples=100, deadline=None)
def test_any_bytes_from_a_key_holder_end_in_the_products_error(sent: bytes) -> None:
    wanted = Wanted(call_id=RECORDED, kind=Kind.PROOF_OPENED, person="", reason="why")
    with TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listening:
        path = Path(directory, "socket")
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(sent)

        thread = threading.Thread(target=answer)
        thread.start()
        with contextlib.suppress(ConsentError):
            assert ask(path, wanted, within_s=5.0) == ()
        thread.join()


def test_a_key_holder_that_says_nothing_is_not_waited_for() -> None:
    wanted = Wanted(call_id=RECORDED, kind=Kind.PROOF_OPENED, person="", reason="why")
    with TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(Path(directory, "socket")))
        listening.listen()
        with pytest.raises(ConsentError, match="no answer in time"):
            ask(Path(directory, "socket"), wanted, within_s=0.1)
