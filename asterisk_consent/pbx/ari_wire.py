"""What ARI sends, read: snapshots, events and the few answers that are looked into. No I/O.

Rule: any bytes end in a value of these types or in ``PbxProtocolError``; fields that nobody needs are not kept.
Source: Asterisk documentation, "Asterisk REST Data Models".
"""

from datetime import datetime
from typing import TypeVar

import msgspec

from asterisk_consent.errors import PbxProtocolError

T = TypeVar("T")

EVENT_TYPES = (
    "ApplicationReplaced",
    "StasisStart",
    "StasisEnd",
    "ChannelDtmfReceived",
    "ChannelDestroyed",
    "ChannelHangupRequest",
    "PlaybackStarted",
    "PlaybackContinuing",
    "PlaybackFinished",
)
"""All that the event filter lets through: each type costs CPU at every call."""

MAX_LISTED_OBJECTS = 40_000
"""Objects in a list of channels, of which each has four or five; reading so many takes 20 ms at most."""


class CallerId(msgspec.Struct, frozen=True):
    """Name and number as the network supplied them, also where they are withheld: read the presentation."""

    name: str = ""
    number: str = ""


class DialplanPlace(msgspec.Struct, frozen=True):
    """Where a channel is in the dialplan."""

    context: str = ""
    exten: str = ""
    app_name: str = ""
    app_data: str = ""


class ChannelSnapshot(msgspec.Struct, frozen=True):
    """A channel at one moment."""

    id: str
    name: str = ""
    state: str = ""
    caller: CallerId = CallerId()
    dialplan: DialplanPlace = DialplanPlace()
    language: str = ""


class PlaybackSnapshot(msgspec.Struct, frozen=True):
    """A playback at one moment; ``state`` is queued, playing, continuing, done or failed."""

    id: str
    target_uri: str = ""
    state: str = ""

    @property
    def channel_id(self) -> str:
        """The channel it plays to; empty where it plays to a bridge."""
        kind, _, target = self.target_uri.partition(":")
        return target if kind == "channel" else ""


class AriEvent(msgspec.Struct, frozen=True):
    """Any event; fields that its type does not have are empty."""

    type: str
    timestamp: str = ""
    application: str = ""
    channel: ChannelSnapshot | None = None
    playback: PlaybackSnapshot | None = None
    digit: str = ""
    args: list[str] = []

    @property
    def at_s(self) -> float:
        """Asterisk's clock in seconds since the epoch; 0.0 where it sent none that can be read."""
        try:
            return datetime.fromisoformat(self.timestamp).timestamp()
        except (ValueError, OverflowError):
            return 0.0


class _Variable(msgspec.Struct):
    value: str = ""


class _Bridge(msgspec.Struct):
    channels: list[str] = []


class _System(msgspec.Struct):
    version: str = ""


class _Info(msgspec.Struct):
    system: _System = msgspec.field(default_factory=_System)


class _Module(msgspec.Struct):
    name: str
    status: str = ""


_event_decoder = msgspec.json.Decoder(AriEvent)
_channels_decoder = msgspec.json.Decoder(list[ChannelSnapshot])
_bridge_decoder = msgspec.json.Decoder(_Bridge)
_bridges_decoder = msgspec.json.Decoder(list[_Bridge])
_variable_decoder = msgspec.json.Decoder(_Variable)
_info_decoder = msgspec.json.Decoder(_Info)
_modules_decoder = msgspec.json.Decoder(list[_Module])


def parse_event(data: bytes | str) -> AriEvent:
    """Read one WebSocket message.

    :raises PbxProtocolError: it is not an ARI event.
    """
    return _read(_event_decoder, data, "an ARI event")


def parse_channels(body: bytes) -> list[ChannelSnapshot]:
    """Read the answer to ``GET /channels``.

    :raises PbxProtocolError: it is not a list of channels, or too long a one.
    """
    if body.count(b"{") > MAX_LISTED_OBJECTS:
        raise PbxProtocolError("the list of channels is too long to be read", where="ARI")
    return _read(_channels_decoder, body, "a list of channels")


def parse_bridges(body: bytes) -> list[list[str]]:
    """Read the ids of the channels in each bridge from the answer to ``GET /bridges``.

    :raises PbxProtocolError: it is not a list of bridges.
    """
    return [bridge.channels for bridge in _read(_bridges_decoder, body, "a list of bridges")]


def parse_bridge_channels(body: bytes) -> list[str]:
    """Read the ids of the channels from the answer to ``GET /bridges/ID``.

    :raises PbxProtocolError: it is not a bridge.
    """
    return _read(_bridge_decoder, body, "a bridge").channels


def parse_variable(body: bytes) -> str:
    """Read the value from the answer to ``GET …/variable``.

    :raises PbxProtocolError: it is not a variable.
    """
    return _read(_variable_decoder, body, "a variable").value


def parse_version(body: bytes) -> str:
    """Read the version from the answer to ``GET /asterisk/info``.

    :raises PbxProtocolError: it is no such answer.
    """
    return _read(_info_decoder, body, "what Asterisk says of itself").system.version


def parse_running_modules(body: bytes) -> frozenset[str]:
    """Read the names of the running ones from the answer to ``GET /asterisk/modules``.

    :raises PbxProtocolError: it is not a list of modules.
    """
    modules = _read(_modules_decoder, body, "a list of modules")
    return frozenset(module.name for module in modules if module.status == "Running")


def _read(decoder: msgspec.json.Decoder[T], data: bytes | str, what: str) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PbxProtocolError(f"not {what}: {error}", where="ARI") from error
