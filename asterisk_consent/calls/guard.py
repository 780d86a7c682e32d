"""Ends a recording that would go on without its party's decision.

Rule: a recording never continues on the channel of somebody who is not party to the decision. Asterisk moves the
audio hook along when a waiting caller is replaced (REFER with Replaces), and a third person who joins the bridge
is recorded with the others. Source: AMI events ``AttendedTransfer`` and ``BridgeEnter``.

``AttendedTransfer`` may come before Asterisk has moved the hook to the other channel, where there is then nothing
to stop yet. So a stop that is *refused* is tried again for as long as an uncovered recording may last; one whose
answer is unknown is not.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol

import structlog

from asterisk_consent.errors import PbxError, PbxRefusedError
from asterisk_consent.pbx.ami import AmiEvent

log = structlog.get_logger(__name__)

RETRIES_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Pauses before a refused stop is tried again; together less than the two seconds that are allowed."""


class RecordedChannels(Protocol):
    """What the guard needs of the recorder."""

    def is_recorded(self, channel: str) -> bool:
        """Tell whether a recording of ours runs on this channel."""
        ...


class Bridges(Protocol):
    """What the guard needs of ARI."""

    async def channels_in_bridge(self, bridge_id: str) -> list[str]:
        """Return the ids of the channels in a bridge."""
        ...

    async def bridges(self) -> list[list[str]]:
        """Return the ids of the channels in each bridge."""
        ...


class MixMonitors(Protocol):
    """What the guard needs of AMI."""

    async def stop_mixmonitor(self, channel: str, mixmonitor_id: str = "") -> None:
        """Stop the recording that runs on a channel, named by its name or its id."""
        ...


class Guard:
    """Takes AMI events and stops what the decision does not cover."""

    def __init__(
        self,
        *,
        recorder: RecordedChannels,
        bridges: Bridges,
        mixmonitors: MixMonitors,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._recorder = recorder
        self._bridges = bridges
        self._mixmonitors = mixmonitors
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, event: AmiEvent) -> None:
        """Take one event; must not block."""
        if event.name == "AttendedTransfer":
            if self._recorder.is_recorded(event.get("SecondTransfererUniqueid", "")):
                self._spawn(self._stop(event.get("TransfereeChannel", ""), "taken over by another channel"))
        elif event.name == "BridgeEnter" and event.get("BridgeNumChannels", "") not in ("1", "2"):
            self._spawn(self._look_at_bridge(event.get("BridgeUniqueid", "")))

    def look_again(self) -> None:
        """Look at every bridge: while AMI was away somebody may have joined one."""
        self._spawn(self._look_at_all_bridges())

    async def _look_at_all_bridges(self) -> None:
        try:
            bridges = await self._bridges.bridges()
        except PbxError as error:
            log.error("guard.bridges_unknown", error=str(error))
            return
        for channels in bridges:
            await self._look_at(channels)

    async def _look_at_bridge(self, bridge_id: str) -> None:
        """Stop every recording in a bridge that somebody has joined."""
        try:
            channels = await self._bridges.channels_in_bridge(bridge_id)
        except PbxError as error:
            log.error("guard.bridge_unknown", error=str(error))
            return
        await self._look_at(channels)

    async def _look_at(self, channels: list[str]) -> None:
        if len(channels) < 3:
            return
        for channel in channels:
            if self._recorder.is_recorded(channel):
                await self._stop(channel, "somebody joined")

    async def _stop(self, channel: str, why: str) -> None:
        try:
            for pause_s in RETRIES_S:
                with contextlib.suppress(PbxRefusedError):
                    await self._mixmonitors.stop_mixmonitor(channel)
                    break
                await self._sleep(pause_s)
            else:
                await self._mixmonitors.stop_mixmonitor(channel)
        except PbxError as error:
            log.error("guard.stop_failed", why=why, error=str(error))
        else:
            log.warning("guard.stopped", why=why)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="guard")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
