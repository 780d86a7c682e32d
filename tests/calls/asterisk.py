"""An Asterisk of one's own for the tests of ``calls``: what it does when asked, in virtual time.

It plays an announcement of known lengths and tells when each part begins and ends, lets calls leave for the
dialplan, keeps global variables, and can be told to refuse or to be silent. The behaviour is what was seen on a
running Asterisk 22; the tests against a real one hold the two together.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from asterisk_consent.errors import PbxError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.ari import (
    AriClient,
    AriEvent,
    CallerId,
    ChannelSnapshot,
    DialplanPlace,
    PlaybackSnapshot,
)
from tests.calls.virtual_time import wall_s

CHANNEL = "1800000000.1"
INFORMATION_MS = 15_000
QUESTION_MS = 5_000
UNAVAILABLE = PbxUnavailableError("no answer from Asterisk")


def refusal(status: int = 404) -> PbxRefusedError:
    """Return what the client raises when Asterisk answers with this status."""
    return PbxRefusedError(f"Asterisk answered {status}", status=status)


def waiting_channel(
    channel_id: str = CHANNEL,
    *,
    policy: str = "p1-nl",
    number: str = "+442079460123",
    presentation: str = "allowed_not_screened",
    limit: str = "0",
) -> ChannelSnapshot:
    """Return a channel that waits in our application, as ``[asterisk-consent]`` sends it there."""
    data = f"asterisk-consent,ask,{policy},{presentation},{presentation},1001,{limit}"
    return ChannelSnapshot(
        id=channel_id,
        name=f"PJSIP/anna-{channel_id}",
        state="Up",
        caller=CallerId(name="Anna Voorbeeld", number=number),
        dialplan=DialplanPlace(context="asterisk-consent", exten="s", app_name="Stasis", app_data=data),
        language="nl",
    )


def channel_on_the_line(
    channel_id: str = CHANNEL,
    *,
    controller: str = "voorbeeld",
    number: str = "+442079460123",
    presentation: str = "allowed_not_screened",
    limit: str = "0",
) -> ChannelSnapshot:
    """Return a channel that waits in our application, as ``[asterisk-consent-withdrawal]`` sends it there."""
    data = f"asterisk-consent,withdraw,{controller},{presentation},{limit}"
    place = DialplanPlace(context="asterisk-consent-withdrawal", exten="s", app_name="Stasis", app_data=data)
    return ChannelSnapshot(
        id=channel_id, state="Up", caller=CallerId(number=number), dialplan=place, language="nl"
    )


@dataclass(slots=True)
class _Playback:
    channel: str
    media: list[str]
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Held:
    """A request that Asterisk carries out, but answers late."""

    seconds: float
    error: PbxError | None = None


@dataclass(slots=True)
class FakeAsterisk:
    """What there is in Asterisk; ``story`` tells in words what was asked of it, in order."""

    lengths_ms: dict[str, int] = field(
        default_factory=lambda: {
            "information": INFORMATION_MS,
            "question": QUESTION_MS,
            "receipt": 3000,
            **dict.fromkeys([*"0123456789", "pause"], 400),
        }
    )
    channels: dict[str, ChannelSnapshot] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    bridges: dict[str, list[str]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    """The media of each playback, with their paths."""
    faults: dict[str, PbxError] = field(default_factory=dict)
    """What to raise for requests whose story begins so; nothing is done then."""
    slow: dict[str, _Held] = field(default_factory=dict)
    playbacks: dict[str, _Playback] = field(default_factory=dict)
    tell: Callable[[AriEvent], None] = lambda _: None
    connected: bool = True

    def arrive(self, channel: ChannelSnapshot) -> None:
        """Let a call reach our application."""
        self.channels[channel.id] = channel
        _, *args = channel.dialplan.app_data.split(",")
        self._tell(AriEvent(type="StasisStart", timestamp=_now(), channel=channel, args=args))

    def press(self, digit: str, channel_id: str = CHANNEL) -> None:
        """Let the caller press a digit."""
        self._about("ChannelDtmfReceived", channel_id, digit=digit)

    def hang_up(self, channel_id: str = CHANNEL) -> None:
        """Let the caller hang up."""
        self._about("ChannelHangupRequest", channel_id)
        self._fail_playbacks(channel_id)
        self._about("StasisEnd", channel_id)
        self._about("ChannelDestroyed", channel_id)
        self.channels.pop(channel_id, None)

    def escape(self, channel_id: str = CHANNEL) -> None:
        """Let the escape time-out take the call out of our application."""
        self._fail_playbacks(channel_id)
        self.leave(channel_id)

    def leave(self, channel_id: str) -> None:
        """Let the call go on in the dialplan."""
        self._about("StasisEnd", channel_id)
        snapshot = self.channels[channel_id]
        self.channels[channel_id] = ChannelSnapshot(id=snapshot.id, name=snapshot.name, state="Up")

    def keep_answer(self, story: str, seconds: float, error: PbxError | None = None) -> None:
        """Carry out requests whose story begins so, but answer late, or with an error all the same."""
        self.slow[story] = _Held(seconds, error)

    async def carry_out(self, method: str, path: str, params: dict[str, str]) -> bytes:
        """Do one request, or fail as told."""
        story, act = self._understand(method, path, params)
        self.story.append(story)
        for beginning, error in self.faults.items():
            if story.startswith(beginning):
                raise error
        answer = act()
        for beginning, held in self.slow.items():
            if story.startswith(beginning):
                await asyncio.sleep(held.seconds)
                if held.error is not None:
                    raise held.error
        return answer

    def _understand(self, method: str, path: str, params: dict[str, str]) -> tuple[str, Callable[[], bytes]]:
        match [method, *path.strip("/").split("/")]:
            case ["GET", "channels"]:
                return "list channels", lambda: msgspec.json.encode(list(self.channels.values()))
            case ["POST", "channels", channel, "play", playback]:
                self.paths.append(params["media"])
                media = [each.rpartition("/")[2] for each in params["media"].split(",")]
                return f"play {'+'.join(media)}", lambda: self._play(channel, playback, media)
            case ["POST", "channels", channel, "variable"]:
                return f"{params['variable']}={params['value']}", lambda: self._on(channel)
            case ["POST", "channels", channel, "continue"]:
                assert params["context"] in ("asterisk-consent", "asterisk-consent-withdrawal")
                assert params["priority"] == "1"
                return f"continue {params['extension']}", lambda: self._continue(channel)
            case ["DELETE", "playbacks", playback]:
                return "stop", lambda: self._stop(playback)
            case ["GET", "asterisk", "variable"]:
                name = params["variable"]
                return f"get {name}", lambda: msgspec.json.encode({"value": self.variables.get(name, "")})
            case ["POST", "asterisk", "variable"]:
                return f"{params['variable']}={params['value']}", lambda: self._set(params)
            case ["GET", "bridges", bridge]:
                return f"look at {bridge}", lambda: msgspec.json.encode({"channels": self.bridges[bridge]})
        raise AssertionError(f"nobody asks Asterisk for {method} {path}")

    def _on(self, channel: str) -> bytes:
        if channel not in self.channels:
            raise refusal(404)
        if self.channels[channel].dialplan.app_name != "Stasis":
            raise refusal(409)
        return b""

    def _play(self, channel: str, playback_id: str, media: list[str]) -> bytes:
        self._on(channel)
        self.playbacks[playback_id] = _Playback(channel, list(media))
        asyncio.get_running_loop().call_soon(self._begin_medium, playback_id, "PlaybackStarted")
        return b""

    def _begin_medium(self, playback_id: str, event: str) -> None:
        playback = self.playbacks.get(playback_id)
        if playback is None:
            return
        self._about_playback(event, playback_id, playback.channel, "playing")
        seconds = self.lengths_ms[playback.media.pop(0)] / 1000
        playback.timer = asyncio.get_running_loop().call_later(seconds, self._end_medium, playback_id)

    def _end_medium(self, playback_id: str) -> None:
        playback = self.playbacks[playback_id]
        if playback.media:
            self._begin_medium(playback_id, "PlaybackContinuing")
        else:
            del self.playbacks[playback_id]
            self._about_playback("PlaybackFinished", playback_id, playback.channel, "done")

    def _stop(self, playback_id: str, state: str = "done") -> bytes:
        playback = self.playbacks.pop(playback_id, None)
        if playback is None:
            raise refusal(404)
        if playback.timer is not None:
            playback.timer.cancel()
        self._about_playback("PlaybackFinished", playback_id, playback.channel, state)
        return b""

    def _continue(self, channel: str) -> bytes:
        self._on(channel)
        playing = [playback for playback in self.playbacks.values() if playback.channel == channel]
        assert not playing, "a call that is played to does not continue before the end of it"
        self.leave(channel)
        return b""

    def _set(self, params: dict[str, str]) -> bytes:
        self.variables[params["variable"]] = params["value"]
        return b""

    def _fail_playbacks(self, channel: str) -> None:
        for playback_id, playback in list(self.playbacks.items()):
            if playback.channel == channel:
                self._stop(playback_id, "failed")

    def _about(self, kind: str, channel_id: str, *, digit: str = "") -> None:
        channel = self.channels.get(channel_id, ChannelSnapshot(id=channel_id))
        self._tell(AriEvent(type=kind, timestamp=_now(), channel=channel, digit=digit))

    def _about_playback(self, kind: str, playback_id: str, channel_id: str, state: str) -> None:
        playback = PlaybackSnapshot(id=playback_id, target_uri=f"channel:{channel_id}", state=state)
        self._tell(AriEvent(type=kind, timestamp=_now(), playback=playback))

    def _tell(self, event: AriEvent) -> None:
        if self.connected:
            self.tell(event)


class FakeAri(AriClient):
    """The client without a network: its requests are carried out by a :class:`FakeAsterisk`."""

    def __init__(self, asterisk: FakeAsterisk) -> None:
        super().__init__(url="http://127.0.0.1:1/ari", username="a", password="b", app="asterisk-consent")
        self._asterisk = asterisk

    async def request(self, method: str, path: str, **params: str) -> bytes:
        """Have one request carried out."""
        return await self._asterisk.carry_out(method, path, params)


def _now() -> str:
    return datetime.fromtimestamp(wall_s(), UTC).isoformat(timespec="milliseconds")
