"""A thin ARI client: HTTP keep-alive for requests, one supervised WebSocket for events.

Keeps the vocabulary of ari-py (``connect``, ``client.channels.get``, ``channel.play``), which itself does not run
on Python 3. Rules: every request is limited in time; an answer that does not come is *unknown*, never assumed;
no event is dropped; the event filter is set after every connect (it lives as long as the application object);
a second client that takes the application's name ends this one; whatever the peer sends costs its own connection
only, and bounded memory.
Source: Asterisk documentation, "Asterisk REST Interface (ARI)".
"""

import asyncio
import contextlib
from base64 import b64encode
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import quote

import aiohttp
import structlog

from asterisk_consent.errors import PbxError, PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.ari_wire import (
    EVENT_TYPES,
    AriEvent,
    CallerId,
    ChannelSnapshot,
    DialplanPlace,
    PlaybackSnapshot,
    parse_bridge_channels,
    parse_bridges,
    parse_channels,
    parse_event,
    parse_running_modules,
    parse_variable,
    parse_version,
)
from asterisk_consent.pbx.backoff import Backoff

__all__ = [
    "AriClient",
    "AriEvent",
    "AriHandler",
    "CallerId",
    "Channel",
    "ChannelSnapshot",
    "DialplanPlace",
    "PlaybackSnapshot",
]

log = structlog.get_logger(__name__)

MAX_EVENT_BYTES = 1 << 18
"""An event of ours has 1 to 2 KB; a caller's name of 4 KB, every character escaped, 30."""
MAX_ANSWER_BYTES = 1 << 22
"""The longest answer is the list of channels: about 1 KB for each."""
KEEPALIVE_S = 10.0
"""Less than Asterisk's ``session_keep_alive`` of 15 s: a request must not meet a connection being closed."""
CLOSING_S = 0.2
"""How long a peer may take to say goodbye; the socket is closed then."""
TURN_S = 0.005
"""How long one turn of the event loop may go on with what was read; the rest waits for the next turn."""


class Channel:
    """A channel by its id; every method is one request."""

    def __init__(self, client: "AriClient", channel_id: str) -> None:
        self._client = client
        self.id = channel_id

    async def play(self, *, media: str, playback_id: str) -> None:
        """Queue a playback of one or more media URIs (comma separated) under an id of our own."""
        await self._post(f"play/{_segment(playback_id)}", media=media)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable or dialplan function."""
        await self._post("variable", variable=name, value=value)

    async def continue_in_dialplan(self, *, context: str, extension: str) -> None:
        """Leave Stasis for an extension. A context that does not exist hangs the call up: name only its own."""
        await self._post("continue", context=context, extension=extension, priority="1")

    async def _post(self, what: str, **params: str) -> None:
        await self._client.request("POST", f"/channels/{_segment(self.id)}/{what}", **params)


class Channels:
    """``client.channels`` of ari-py."""

    def __init__(self, client: "AriClient") -> None:
        self._client = client

    def get(self, *, channel_id: str) -> Channel:
        """Return the channel of that id, without asking Asterisk."""
        return Channel(self._client, channel_id)

    async def list(self) -> list[ChannelSnapshot]:
        """Return every channel that Asterisk has now."""
        return parse_channels(await self._client.request("GET", "/channels"))


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
        """The events stopped coming; follows every ``connected``."""
        ...

    def replaced(self) -> None:
        """Another client took the application's name; there is no reconnect."""
        ...


class AriClient:
    """The connection to one Asterisk for one Stasis application: ``async with``, then ``run``.

    :param request_timeout_s: limit of each request and of connecting.
    :param ping_interval_s: how often a silent peer is asked whether it is still there; it has half of it to answer.
    """

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
        self._flowing_since_s = float("inf")

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=KEEPALIVE_S),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def run(self, handler: AriHandler) -> None:
        """Stay connected, with back-off, until cancelled or replaced by another client.

        What keeps the connection away is logged once, not at every try.
        """
        clock = asyncio.get_running_loop().time
        failures, told = 0, ""
        while True:
            self._flowing_since_s = float("inf")
            try:
                await self._attend(handler)
            except PbxError as error:
                if clock() - self._flowing_since_s >= self._backoff.cap_s:
                    failures, told = 0, ""
                failures += 1
                if str(error) != told:
                    told = str(error)
                    log.warning("ari.unavailable", error=told)
                await asyncio.sleep(self._backoff.delay_s(failures))
            else:
                handler.replaced()
                return

    async def request(self, method: str, path: str, **params: str) -> bytes:
        """Send one request and return the body of its answer.

        :raises PbxUnavailableError: no answer in time; whether it took effect is unknown.
        :raises PbxRefusedError: Asterisk answered with an error status.
        :raises PbxProtocolError: the answer is longer than any of ARI's.
        """
        return await self._request(method, path, params=params)

    async def stop_playback(self, playback_id: str) -> None:
        """Stop a playback; one that is over already is as good as stopped."""
        try:
            await self.request("DELETE", f"/playbacks/{_segment(playback_id)}")
        except PbxRefusedError as error:
            if error.status != 404:
                raise

    async def channels_in_bridge(self, bridge_id: str) -> list[str]:
        """Return the ids of the channels in a bridge."""
        return parse_bridge_channels(await self.request("GET", f"/bridges/{_segment(bridge_id)}"))

    async def bridges(self) -> list[list[str]]:
        """Return the ids of the channels in each bridge that Asterisk has now."""
        return parse_bridges(await self.request("GET", "/bridges"))

    async def get_global(self, name: str) -> str:
        """Read a global variable or function."""
        return parse_variable(await self.request("GET", "/asterisk/variable", variable=name))

    async def set_global(self, name: str, value: str) -> None:
        """Set a global variable or function."""
        await self.request("POST", "/asterisk/variable", variable=name, value=value)

    async def asterisk_version(self) -> str:
        """Return the version that Asterisk says it is."""
        return parse_version(await self.request("GET", "/asterisk/info", only="system"))

    async def running_modules(self) -> frozenset[str]:
        """Return the names of the modules that are loaded and running, such as ``func_rand.so``."""
        return parse_running_modules(await self.request("GET", "/asterisk/modules"))

    async def _request(
        self, method: str, path: str, *, params: dict[str, str] | None = None, json: object = None
    ) -> bytes:
        where = f"{method} {path}"
        if self._session is None:
            raise PbxUnavailableError("ARI client is not open", where=where)
        try:
            async with self._session.request(
                method, self._url + path, params=params, json=json, allow_redirects=False
            ) as response:
                body = await _read_body(response, where)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PbxUnavailableError(f"no answer from Asterisk: {_words(error)}", where=where) from error
        if response.status >= 300:
            raise _refusal(response.status, response.reason or "", where)
        return body

    async def _attend(self, handler: AriHandler) -> None:
        """Connect and hand on events; return when another client took the name.

        :raises PbxError: why there is no connection, or no more.
        """
        if self._session is None:
            raise PbxUnavailableError("ARI client is not open", where=self._url)
        try:
            socket = await self._session.ws_connect(
                self._url + "/events",
                params={"app": self.app, "subscribeAll": "false"},
                heartbeat=self._ping_interval_s,
                autoping=False,  # aiohttp would answer a flood of pings in one turn of the loop
                max_msg_size=MAX_EVENT_BYTES,
            )
            try:
                await self._serve(socket, handler)
            finally:
                await _close(socket)
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(error.status, error.message, self._url) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PbxUnavailableError(
                f"cannot connect: {_words(error)}",
                where=self._url,
                remedy="Is Asterisk running? Check ari.conf, http.conf and `ari_url` in [asterisk]",
            ) from error

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, handler: AriHandler) -> None:
        allowed = {"allowed": [{"type": name} for name in EVENT_TYPES]}
        await self._request("PUT", f"/applications/{_segment(self.app)}/eventFilter", json=allowed)
        self.connected = True
        try:
            await handler.connected()
            log.info("ari.connected", where=self._url)
            await self._hand_on(socket, handler)
        finally:
            self.connected = False
            handler.disconnected()

    async def _hand_on(self, socket: aiohttp.ClientWebSocketResponse, handler: AriHandler) -> None:
        clock = asyncio.get_running_loop().time
        self._flowing_since_s = clock()
        gives_way_at_s = clock() + TURN_S
        async for message in socket:
            if message.type is aiohttp.WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                event = parse_event(message.data)
                if event.type == "ApplicationReplaced":
                    return
                handler.take(event)
            elif message.type is not aiohttp.WSMsgType.PONG:
                break
            if clock() >= gives_way_at_s:  # aiohttp hands out what it has without a turn of the loop
                await asyncio.sleep(0)
                gives_way_at_s = clock() + TURN_S
        reason = socket.exception() or f"closed with code {socket.close_code}"
        raise PbxUnavailableError(f"the connection ended: {reason}", where=self._url)


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Close the socket, whatever the peer goes on sending."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSING_S):
            await socket.close()


async def _read_body(response: aiohttp.ClientResponse, where: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise PbxProtocolError(f"an answer is longer than {MAX_ANSWER_BYTES} bytes", where=where)
    return bytes(body)


def _refusal(status: int, reason: str, where: str) -> PbxRefusedError:
    if status == 401:
        return PbxRefusedError(
            "Asterisk does not accept the user or the password (401)",
            status=status,
            where=where,
            remedy="Make `ari_user` and `ari_password` in [asterisk] the same as in ari.conf",
        )
    return PbxRefusedError(f"Asterisk answered {status} {reason}".rstrip(), status=status, where=where)


def _segment(text: str) -> str:
    """Return ``text`` as one segment of a path.

    :raises PbxProtocolError: no id has that form, and it would name another place.
    """
    if text in ("", ".", ".."):
        raise PbxProtocolError(f"{text!r} is no id of anything in Asterisk")
    return quote(text, safe="")


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
