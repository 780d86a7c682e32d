"""The other end of Asterisk's ``AGI(agi://…)``: a server that makes an ``AgiChannel`` of each connection.

Rule: a slow, huge or broken peer costs its own connection only; a reply counts only when it answers the
command that was sent. Knows nothing of consent: the handler does.

Source: Asterisk documentation, "Asterisk Gateway Interface (AGI)" and "AGI Commands".
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import structlog

from asterisk_consent.errors import PbxError, PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.agi_wire import (
    MAX_HEADERS,
    MAX_LINE_BYTES,
    AgiReply,
    AgiRequest,
    parse_reply,
    parse_request,
    render_command,
)

HEADERS_WITHIN_S = 5.0
ANSWER_WITHIN_S = 5.0
MAX_EXTRA_LINES = 64
"""Lines that may come with a reply: ``100 Trying``, and the usage text of a ``520``."""

_DIGITS = frozenset("0123456789*#ABCD")
_VARIABLE = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]*(\([A-Za-z0-9_,]*\))?")

_log = structlog.get_logger("asterisk_consent.pbx.fastagi")


class Played(NamedTuple):
    """How a playback ended: the digit that stopped it, or none, and how far it came, in samples."""

    digit: str
    endpos: int


class AgiChannel:
    """The call on the other end of one connection. One command at a time.

    Every method raises ``PbxUnavailableError`` once the caller hung up or the connection is gone,
    ``PbxRefusedError`` when Asterisk does not carry out the command, and ``PbxProtocolError`` for an argument
    that must not be sent (nothing is) or for a reply that is none, after which the channel is of no more use.
    """

    def __init__(
        self, request: AgiRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer
        self._in_step = True

    async def prove_in_step(self, nonce: str) -> None:
        """Have Asterisk say ``nonce`` back: then no line forged into the headers is taken for a reply."""
        if (await self._ask("GET FULL VARIABLE", nonce)).text != nonce:
            self._in_step = False
            raise PbxProtocolError("the AGI peer answers something else than it was asked")

    async def answer(self) -> None:
        """Answer the call; without effect when it is up."""
        if (await self._ask("ANSWER")).result < 0:
            raise PbxUnavailableError("the call could not be answered")

    async def stream_file(
        self, name: str, escape_digits: str = "", *, offset: int = 0, limit_s: float = 300.0
    ) -> Played:
        """Play sound ``name`` (without extension) until its end or one of ``escape_digits``.

        :param offset: where to begin, in samples.
        :param limit_s: longest time without Asterisk's answer, in seconds; more than the sound lasts.
        :raises PbxRefusedError: Asterisk cannot play it, for instance because it is missing.
        """
        where = [str(offset)] if offset else []
        reply = await self._ask("STREAM FILE", name, escape_digits, *where, within_s=limit_s)
        if reply.result < 0:
            await self._refuse_or_gone("a sound could not be played")
        return Played(digit=self._digit(reply), endpos=reply.endpos)

    async def wait_for_digit(self, timeout_s: float) -> str:
        """Return the digit pressed within ``timeout_s``, or an empty text."""
        milliseconds = max(0, round(timeout_s * 1000))
        reply = await self._ask("WAIT FOR DIGIT", str(milliseconds), within_s=timeout_s + ANSWER_WITHIN_S)
        if reply.result < 0:
            raise PbxUnavailableError("the caller hung up")
        return self._digit(reply)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable, or a function such as ``TIMEOUT(absolute)``, to exactly ``value``."""
        await self._ask("SET VARIABLE", _checked(name), value)

    async def get_variable(self, name: str) -> str:
        """Return a variable; empty when it is not set. Whatever it holds cannot be taken for a reply.

        Asterisk cuts what is longer than 4 KB once it is percent-encoded.
        """
        # Plain GET VARIABLE sends line feeds and parentheses of the value as they are.
        reply = await self._ask("GET FULL VARIABLE", f"${{URIENCODE(${{{_checked(name)}}})}}")
        return unquote_to_bytes(reply.text or "").decode("utf-8", "backslashreplace")

    async def set_context(self, context: str) -> None:
        """Choose the context in which the dialplan goes on; Asterisk does not check that it exists."""
        await self._ask("SET CONTEXT", context)

    async def set_extension(self, extension: str) -> None:
        """Choose the extension at which the dialplan goes on."""
        await self._ask("SET EXTENSION", extension)

    async def set_priority(self, priority: str) -> None:
        """Choose the priority, a number or label, at which the dialplan goes on."""
        if (await self._ask("SET PRIORITY", priority)).result < 0:
            raise PbxRefusedError("Asterisk does not know the priority")

    def end(self) -> None:
        """End the session: the dialplan goes on."""
        self._in_step = False
        self._writer.close()

    def leave_at(self, extension: str) -> None:
        """End the session at once; the dialplan goes on at the first priority of ``extension``.

        Waits for no reply. Asterisk breaks off what it plays when a command comes, and reads both of these though
        the connection has ended by then (seen on Asterisk 22.10.1).
        """
        if not self._writer.is_closing():
            self._writer.write(
                render_command("SET EXTENSION", extension) + render_command("SET PRIORITY", "1")
            )
        self.end()

    async def _refuse_or_gone(self, what: str) -> None:
        # Asterisk gives -1 for a missing file and for a hang-up alike; a dead channel has no status.
        if (await self._ask("CHANNEL STATUS")).result < 0:
            raise PbxUnavailableError("the caller hung up")
        raise PbxRefusedError(what, remedy="Look whether the file is there in the channel's language")

    def _digit(self, reply: AgiReply) -> str:
        if reply.result == 0:
            return ""
        if reply.result > 127 or chr(reply.result) not in _DIGITS:
            self._in_step = False
            raise PbxProtocolError("an AGI reply names a digit that no telephone has")
        return chr(reply.result)

    async def _ask(self, words: str, *arguments: str, within_s: float = ANSWER_WITHIN_S) -> AgiReply:
        command = render_command(words, *arguments)
        if not self._in_step:
            raise PbxUnavailableError("the AGI session is over")
        self._in_step = False  # until the reply is read: one that comes later would answer the wrong command
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(command)
                await self._writer.drain()
                line = await self._reply_line()
        except TimeoutError as error:
            raise PbxUnavailableError(f"no answer to AGI {words} within {within_s:g} s") from error
        except OSError as error:
            raise PbxUnavailableError("the AGI connection was lost") from error
        if line.startswith((b"510", b"520")):
            self._in_step = True
            raise PbxRefusedError(f"Asterisk does not carry out AGI {words}")
        reply = parse_reply(line)
        self._in_step = True
        return reply

    async def _reply_line(self) -> bytes:
        in_usage = False
        for _ in range(MAX_EXTRA_LINES):
            line = await read_line(self._reader)
            if line == b"HANGUP" or line.startswith(b"511 "):
                raise PbxUnavailableError("the caller hung up")
            in_usage = in_usage or line.startswith(b"520-")
            if line.startswith(b"520 ") or not (in_usage or line.startswith(b"100 ")):
                return line
        raise PbxProtocolError(f"an AGI reply has more than {MAX_EXTRA_LINES} lines")


def _checked(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise PbxProtocolError("the name of a channel variable has a character that is not allowed")
    return name


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """Read one line, without its line feed.

    :raises PbxProtocolError: longer than the limit the reader was made with.
    :raises PbxUnavailableError: the connection ended.
    """
    try:
        return (await reader.readuntil(b"\n"))[:-1]
    except asyncio.LimitOverrunError as error:
        raise PbxProtocolError(f"an AGI line is longer than {MAX_LINE_BYTES} bytes") from error
    except (asyncio.IncompleteReadError, OSError) as error:
        raise PbxUnavailableError("the AGI connection ended") from error


class FastAgiServer:
    """Listens for Asterisk and runs ``handler`` for each call, at most ``max_sessions`` at once.

    :param nonce: makes the text by which a session proves to be in step; unguessable.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        handler: Callable[[AgiChannel], Awaitable[None]],
        headers_within_s: float = HEADERS_WITHIN_S,
        max_sessions: int = 1000,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._host, self._port = host, port
        self._handler = handler
        self._headers_within_s = headers_within_s
        self._max_sessions = max_sessions
        self._nonce = nonce
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port listened on; that of the settings before ``start``."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._port

    async def start(self) -> None:
        """Listen.

        :raises PbxUnavailableError: the address cannot be listened on.
        """
        try:
            self._server = await asyncio.start_server(
                self._accept, self._host, self._port, limit=MAX_LINE_BYTES
            )
        except OSError as error:
            where = f"FastAGI {self._host}:{self._port}"
            raise PbxUnavailableError(f"cannot listen ({error.strerror})", where=where) from error

    async def close(self) -> None:
        """Stop listening and end every session; the dialplan goes on with ``AGISTATUS=FAILURE``."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for session in self._sessions:
            session.cancel()
        if self._sessions:
            await asyncio.wait(self._sessions)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= self._max_sessions:
            _log.error("agi_too_many_sessions", limit=self._max_sessions)
            writer.transport.abort()
            return
        session = asyncio.create_task(self._serve(reader, writer), name="agi-session")
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            channel = AgiChannel(await self._read_request(reader), reader, writer)
            await channel.prove_in_step(self._nonce())
            await self._handler(channel)
        except PbxProtocolError as error:
            _log.warning("agi_peer_broken", problem=str(error))
        except PbxError as error:
            _log.info("agi_session_ended", problem=str(error))
        except Exception:
            _log.exception("agi_handler_failed")
        finally:
            if not writer.is_closing():  # what a session sent last may still be on its way
                writer.transport.abort()

    async def _read_request(self, reader: asyncio.StreamReader) -> AgiRequest:
        lines: list[bytes] = []
        try:
            async with asyncio.timeout(self._headers_within_s):
                while line := await read_line(reader):
                    lines.append(line)
                    if len(lines) > MAX_HEADERS:
                        break
        except TimeoutError as error:
            raise PbxProtocolError("the AGI header block does not come to its end") from error
        return parse_request(lines)
