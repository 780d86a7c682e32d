"""AMI as bytes: frames what Asterisk sends into events and replies, renders what we send.

Rule: no byte stream crashes the reader or makes it hold more than the limits below; no value that is sent can
begin another header or action. Pure: no sockets, no clock.

Source: Asterisk documentation, "Asterisk Manager Interface (AMI) / The Asterisk Manager TCP/IP API" and
"AMI v2 Specification"; the limits on what is sent are those of ``main/manager.c`` (``inbuf[1025]``,
``AST_MAX_MANHEADERS``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asterisk_consent.errors import PbxProtocolError

BANNER = b"Asterisk Call Manager/"
MAX_LINE_BYTES = 16 * 1024
MAX_LINES = 512
MAX_MESSAGE_BYTES = 64 * 1024
MAX_SENT_LINE_BYTES = 1000
MAX_SENT_HEADERS = 100

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_BREAKS_OUT = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiMessage:
    """Headers as Asterisk sent them; of a repeated one the first, so that none is forged by a later one."""

    fields: Mapping[str, str]

    def get(self, name: str, default: str | None = None) -> str:
        """Return header ``name``, spelt exactly; without a default an unknown one raises ``KeyError``."""
        return self.fields[name] if default is None else self.fields.get(name, default)

    @property
    def action_id(self) -> str:
        """The id of the action this belongs to, or an empty text."""
        return self.fields.get("ActionID", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiEvent(AmiMessage):
    """Something happened on the PBX, ``name`` says what."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiReply(AmiMessage):
    """The answer to one action, with the ``items`` of a list action in the order they came."""

    response: str
    items: tuple[AmiEvent, ...] = ()

    @property
    def success(self) -> bool:
        """Whether Asterisk accepted the action; for MixMonitor that is no proof of its effect."""
        return self.response in ("Success", "Follows", "Goodbye")


class AmiReader:
    """Turns chunks of any size into messages; what is not AMI, or too large, is a ``PbxProtocolError``."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._line_starts = 0
        self._searched_to = 0
        self._greeted = False
        self._headers: list[tuple[str, str]] = []
        self._message_bytes = 0
        self._message_lines = 0

    def feed(self, data: bytes) -> None:
        """Add bytes as they came from the socket."""
        self._buffer += data

    def next_message(self) -> AmiEvent | AmiReply | None:
        """Return the next whole message, or None until more bytes are fed.

        :raises PbxProtocolError: the stream is not AMI or exceeds a limit; the reader is of no further use.
        """
        while (line := self._next_line()) is not None:
            self._message_bytes += len(line)
            self._message_lines += 1
            if self._message_bytes > MAX_MESSAGE_BYTES or self._message_lines > MAX_LINES:
                raise PbxProtocolError(f"a message exceeds {MAX_MESSAGE_BYTES} bytes or {MAX_LINES} lines")
            if not self._greeted:
                if not line.startswith(BANNER):
                    raise PbxProtocolError("the peer does not greet as an Asterisk manager interface")
                self._greeted = True
            elif line:
                self._add_header(line)
            elif self._headers:
                return self._message()
        return None

    def _next_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", self._searched_to)
        length = (end if end >= 0 else len(self._buffer)) - self._line_starts
        if length > MAX_LINE_BYTES:
            raise PbxProtocolError(f"a line is longer than {MAX_LINE_BYTES} bytes")
        if end < 0:
            del self._buffer[: self._line_starts]
            self._line_starts = 0
            self._searched_to = max(0, len(self._buffer) - 1)  # the last byte may be half of a CR LF
            return None
        line = bytes(self._buffer[self._line_starts : end])
        self._line_starts = self._searched_to = end + 2
        return line

    def _add_header(self, line: bytes) -> None:
        # Decoded a whole line at a time, so a character cut by a read arrives whole; what is not UTF-8 is
        # shown as \xNN, which, unlike a surrogate, every later encoder accepts.
        name, colon, value = line.decode("utf-8", "backslashreplace").partition(":")
        if colon:
            self._headers.append((name, value.removeprefix(" ")))
        elif self._headers:
            # A value with a line break of its own, for instance that of a channel variable.
            before, its_value = self._headers[-1]
            self._headers[-1] = (before, f"{its_value}\r\n{name}")
        else:
            raise PbxProtocolError("a message does not begin with a header")

    def _message(self) -> AmiEvent | AmiReply:
        kind, word = self._headers[0]
        first_of_each: dict[str, str] = {}
        for name, value in self._headers:
            first_of_each.setdefault(name, value)
        fields = MappingProxyType(first_of_each)
        self._headers = []
        self._message_bytes = self._message_lines = 0
        if kind == "Event":
            return AmiEvent(name=word, fields=fields)
        if kind == "Response":
            return AmiReply(response=word, fields=fields)
        raise PbxProtocolError("a message is neither an event nor a response")


def check_action(name: str, fields: Mapping[str, str]) -> None:
    """Refuse an action that Asterisk would read as something else than one action with these fields.

    :raises PbxProtocolError: a line break or NUL in a value, a name that is none, a line or action too long.
    """
    seen = {"actionid"}
    if len(fields) > MAX_SENT_HEADERS:
        raise PbxProtocolError(f"an AMI action has more than {MAX_SENT_HEADERS} fields")
    for header, value in (("Action", name), *fields.items()):
        if not _NAME.fullmatch(header):
            raise PbxProtocolError("the name of an AMI field has a character that is not allowed")
        if header.lower() in seen:
            raise PbxProtocolError(f"AMI field {header} is set twice or reserved")
        seen.add(header.lower())
        if _BREAKS_OUT.search(value):
            raise PbxProtocolError(f"AMI field {header} has a line break or NUL")
        try:
            length = len(f"{header}: {value}".encode())
        except UnicodeEncodeError:
            raise PbxProtocolError(f"AMI field {header} cannot be written as UTF-8") from None
        if length > MAX_SENT_LINE_BYTES:
            raise PbxProtocolError(f"AMI field {header} is longer than {MAX_SENT_LINE_BYTES} bytes")
