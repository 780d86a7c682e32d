"""AGI as bytes: the header block, commands and replies.

Rule: nothing that a caller's name or number holds becomes a header, a command or a reply. Asterisk sends the
header block unescaped, so a line feed in a caller's name begins a line of the caller's making. That is found,
because Asterisk writes the headers in one fixed order, each once. Pure: no sockets, no clock.

Source: Asterisk documentation, "Asterisk Gateway Interface (AGI)", and ``res/res_agi.c`` (``setup_env``,
``parse_args``); the order was seen on Asterisk 22.10.1.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from asterisk_consent.errors import PbxProtocolError

MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS = 64
MAX_COMMAND_BYTES = 2000  # Asterisk reads a command into 2,048 bytes

IN_ORDER = (
    "agi_network", "agi_network_script", "agi_request", "agi_channel", "agi_language", "agi_type",
    "agi_uniqueid", "agi_version", "agi_callerid", "agi_calleridname", "agi_callingpres", "agi_callingani2",
    "agi_callington", "agi_callingtns", "agi_dnid", "agi_rdnis", "agi_context", "agi_extension",
    "agi_priority", "agi_enhanced", "agi_accountcode", "agi_threadid",
)  # fmt: skip
_PLACE = {name: place for place, name in enumerate(IN_ORDER)}
_REQUIRED = ("agi_channel", "agi_uniqueid", "agi_threadid")
_HEADER = re.compile(r"(agi_[a-z0-9_]+): ?(.*)", re.DOTALL)
_ARGUMENT = re.compile(r"agi_arg_([1-9][0-9]{0,2})")
_REPLY = re.compile(r"200 result=(-?[0-9]{1,10})(?: \((.*)\))?(?: endpos=([0-9]{1,18}))?", re.DOTALL)
_BREAKS_OUT = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgiRequest:
    """What Asterisk says about the call; what is not UTF-8 is shown as ``\\xNN``.

    ``arguments`` are those of the dialplan's ``AGI()``; put no text of a caller's into them there.
    """

    fields: Mapping[str, str]
    arguments: tuple[str, ...]

    def get(self, name: str, default: str | None = None) -> str:
        """Return header ``name``, spelt exactly; without a default an unknown one raises ``KeyError``."""
        return self.fields[name] if default is None else self.fields.get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgiReply:
    """A ``200`` reply: its number, the text in parentheses (None without), the position in samples."""

    result: int
    text: str | None
    endpos: int


def parse_request(lines: Sequence[bytes]) -> AgiRequest:
    """Read the header block, without its closing empty line.

    :raises PbxProtocolError: not AGI, too many headers, or not the order in which Asterisk writes them.
    """
    if len(lines) > MAX_HEADERS:
        raise PbxProtocolError(f"more than {MAX_HEADERS} AGI headers")
    fields: dict[str, str] = {}
    arguments: list[str] = []
    place = -1
    for line in lines:
        match = _HEADER.fullmatch(line.decode("utf-8", "backslashreplace"))
        if match is None:
            raise PbxProtocolError("a line of the AGI header block is no header")
        name, value = match[1], match[2]
        if name in fields:
            raise PbxProtocolError("an AGI header comes twice")
        fields[name] = value
        argument = _ARGUMENT.fullmatch(name)
        next_place = len(IN_ORDER) + int(argument[1]) if argument else _PLACE.get(name, place + 1)
        if next_place <= place:
            raise PbxProtocolError("AGI headers are not in Asterisk's order: a value may have forged one")
        if argument:
            arguments.append(value)
        if argument or name in _PLACE:
            place = next_place
    if any(name not in fields for name in _REQUIRED):
        raise PbxProtocolError("the AGI header block is not complete")
    return AgiRequest(fields=MappingProxyType(fields), arguments=tuple(arguments))


def render_command(words: str, *arguments: str) -> bytes:
    """Render one command, each argument quoted so that Asterisk reads it back as it is.

    :raises PbxProtocolError: a line break or NUL in an argument, or a command Asterisk would cut.
    """
    quoted = []
    for argument in arguments:
        if _BREAKS_OUT.search(argument):
            raise PbxProtocolError(f"an argument of AGI {words} has a line break or NUL")
        escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
        quoted.append(f' "{escaped}"')
    try:
        line = f"{words}{''.join(quoted)}\n".encode()
    except UnicodeEncodeError:
        raise PbxProtocolError(f"an argument of AGI {words} cannot be written as UTF-8") from None
    if len(line) > MAX_COMMAND_BYTES:
        raise PbxProtocolError(f"AGI {words} is longer than {MAX_COMMAND_BYTES} bytes")
    return line


def parse_reply(line: bytes) -> AgiReply:
    """Read a ``200`` reply.

    :raises PbxProtocolError: anything else.
    """
    match = _REPLY.fullmatch(line.decode("utf-8", "backslashreplace"))
    if match is None:
        raise PbxProtocolError("an AGI reply is none of those that Asterisk gives")
    return AgiReply(result=int(match[1]), text=match[2], endpos=int(match[3] or 0))
