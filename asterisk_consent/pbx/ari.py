"""A thin ARI client: HTTP keep-alive for requests, one supervised WebSocket for events.

Keeps the vocabulary of ari-py (``connect``, ``client.channels.get``, ``channel.play``), which itself does not run
on Python 3. Rules: every request is limited in time; an answer that does not come is *unknown*, never assumed;
no event is dropped; the event filter is set after every connect (it lives as long as the application object);
a second client that takes the application's name ends this one.
Source: Asterisk documentation, "Asterisk REST Interface (ARI)".
"""

import asyncio
import contextlib
from base64 import b64encode
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

import aiohttp
import msgspec
import structlog

from asterisk_consent.errors import PbxError, PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.backoff import Backoff

log = structlog.get_logger(__name__)

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

MAX_EVENT_BYTES = 1 << 20


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
        except ValueError:
            return 0.0


class _Variable(msgspec.Struct):
    value: str = ""


class _Bridge(msgspec.Struct):
    channels: list[str] = []


_event_decoder = msgspec.json.Decoder(AriEvent)
_channels_decoder = msgspec.json.Decoder(list[ChannelSnapshot])
_bridge_decoder = msgspec.json.Decoder(_Bridge)
_variable_decoder = msgspec.json.Decoder(_Variable)


def parse_event(data: bytes | str) -> AriEvent:
    """Read one WebSocket message.

    :raises PbxProtocolError: it is not an ARI event.
    """
    try:
        return _event_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PbxProtocolError(f"not an ARI event: {error}", where="ARI WebSocket") from error


class Channel:
    """A channel by its id; every method is one request."""

    def __init__(self, client: "AriClient", channel_id: str) -> None:
        self._client = client
        self.id = channel_id

    async def play(self, *, media: str, playback_id: str) -> None:
        """Queue a playback of one or more media URIs (comma separated) under an id of our own."""
        path = f"/channels/{self.id}/play/{playback_id}"
        await self._client.request("POST", path, media=media)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable or dialplan function."""
        await self._client.request("POST", f"/channels/{self.id}/variable", variable=name, value=value)

    async def continue_in_dialplan(self, *, context: str, extension: str) -> None:
        """Leave Stasis for an extension. A context that does not exist hangs the call up: name only its own."""
        await self._client.request(
            "POST", f"/channels/{self.id}/continue", context=context, extension=extension, priority="1"
        )


class Channels:
    """``client.channels`` of ari-py."""

    def __init__(self, client: "AriClient") -> None:
        self._client = client

    def get(self, *, channel_id: str) -> Channel:
        """Return the channel of that id, without asking Asterisk."""
        return Channel(self._client, channel_id)

    async def list(self) -> list[ChannelSnapshot]:
        """Return every channel that Asterisk has now."""
        body = await self._client.request("GET", "/channels")
        try:
            return _channels_decoder.decode(body)
        except msgspec.DecodeError as error:
            raise PbxProtocolError(f"not a list of channels: {error}", where="ARI /channels") from error


class AriHandler(Protocol):
    """Who is told what happens on the connection."""

    def take(self, event: AriEvent) -> None:
        """Take one event; called for every one, in order; must not block."""
        ...

    async def connected(self) -> None:
        """The connection is up and the event filter set; events wait until this returns.

        A ``PbxError`` raised here ends the connection, and another is tried.
        """
        ...

    def disconnected(self) -> None:
        """The events stopped coming."""
        ...

    def replaced(self) -> None:
        """Another client took the application's name; there is no reconnect."""
        ...


class AriClient:
    """The connection to one Asterisk for one Stasis application: ``async with``, then ``run``."""

    def __init__(
        self,
        *,
        url: str,
        username: str,
        password: str,
        app: str,
        request_timeout_s: float = 2.0,
        ping_interval_s: float = 5.0,
        backoff: Backoff | None = None,
    ) -> None:
        self.app = app
        self._backoff = backoff or Backoff()
        self.channels = Channels(self)
        self.connected = False
        self._url = url.rstrip("/")
        credentials = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}
        self._timeout = aiohttp.ClientTimeout(total=request_timeout_s)
        self._ping_interval_s = ping_interval_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=self._timeout, connector=connector
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def run(self, handler: AriHandler) -> None:
        """Stay connected, with back-off, until cancelled or replaced by another client."""
        failures = 0
        while True:
            replaced = False
            try:
                replaced = await self._connect_and_read(handler)
            except PbxError as error:
                if failures == 0 or self.connected:
                    log.warning("ari.unavailable", error=str(error))
            if self.connected:
                self.connected = False
                failures = 0
                handler.disconnected()
            if replaced:
                handler.replaced()
                return
            await asyncio.sleep(self._backoff.delay_s(failures))
            failures += 1

    async def request(self, method: str, path: str, **params: str) -> bytes:
        """Send one request and return the body of its answer.

        :raises PbxUnavailableError: no answer in time; whether it took effect is unknown.
        :raises PbxRefusedError: Asterisk answered with an error status.
        """
        return await self._request(method, path, params=params)

    async def _request(
        self, method: str, path: str, *, params: dict[str, str] | None = None, json: object = None
    ) -> bytes:
        if self._session is None:
            raise PbxUnavailableError("ARI client is not open", where=f"{method} {path}")
        try:
            async with self._session.request(method, self._url + path, params=params, json=json) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = str(error) or type(error).__name__
            raise PbxUnavailableError(f"no answer from Asterisk: {what}", where=f"{method} {path}") from error
        if response.status >= 400:
            raise PbxRefusedError(
                f"Asterisk answered {response.status} {response.reason}",
                status=response.status,
                where=f"{method} {path}",
            )
        return body

    async def stop_playback(self, playback_id: str) -> None:
        """Stop a playback; one that is over already is as good as stopped."""
        with contextlib.suppress(PbxRefusedError):
            await self.request("DELETE", f"/playbacks/{playback_id}")

    async def channels_in_bridge(self, bridge_id: str) -> list[str]:
        """Return the ids of the channels in a bridge."""
        body = await self.request("GET", f"/bridges/{bridge_id}")
        try:
            return _bridge_decoder.decode(body).channels
        except msgspec.DecodeError as error:
            raise PbxProtocolError(f"not a bridge: {error}", where="ARI /bridges") from error

    async def get_global(self, name: str) -> str:
        """Read a global variable or function."""
        body = await self.request("GET", "/asterisk/variable", variable=name)
        try:
            return _variable_decoder.decode(body).value
        except msgspec.DecodeError as error:
            raise PbxProtocolError(f"not a variable: {error}", where="ARI /asterisk/variable") from error

    async def set_global(self, name: str, value: str) -> None:
        """Set a global variable or function."""
        await self.request("POST", "/asterisk/variable", variable=name, value=value)

    async def _connect_and_read(self, handler: AriHandler) -> bool:
        """Stay connected as long as it lasts; return whether another client took the name."""
        if self._session is None:
            raise PbxUnavailableError("ARI client is not open", where=self._url)
        params = {"app": self.app, "subscribeAll": "false"}
        try:
            async with self._session.ws_connect(
                self._url + "/events",
                params=params,
                heartbeat=self._ping_interval_s,
                max_msg_size=MAX_EVENT_BYTES,
            ) as socket:
                return await self._read(socket, handler)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = str(error) or type(error).__name__
            raise PbxUnavailableError(
                f"cannot connect: {what}", where=self._url, remedy="Check ari.conf, http.conf and [asterisk]"
            ) from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, handler: AriHandler) -> bool:
        allowed = {"allowed": [{"type": name} for name in EVENT_TYPES]}
        await self._request("PUT", f"/applications/{self.app}/eventFilter", json=allowed)
        self.connected = True
        await handler.connected()
        async for message in socket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break
            event = parse_event(message.data)
            if event.type == "ApplicationReplaced":
                return True
            handler.take(event)
        return False
