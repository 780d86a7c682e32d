"""Brings the events of Asterisk to the session of their call, and brings both back together after a break.

Rules: every call that Asterisk holds for us has a session or is released; a call found waiting after a break is
asked again, nothing is inferred; when another service takes the application's name this one stops acting.
"""

import asyncio

import structlog

from asterisk_consent.calls.announced import Policies
from asterisk_consent.calls.arrival import Arrival, args_of, read_arrival
from asterisk_consent.calls.session import Session, Surroundings
from asterisk_consent.calls.ways_out import CONTEXT, LEFT_ALONE
from asterisk_consent.dialogue.events import CallLost, ConnectionLost, ConnectionRestored, ServiceStopping
from asterisk_consent.errors import PbxError
from asterisk_consent.model import CallId, Outcome
from asterisk_consent.pbx.ari import AriEvent, ChannelSnapshot

log = structlog.get_logger(__name__)

STOPPING_S = 4.0
"""How long calls being asked get to end properly when the service is stopped."""

REMEMBERED = 10_000
"""Channels remembered after their call went on, to tell a note about them from news."""


class Switchboard:
    """All sessions of one Asterisk; the handler of its ARI connection."""

    def __init__(self, policies: Policies, surroundings: Surroundings) -> None:
        self._policies = policies
        self._surroundings = surroundings
        self._sessions: dict[str, Session] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, None] = {}
        self.acting = False
        self.outcomes: dict[str, int] = {}
        self.was_replaced = False

    @property
    def depth(self) -> int:
        """How many calls are being asked."""
        return len(self._sessions)

    def has_asked(self, channel: str) -> bool:
        """Tell whether this call has, or had, a session here, which enters its outcome."""
        return channel in self._seen

    def remember(self, channel: str) -> None:
        """Note that this call has a session here, whichever way it came."""
        self._seen[channel] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def count(self, outcome: Outcome | None) -> None:
        """Count a call that was asked; ``None`` where its outcome could not be written."""
        name = outcome or "unwritten"
        self.outcomes[name] = self.outcomes.get(name, 0) + 1

    def take(self, event: AriEvent) -> None:
        """Bring one event to its session; a new call gets one."""
        if event.playback is not None:
            channel_id = event.playback.channel_id
        elif event.channel is not None:
            channel_id = event.channel.id
        else:
            return
        session = self._sessions.get(channel_id)
        if session is not None:
            session.feed_ari(event)
        elif event.type == "StasisStart" and event.channel is not None:
            self._begin(event.channel, event.args)

    async def connected(self) -> None:
        """Compare the sessions with the channels that Asterisk has: ask again, adopt, or let go.

        :raises PbxError: Asterisk cannot tell; the client connects again.
        """
        channels = {channel.id: channel for channel in await self._surroundings.ari.channels.list()}
        for channel_id, session in list(self._sessions.items()):
            still_waits = channel_id in channels and args_of(channels[channel_id])
            session.feed(ConnectionRestored() if still_waits else CallLost())
        for channel_id, channel in channels.items():
            args = args_of(channel)
            if args and channel_id not in self._sessions:
                log.info("switchboard.adopted", channel=channel_id)
                self._begin(channel, args, adopted=True)
        self.acting = True

    def disconnected(self) -> None:
        """Stop saying that calls can be asked; the sessions wait for the connection and take no silence for one."""
        self.acting = False
        for session in self._sessions.values():
            session.feed(ConnectionLost())

    def replaced(self) -> None:
        """Another service took our name: stop acting, for good."""
        log.error(
            "switchboard.replaced", remedy="Only one service may serve an Asterisk; stop the other one first"
        )
        self.acting = False
        self.was_replaced = True
        for session in self._sessions.values():
            session.feed(CallLost())

    async def stop(self) -> None:
        """Let every call go on: enter what it came to, release it, wait a little for that."""
        self.acting = False
        for session in self._sessions.values():
            session.feed(ServiceStopping())
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=STOPPING_S)
        for task in list(self._tasks.values()):
            task.cancel()

    def _begin(self, channel: ChannelSnapshot, args: list[str], *, adopted: bool = False) -> None:
        around = self._surroundings
        arrival = read_arrival(
            channel,
            args,
            call_id=CallId(around.randomness(16).hex()),
            at=int(around.now_s()),
            regions=around.regions,
        )
        announced = self._policies.find(arrival.call.policy)
        if announced.leaves_alone(arrival.call.dialled):
            self._leave_alone(arrival)
            return
        session = Session(arrival, announced, self._surroundings)
        self._sessions[channel.id] = session
        self.remember(channel.id)
        self._tasks[channel.id] = asyncio.create_task(
            self._run(session, adopted=adopted), name=f"call-{arrival.call.call_id}"
        )

    def _leave_alone(self, arrival: Arrival) -> None:
        """Let a call that is none of ours go on, where the dialplan did not know yet that it is none."""
        channel = self._surroundings.ari.channels.get(channel_id=arrival.call.channel)

        async def go_on() -> None:
            try:
                await channel.continue_in_dialplan(context=CONTEXT, extension=LEFT_ALONE)
            except PbxError as error:
                log.warning("switchboard.not_released", error=str(error))
            finally:
                del self._tasks[arrival.call.channel]

        self._tasks[arrival.call.channel] = asyncio.create_task(go_on(), name="left-alone")

    async def _run(self, session: Session, *, adopted: bool) -> None:
        try:
            if adopted:
                await session.silence()
            await session.run()
        finally:
            del self._sessions[session.call.channel], self._tasks[session.call.channel]
        self.count(session.outcome)
