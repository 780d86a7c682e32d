"""Takes down when a digit ended and when a recording started, by Asterisk's own clock.

Rule: moments are the ``Timestamp`` that Asterisk puts on an event as it happens (manager.conf,
``timestampevents``), so a reader kept waiting by the load does not change what it measures. It only listens.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

_LIMIT = 64 * 1024


class AmiListenerError(Exception):
    """The manager interface did not let us listen."""


@dataclass(slots=True)
class Moments:
    """Per channel: the end of its first digit, and the start of its first recording (seconds, epoch)."""

    digit_ended_at: dict[str, float] = field(default_factory=dict)
    recording_started_at: dict[str, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: dict[str, str]) -> None:
        """Note an event that is of interest."""
        at = float(event.get("Timestamp", "0"))
        channel = event.get("Uniqueid", "")
        if event.get("Event") == "DTMFEnd" and event.get("Direction") == "Received":
            self.digit_ended_at.setdefault(channel, at)
        elif event.get("Event") == "MixMonitorStart":
            self.recording_started_at.setdefault(channel, at)
            self._news.set()

    async def all_started(self, count: int, *, within_s: float) -> None:
        """Wait until that many recordings have started, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while len(self.recording_started_at) < count:
                    self._news.clear()
                    await self._news.wait()

    def latencies_s(self) -> list[float]:
        """Return the time from digit to recording, of each call that got that far."""
        started = self.recording_started_at
        return [started[channel] - at for channel, at in self.digit_ended_at.items() if channel in started]

    def latency_ms(self, percent: float) -> float:
        """Return that percentile of the latencies."""
        latencies = self.latencies_s()
        return float(np.percentile(latencies, percent)) * 1000 if latencies else 0.0


@asynccontextmanager
async def listening(host: str, port: int, user: str, secret: str) -> AsyncIterator[Moments]:
    """Log in and take down events until the way out.

    :raises AmiListenerError: the log-in was refused.
    """
    reader, writer = await asyncio.open_connection(host, port, limit=_LIMIT)
    moments = Moments()
    try:
        writer.write(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\n\r\n".encode())
        await reader.readline()
        answer = await _message(reader)
        if answer.get("Response") != "Success":
            raise AmiListenerError(f"log-in of {user} at {host}:{port}: {answer.get('Message', 'refused')}")
        listener = asyncio.create_task(_listen(reader, moments))
        try:
            yield moments
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
    finally:
        writer.close()


async def _listen(reader: asyncio.StreamReader, moments: Moments) -> None:
    while True:
        moments.take(await _message(reader))


async def _message(reader: asyncio.StreamReader) -> dict[str, str]:
    block = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
    pairs = (line.partition(": ") for line in block.split("\r\n") if line)
    return {name: value for name, _, value in pairs}
