"""SIP messages and session descriptions as text: what is written on the wire and read from it.

Rule: names of callers are bytes that belong to somebody else. A ``str`` is quoted as RFC 3261 §25.1 asks, a
``bytes`` name is put between the quotes as it is, so that a test can send what no proper phone would.
Text is UTF-8 with surrogate escapes, which keeps every byte.
"""

import re
from dataclasses import dataclass

from tests.pbx.g711 import Law
from tests.pbx.rtp import EVENT_PAYLOAD_TYPE, PAYLOAD_TYPES

Header = tuple[str, str]
Headers = tuple[Header, ...]

VERSION = "SIP/2.0"
_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_RTPMAP = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000", re.MULTILINE | re.IGNORECASE)


class SipSyntaxError(Exception):
    """A datagram that is not a SIP message we understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    headers: Headers
    body: str = ""

    def get(self, name: str) -> str:
        """Return the first header of that name, or an empty string."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every header of that name, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    @property
    def sequence(self) -> tuple[int, str]:
        """The number and method of CSeq."""
        number, _, method = self.get("CSeq").partition(" ")
        return int(number), method.strip()

    @property
    def branch(self) -> str:
        """The branch of the topmost Via, which names the transaction."""
        return parameter(self.get("Via"), "branch")

    def _packed(self, first_line: str) -> bytes:
        body = self.body.encode("utf-8", "surrogateescape")
        lines = [first_line, *(f"{name}: {value}" for name, value in self.headers)]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    method: str
    uri: str

    def pack(self) -> bytes:
        """Return the datagram."""
        return self._packed(f"{self.method} {self.uri} {VERSION}")

    def response(
        self, status: int, reason: str, *, tag: str, extra: Headers = (), body: str = ""
    ) -> "Response":
        """Return the answer to this request; ``tag`` is ours, put into To where it has none yet."""
        to = self.get("To")
        to = to if parameter(to, "tag") or status == 100 else f"{to};tag={tag}"
        copied = [("Via", via) for via in self.all("Via")]
        copied += [("Record-Route", route) for route in self.all("Record-Route")]
        copied += [("From", self.get("From")), ("To", to)]
        copied += [(name, self.get(name)) for name in ("Call-ID", "CSeq")]
        return Response(status=status, reason=reason, headers=(*copied, *extra), body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    status: int
    reason: str

    def pack(self) -> bytes:
        """Return the datagram."""
        return self._packed(f"{VERSION} {self.status} {self.reason}")


def parse(datagram: bytes) -> Request | Response:
    """Read a datagram.

    :raises SipSyntaxError: it is not a SIP message.
    """
    head, _, body = datagram.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
    first_line, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipSyntaxError(f"header without a colon: {line[:80]!r}")
        headers.append((_SHORT.get(name.strip().lower(), name.strip()), value.strip()))
    words = first_line.split(" ", 2)
    if len(words) < 3 or VERSION not in (words[0], words[2]):
        raise SipSyntaxError(f"neither request nor response: {first_line[:80]!r}")
    if words[0] == VERSION:
        return Response(status=int(words[1]), reason=words[2], headers=tuple(headers), body=body)
    return Request(method=words[0], uri=words[1], headers=tuple(headers), body=body)


def parameter(value: str, name: str) -> str:
    """Return a parameter of a header's value, outside the quoted name and the angle brackets."""
    outside = re.sub(r'"(\\.|[^"\\])*"|<[^>]*>', "", value)
    found = re.search(rf";\s*{name}\s*=\s*([^;,\s]+)", outside)
    return found.group(1) if found else ""


def address_of(value: str) -> str:
    """Return the URI of a From, To or Contact header."""
    bracketed = re.search(r"<([^>]*)>", re.sub(r'"(\\.|[^"\\])*"', "", value))
    return bracketed.group(1) if bracketed else value.split(";")[0].strip()


def named_address(name: str | bytes, uri: str) -> str:
    """Return a display name and URI as From and Contact carry them."""
    if isinstance(name, bytes):
        return f'"{name.decode("utf-8", "surrogateescape")}" <{uri}>'
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{quoted}" <{uri}>' if name else f"<{uri}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One side's description of its sound (RFC 4566, RFC 3264)."""

    address: str
    port: int
    law: Law
    event_payload_type: int = EVENT_PAYLOAD_TYPE
    direction: str = "sendrecv"

    def pack(self, *, version: int) -> str:
        """Return the description; ``version`` grows with each change in a call."""
        codec, name = PAYLOAD_TYPES[self.law], "PCMA" if self.law == "alaw" else "PCMU"
        event = self.event_payload_type
        lines = [
            "v=0",
            f"o=phone 1 {version} IN IP4 {self.address}",
            "s=-",
            f"c=IN IP4 {self.address}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {codec} {event}",
            f"a=rtpmap:{codec} {name}/8000",
            f"a=rtpmap:{event} telephone-event/8000",
            f"a=fmtp:{event} 0-16",
            "a=ptime:20",
            f"a={self.direction}",
        ]
        return "\r\n".join(lines) + "\r\n"

    @classmethod
    def parse(cls, body: str, *, prefer: Law | None = None) -> "Media":
        """Read a description; of several codecs the preferred one, or the first that we have.

        :raises SipSyntaxError: no sound, or no codec that we have.
        """
        audio = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", body, re.MULTILINE)
        address = re.search(r"^c=IN IP4 (\S+)", body, re.MULTILINE)
        if audio is None or address is None:
            raise SipSyntaxError("a description without sound")
        law_of = {payload_type: law for law, payload_type in PAYLOAD_TYPES.items()}
        laws = [law_of[int(kind)] for kind in audio.group(2).split() if int(kind) in law_of]
        if not laws:
            raise SipSyntaxError(f"no codec in common: {audio.group(2)}")
        event = _RTPMAP.search(body)
        direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", body, re.MULTILINE)
        return cls(
            address=address.group(1),
            port=int(audio.group(1)),
            law=prefer if prefer in laws else laws[0],
            event_payload_type=int(event.group(1)) if event else EVENT_PAYLOAD_TYPE,
            direction=direction.group(1) if direction else "sendrecv",
        )
