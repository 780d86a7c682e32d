"""Plays an announcement to somebody of the house, on a telephone they name, before callers hear it.

Rule: it is a call of its own under an application of its own: nothing of it is asked, entered or recorded, and the
service is not involved. Source: ARI, "Originate" with an application, "Play".
"""

import asyncio

import structlog

from asterisk_consent.errors import PbxError
from asterisk_consent.pbx.ari import AriClient, AriEvent

log = structlog.get_logger(__name__)

APP = "asterisk-consent-audition"
RINGING_S = 30
_PLAYBACK = "consent-audition"


class Audition:
    """One call to a telephone; the handler of its ARI connection."""

    def __init__(self, ari: AriClient, *, endpoint: str, media: str, channel: str) -> None:
        self._ari = ari
        self._endpoint = endpoint
        self._media = media
        self._channel = channel
        self._ready = asyncio.Event()
        self._answered = asyncio.Event()
        self._played = asyncio.Event()
        self._ended = asyncio.Event()

    async def hold(self, *, length_s: float) -> None:
        """Call, play everything once it is answered, and hang up.

        :raises PbxError: Asterisk cannot be asked, nobody answers, or the other end hangs up before.
        """
        running = asyncio.create_task(self._ari.run(self), name="audition")
        try:
            await self._await(self._ready, 5.0, "Asterisk cannot be asked: no connection")
            await self._ari.request(
                "POST",
                f"/channels/{self._channel}",
                endpoint=self._endpoint,
                app=APP,
                callerId="asterisk-consent",
                timeout=str(RINGING_S),
            )
            await self._await(self._answered, RINGING_S + 1.0, "nobody answered")
            await self._ari.channels.get(channel_id=self._channel).play(
                media=self._media, playback_id=_PLAYBACK
            )
            await self._await(self._played, length_s + 5.0, "the announcement was not heard to its end")
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self._hang_up()

    def take(self, event: AriEvent) -> None:
        """Take note of the answer and of the end."""
        channel = event.playback.channel_id if event.playback else event.channel.id if event.channel else ""
        if channel != self._channel:
            return
        if event.type == "StasisStart":
            self._answered.set()
        elif (
            event.type == "PlaybackFinished" and event.playback is not None and event.playback.state == "done"
        ):
            self._played.set()
        elif event.type in ("PlaybackFinished", "ChannelDestroyed", "StasisEnd"):
            self._ended.set()

    async def connected(self) -> None:
        """Events flow: the call can be placed."""
        self._ready.set()

    def disconnected(self) -> None:
        """Wait for the connection to come back; the limits end it otherwise."""

    def replaced(self) -> None:
        """Somebody else auditions: theirs goes on."""
        self._ended.set()

    async def _await(self, what: asyncio.Event, limit_s: float, otherwise: str) -> None:
        waiting = asyncio.create_task(what.wait())
        ended = asyncio.create_task(self._ended.wait())
        done, pending = await asyncio.wait(
            (waiting, ended), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        if waiting not in done:
            remedy = "Name a telephone that is registered, such as --on PJSIP/100"
            raise PbxError(otherwise, where=self._endpoint, remedy=remedy)

    async def _hang_up(self) -> None:
        try:
            await self._ari.request("DELETE", f"/channels/{self._channel}")
        except PbxError as error:
            log.debug("audition.gone", error=str(error))
