"""Listens to a stream of RTP: what was heard, when, and which digits arrived.

Rule: nothing is judged on arrival. Packets are kept with the monotonic moment they came, and decoded when
somebody asks, so that hundreds of calls can listen at once. Within a stream sound is laid out by RTP
timestamp; a new stream, or one more than 60 ms off, is laid out anew by its arrival.
"""

import asyncio
import socket
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from tests.pbx import g711, sound
from tests.pbx.rtp import FRAME_S, PAYLOAD_TYPES, RATE, Packet, RtpError, TelephoneEvent

_LAW_OF = {payload_type: law for law, payload_type in PAYLOAD_TYPES.items()}
_DRIFT_S = 0.06
_OUT_OF_STEP_S = 0.6
_TONE_S = 0.1
_PURITY_DB = 3.0
_LOOK_BACK_S = 0.5
_MAX_DATAGRAM = 2048

Look = Callable[[], float | None]


class NotHeardError(AssertionError):
    """What a test waited for was not heard in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was heard, gaps as silence. ``started_at`` is the monotonic moment of the first sample."""

    samples: g711.Samples
    started_at: float
    rate: int = RATE

    def between(self, start_at: float, end_at: float) -> "Heard":
        """Return the part between two monotonic moments."""
        first = max(0, round((start_at - self.started_at) * self.rate))
        last = max(first, round((end_at - self.started_at) * self.rate))
        return Heard(samples=self.samples[first:last], started_at=self.started_at + first / self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardDigit:
    digit: str
    duration_ms: int
    started_at: float
    ended_at: float


@dataclass(slots=True)
class Listener:
    """The receiving half of a stream. ``event_payload_type`` is the one we offered or accepted."""

    sock: socket.socket
    event_payload_type: int
    arrivals: list[tuple[float, Packet]] = field(default_factory=list)
    digits: list[HeardDigit] = field(default_factory=list)
    _press: tuple[int, int] | None = None
    _press_started_at: float = 0.0
    _press_open: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> None:
        """Begin to listen."""
        asyncio.get_running_loop().add_reader(self.sock.fileno(), self._receive)

    def stop(self) -> None:
        """Listen no more; what was heard stays."""
        asyncio.get_running_loop().remove_reader(self.sock.fileno())
        self._news.set()

    @property
    def heard(self) -> Heard:
        """Everything heard so far."""
        return laid_out(self.arrivals)

    @property
    def heard_in_step(self) -> Heard:
        """Everything heard so far by the sender's time: what arrived late, or was read late, lies where it belongs."""
        return laid_out(self.arrivals, drift_s=_OUT_OF_STEP_S)

    async def tone(self, hz: float, *, since: float, within_s: float, threshold_db: float) -> float:
        """Wait for 0.1 s of a pure tone; return the monotonic moment it began.

        :raises NotHeardError: not heard within ``within_s``.
        """

        cursor = since

        def began_at() -> float | None:
            nonlocal cursor
            recent = self._since(cursor)
            cursor = max(cursor, time.monotonic() - _LOOK_BACK_S)
            spans = sound.tone_spans(recent.samples, RATE, hz, threshold_db, purity_db=_PURITY_DB)
            long_enough = [start for start, end in spans if end - start >= _TONE_S]
            return recent.started_at + long_enough[0] if long_enough else None

        found = await self._wait(began_at, within_s)
        if found is None:
            raise NotHeardError(f"no {hz:g} Hz within {within_s:g} s: {self._description()}")
        return found

    async def silence(self, *, for_s: float, since: float, within_s: float, threshold_db: float) -> float:
        """Wait until something was heard and then nothing for ``for_s``; return when the silence began.

        :raises NotHeardError: nothing was heard at all, or it did not end within ``within_s``.
        """

        cursor, ended_at = since, 0.0

        def fell_silent_at() -> float | None:
            nonlocal cursor, ended_at
            recent = self._since(cursor)
            cursor = max(cursor, time.monotonic() - _LOOK_BACK_S)
            spans = sound.sound_spans(recent.samples, RATE, threshold_db)
            ended_at = max(ended_at, recent.started_at + spans[-1][1]) if spans else ended_at
            return ended_at if ended_at and time.monotonic() - ended_at >= for_s else None

        found = await self._wait(fell_silent_at, within_s)
        if found is None:
            raise NotHeardError(f"no silence after sound within {within_s:g} s: {self._description()}")
        return found

    async def digit(self, count: int, *, within_s: float) -> str:
        """Wait until ``count`` digits have ended; return all of them.

        :raises NotHeardError: fewer came within ``within_s``.
        """

        def all_of_them() -> float | None:
            return self.digits[count - 1].ended_at if len(self.digits) >= count else None

        digits_at = await self._wait(all_of_them, within_s)
        pressed = "".join(heard.digit for heard in self.digits)
        if digits_at is None:
            raise NotHeardError(f"{len(self.digits)} digits ({pressed!r}) within {within_s:g} s, not {count}")
        return pressed

    async def _wait(self, look: Look, within_s: float) -> float | None:
        deadline = time.monotonic() + within_s
        while (found := look()) is None and (left_s := deadline - time.monotonic()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), min(left_s, 0.2))
                await asyncio.sleep(min(left_s, 0.04))  # look at two frames at a time: looking costs more
            except TimeoutError:
                continue
        return found

    def _since(self, moment: float) -> Heard:
        first = bisect_left(self.arrivals, moment, key=itemgetter(0))
        return laid_out(self.arrivals[first:])

    def _description(self) -> str:
        heard = self.heard
        spans = ", ".join(f"{a:.2f}–{b:.2f}" for a, b in sound.sound_spans(heard.samples, RATE)[-6:])
        return f"{len(self.arrivals)} packets, {len(heard.samples) / RATE:.2f} s, sound at {spans or 'none'}"

    def _receive(self) -> None:
        while True:
            try:
                datagram = self.sock.recv(_MAX_DATAGRAM)
            except OSError:  # nothing more to read, or the other end's port is closed
                return
            now = time.monotonic()
            try:
                self._take(Packet.parse(datagram), now)
            except RtpError:
                continue
            self._news.set()

    def _take(self, packet: Packet, now: float) -> None:
        if packet.payload_type != self.event_payload_type:
            self.arrivals.append((now, packet))
            return
        event = TelephoneEvent.parse(packet.payload)
        press = (packet.ssrc, packet.timestamp)
        if press != self._press:
            self._press, self._press_started_at, self._press_open = press, now, True
        if event.ended and self._press_open:
            self._press_open = False
            self.digits.append(
                HeardDigit(
                    digit=event.digit,
                    duration_ms=event.duration * 1000 // RATE,
                    started_at=self._press_started_at,
                    ended_at=now,
                )
            )


def laid_out(arrivals: list[tuple[float, Packet]], *, drift_s: float = _DRIFT_S) -> Heard:
    """Return the sound of these packets on one time line.

    :param drift_s: how far a packet may lie from its arrival by its timestamp.
    """
    voiced = [(at, packet) for at, packet in arrivals if packet.payload_type in _LAW_OF]
    if not voiced:
        return Heard(samples=np.zeros(0, np.int16), started_at=time.monotonic())
    started_at = voiced[0][0] - FRAME_S
    placed: list[tuple[int, g711.Samples]] = []
    anchor, anchored = 0, voiced[0][1]
    for at, packet in voiced:
        by_clock = round((at - FRAME_S - started_at) * RATE)
        by_timestamp = anchor + ((packet.timestamp - anchored.timestamp + 2**31) % 2**32 - 2**31)
        if packet.ssrc != anchored.ssrc or abs(by_timestamp - by_clock) > drift_s * RATE:
            anchor, anchored, by_timestamp = max(0, by_clock), packet, max(0, by_clock)
        placed.append((max(0, by_timestamp), g711.decode(packet.payload, _LAW_OF[packet.payload_type])))
    samples = np.zeros(max(start + len(part) for start, part in placed), np.int16)
    for start, part in placed:
        samples[start : start + len(part)] = part
    return Heard(samples=samples, started_at=started_at)
