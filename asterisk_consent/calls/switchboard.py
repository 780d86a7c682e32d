"""Brings the events of Asterisk to the session of their call, and brings both back together after a break.

Rules: every call that Asterisk holds for us has a session or is released; a call found waiting after a break is
asked again, nothing is inferred; when another service takes the application's name this one stops acting.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from asterisk_consent.calls.announced import Policies
from asterisk_consent.calls.arrival import (
    Arrival,
    args_of,
    is_for_the_line,
    new_receipt,
    read_arrival,
    read_line_call,
)
from asterisk_consent.calls.attempts import KEY_BYTES, AttemptLimits, Attempts
from asterisk_consent.calls.session import Session, Surroundings
from asterisk_consent.calls.ways_out import CONTEXT, LEFT_ALONE
from asterisk_consent.calls.withdrawal_line import Lines
from asterisk_consent.calls.withdrawal_session import Withdrawals, WithdrawalSession
from asterisk_consent.dialogue.events import (
    CallLost,
    Circumstance,
    ConnectionLost,
    ConnectionRestored,
    ServiceStopping,
)
from asterisk_consent.dialogue.withdrawal.script import Result
from asterisk_consent.errors import PbxError
from asterisk_consent.model import CallId, Outcome
from asterisk_consent.pbx.ari import AriEvent, ChannelSnapshot

log = structlog.get_logger(__name__)

STOPPING_S = 4.0
"""How long calls being asked get to end properly when the service is stopped."""

REMEMBERED = 10_000
"""Channels remembered after their call went on, to tell a note about them from news."""


class Conversation(Protocol):
    """What every session is: of a call that is asked, or of one to the withdrawal line."""

    def feed(self, event: Circumstance) -> None:
        """Hand over an event; taken in order."""
        ...

    def feed_ari(self, event: AriEvent) -> None:
        """Hand over an ARI event of this call."""
        ...

    async def silence(self) -> None:
        """Stop whatever an earlier run of the service still plays to this call."""
        ...

    async def run(self) -> None:
        """Have the conversation; return when it is over."""
        ...


class Switchboard:
    """All sessions of one Asterisk; the handler of its ARI connection.

    :param withdrawals: the withdrawal lines; without them a call to one is given back at once.
    """

    def __init__(
        self, policies: Policies, surroundings: Surroundings, withdrawals: Withdrawals | None = None
    ) -> None:
        self._policies = policies
        self._surroundings = surroundings
        self._withdrawals = withdrawals or _no_lines(surroundings)
        self._sessions: dict[str, Conversation] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, None] = {}
        self.acting = False
        self.outcomes: dict[str, int] = {}
        self.withdrawals: dict[str, int] = {}
        """How many calls to the withdrawal lines ended in which way."""
        self.was_replaced = False

    @property
    def depth(self) -> int:
        """How many calls we talk to."""
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
        if is_for_the_line(args):
            line = WithdrawalSession(read_line_call(channel, args), self._withdrawals, self._surroundings.ari)
            self._start(channel.id, line, lambda: self._count_withdrawal(line.result), adopted=adopted)
            return
        around = self._surroundings
        arrival = read_arrival(
            channel,
            args,
            call_id=CallId(around.randomness(16).hex()),
            at=int(around.now_s()),
            regions=around.regions,
            receipt=new_receipt(around.randomness),
        )
        announced = self._policies.find(arrival.call.policy)
        if announced.leaves_alone(arrival.call.dialled):
            self._leave_alone(arrival)
            return
        session = Session(arrival, announced, self._surroundings)
        self._start(channel.id, session, lambda: self.count(session.outcome), adopted=adopted)

    def _start(
        self, channel: str, session: Conversation, count: Callable[[], None], *, adopted: bool
    ) -> None:
        self._sessions[channel] = session
        self.remember(channel)
        self._tasks[channel] = asyncio.create_task(
            self._run(channel, session, count, adopted=adopted), name=f"call-{channel}"
        )

    def _count_withdrawal(self, result: Result | None) -> None:
        """Count a call to a withdrawal line; ``None`` where the caller hung up before its end."""
        name = result or "hung_up"
        self.withdrawals[name] = self.withdrawals.get(name, 0) + 1

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

    async def _run(
        self, channel: str, session: Conversation, count: Callable[[], None], *, adopted: bool
    ) -> None:
        try:
            if adopted:
                await session.silence()
            await session.run()
        finally:
            del self._sessions[channel], self._tasks[channel]
        count()


def _no_lines(surroundings: Surroundings) -> Withdrawals:
    # Without a line nothing is ever counted, so the key hides nothing.
    attempts = Attempts(AttemptLimits(), key=bytes(KEY_BYTES), clock_s=surroundings.now_s)
    return Withdrawals(lines=Lines(), desk=None, attempts=attempts, region=surroundings.region)
