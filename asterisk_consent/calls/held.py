"""A channel that Asterisk holds for us: what is played to it, the timers of its conversation, the way out.

Shared by every conversation over ARI. Rules: what plays is stopped before anything else is asked of the channel, since
every request waits for its end; before it is played to, Asterisk is told when to take the channel from a service that
froze; letting it go is tried again where no answer came.
"""

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum

import structlog

from asterisk_consent.calls.announced import Segment
from asterisk_consent.calls.playing import Playing, playback_id
from asterisk_consent.calls.ways_out import escape_s
from asterisk_consent.dialogue.events import Timer
from asterisk_consent.errors import PbxError, PbxUnavailableError
from asterisk_consent.pbx.ari import AriClient

log = structlog.get_logger(__name__)

MAX_PLAYS = 19
"""Nothing lets a conversation play more often to one call."""


class HeldChannel:
    """One channel, by its id.

    :param call_id: for the log.
    :param limit_s: what remains of the administrator's own limit; 0 without one.
    """

    def __init__(self, ari: AriClient, channel: str, *, call_id: str, limit_s: float) -> None:
        self.id = channel
        self.playing = Playing(channel)
        self.channel = ari.channels.get(channel_id=channel)
        self._ari = ari
        self._call_id = call_id
        self._clock_s = asyncio.get_running_loop().time
        self._limit_at_s = self._clock_s() + limit_s if limit_s else None
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._stopping: asyncio.Task[None] | None = None

    async def play(
        self, play: int, files: Sequence[tuple[StrEnum, Segment]], *, first_digit_s: float
    ) -> bool:
        """Play these files; return whether Asterisk took them."""
        playback = self.playing.begin(play, files)
        segments = [segment for _, segment in files]
        try:
            await self.settle_stop()
            await self._set_escape(segments, first_digit_s)
            media = ",".join(f"sound:{segment.path}" for segment in segments)
            await self.channel.play(media=media, playback_id=playback)
        except PbxError as error:
            log.warning("session.play_failed", call_id=self._call_id, error=str(error))
            return False
        return True

    async def renew_escape(self, seconds: float) -> None:
        """Let Asterisk keep the channel for so long more, and a little."""
        try:
            await self._set_escape([], seconds)
        except PbxError as error:
            log.info("session.escape_not_renewed", call_id=self._call_id, error=str(error))

    def stop(self, at_s: float) -> None:
        """Stop what plays, at Asterisk's time ``at_s``; nobody waits for it until something else is asked."""
        playback = self.playing.stop(at_s)
        self._stopping = asyncio.create_task(self._stop(playback), name="stop-prompt")

    async def stop_now(self, at_s: float) -> None:
        """Stop what plays, and wait until that is done."""
        await self._stop(self.playing.stop(at_s))

    async def settle_stop(self) -> None:
        """Wait for a playback to be deleted: a request to continue would wait for its end."""
        if self._stopping is not None:
            await self._stopping
            self._stopping = None

    async def silence(self) -> None:
        """Stop whatever an earlier run of the service still plays to this channel."""
        for play in range(1, MAX_PLAYS + 1):
            await self._stop(playback_id(self.id, play))

    async def let_go(self, *, context: str, extension: str) -> None:
        """Send the channel on in the dialplan."""
        await self.settle_stop()
        for _ in range(2):  # one that was not answered may be sent again: a call that has left is refused
            try:
                await self.channel.continue_in_dialplan(context=context, extension=extension)
            except PbxUnavailableError as error:
                log.warning("session.release_unknown", call_id=self._call_id, error=str(error))
            except PbxError as error:
                log.info("session.release_failed", call_id=self._call_id, error=str(error))
                return
            else:
                return

    def set_timer(self, timer: Timer, seconds: float, fired: Callable[[], None]) -> None:
        """Call ``fired`` after so long, unless cancelled; a timer set again starts anew."""
        self.cancel(timer)
        self._timers[timer] = asyncio.get_running_loop().call_later(seconds, fired)

    def cancel(self, timer: Timer) -> None:
        """Do not let this timer fire."""
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def cancel_all(self) -> None:
        """Do not let any timer fire."""
        for timer in list(self._timers):
            self.cancel(timer)

    async def _set_escape(self, segments: Sequence[Segment], first_digit_s: float) -> None:
        left_s = None if self._limit_at_s is None else self._limit_at_s - self._clock_s()
        wait_s = escape_s(segments, first_digit_s=first_digit_s, left_s=left_s)
        await self.channel.set_variable("TIMEOUT(absolute)", f"{wait_s:.3f}")

    async def _stop(self, playback: str) -> None:
        try:
            await self._ari.stop_playback(playback)
        except PbxError as error:
            log.info("session.stop_failed", call_id=self._call_id, error=str(error))
