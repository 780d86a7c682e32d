"""One call in Asterisk's ``AGI(agi://…)``: writes the header block as Asterisk 22 does, answers commands."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HEADERS = {
    "agi_network": "yes", "agi_network_script": "ask", "agi_request": "agi://127.0.0.1/ask",
    "agi_channel": "PJSIP/caller-00000001", "agi_language": "nl", "agi_type": "PJSIP",
    "agi_uniqueid": "1795395166.3", "agi_version": "22.10.1", "agi_callerid": "+442079460123",
    "agi_calleridname": "Zoë", "agi_callingpres": "0", "agi_callingani2": "0", "agi_callington": "0",
    "agi_callingtns": "0", "agi_dnid": "unknown", "agi_rdnis": "unknown", "agi_context": "support",
    "agi_extension": "s", "agi_priority": "5", "agi_enhanced": "0.0", "agi_accountcode": "",
    "agi_threadid": "140592495044288", "agi_arg_1": "support",
}  # fmt: skip
NONCE = re.compile(rb'GET FULL VARIABLE "([0-9a-f]{32})"\n')


def header_block(**changed: str) -> bytes:
    """The block as Asterisk writes it: nothing escaped."""
    lines = {**HEADERS, **changed}
    return "".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"


class FakeCall:
    """Asterisk's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        """Write anything."""
        self._writer.write(data)

    async def command(self) -> bytes:
        """Return the next command, without its line feed; empty when the server closed."""
        try:
            return (await asyncio.wait_for(self._reader.readline(), 5)).removesuffix(b"\n")
        except ConnectionError:
            return b""

    async def confirm_step(self) -> None:
        """Say the nonce back, as Asterisk does."""
        match = NONCE.fullmatch(await self.command() + b"\n")
        assert match is not None
        self.send(b"200 result=1 (%s)\n" % match[1])

    async def expect(self, command: bytes, reply: bytes) -> None:
        """Check the next command and reply to it."""
        assert await self.command() == command
        self.send(reply)

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()


@asynccontextmanager
async def fake_call(port: int, block: bytes | None = None) -> AsyncIterator[FakeCall]:
    """Connect and send the header block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    call = FakeCall(reader, writer)
    call.send(header_block() if block is None else block)
    try:
        yield call
    finally:
        writer.close()
