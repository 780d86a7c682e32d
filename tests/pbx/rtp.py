"""Sends RTP as a phone does: sound every 20 ms and telephone-events (RFC 3550, RFC 4733).

Rule: the timestamp advances with the clock whatever is sent, sequence numbers advance with each packet, and
a telephone-event keeps the timestamp of its beginning; so a second digit in a call is never taken for a
repetition of the first. One task paces every stream of the process, from frames computed beforehand.
"""

import asyncio
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from tests.pbx import g711

RATE = 8000
FRAME_S = 0.02
FRAME_SAMPLES = 160
PAYLOAD_TYPES: dict[g711.Law, int] = {"ulaw": 0, "alaw": 8}
EVENT_PAYLOAD_TYPE = 101
EVENT_CODES = "0123456789*#ABCD"

#: Frames of sound between two digits; a thumb is not faster.
_GAP_FRAMES = 4
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")


class RtpError(Exception):
    """A datagram that is not RTP."""


class StreamEndedError(Exception):
    """The call ended before a digit was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    def pack(self) -> bytes:
        """Return the datagram."""
        kind = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(0x80, kind, self.sequence, self.timestamp, self.ssrc) + self.payload

    @classmethod
    def parse(cls, datagram: bytes) -> "Packet":
        """Read a datagram; RTCP, which may arrive at a neighbour's port, is refused (RFC 5761 §4)."""
        if len(datagram) < _HEADER.size or datagram[0] >> 6 != 2 or 192 <= datagram[1] <= 223:
            raise RtpError(f"not RTP: {datagram[:12].hex()}")
        flags, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
        start = _HEADER.size + 4 * (flags & 15)
        return cls(
            payload_type=kind & 0x7F,
            marker=kind > 0x7F,
            sequence=sequence,
            timestamp=timestamp,
            ssrc=ssrc,
            payload=datagram[start:],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneEvent:
    """The payload of a telephone-event; ``duration`` in samples (RFC 4733 §2.3)."""

    digit: str
    ended: bool
    duration: int

    def pack(self) -> bytes:
        """Return the payload, at a volume of -10 dBm0."""
        return _EVENT.pack(EVENT_CODES.index(self.digit), (0x80 if self.ended else 0) | 10, self.duration)

    @classmethod
    def parse(cls, payload: bytes) -> "TelephoneEvent":
        """Read a payload."""
        if len(payload) < _EVENT.size or payload[0] >= len(EVENT_CODES):
            raise RtpError(f"not a telephone-event: {payload[:4].hex()}")
        code, flags, duration = _EVENT.unpack_from(payload)
        return cls(digit=EVENT_CODES[code], ended=bool(flags & 0x80), duration=duration)


@lru_cache(maxsize=64)
def tone_frames(hz: int, dbfs: float, law: g711.Law) -> tuple[bytes, ...]:
    """Return one second of a sine, which any whole number of Hz fills without a seam."""
    amplitude = 32767 * 10 ** (dbfs / 20)
    wave = amplitude * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
    codes = g711.encode(np.round(wave).astype(np.int16), law)
    return tuple(codes[at : at + FRAME_SAMPLES] for at in range(0, RATE, FRAME_SAMPLES))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    """What is sent: a tone, or silence where ``hz`` is 0."""

    hz: int = 0
    dbfs: float = 0.0


@dataclass(slots=True)
class _Press:
    """A digit on its way: how long it lasts, how far it is, and who waits for its end."""

    digit: str
    frames: int
    due_at: float
    done: asyncio.Future[float]
    timestamp: int = 0
    sent: int = 0


@dataclass(slots=True, eq=False)
class Talker:
    """The sending half of a stream. Sends silence until told otherwise, nothing before ``start``."""

    sock: socket.socket
    law: g711.Law
    sequence: int
    timestamp: int
    ssrc: int
    event_payload_type: int = EVENT_PAYLOAD_TYPE
    packets_sent: int = 0
    _sound: _Sound | None = _Sound()
    _frames: tuple[bytes, ...] = ()
    _frame: int = 0
    _marker: bool = True
    _gap: int = 0
    _presses: deque[_Press] = field(default_factory=deque)

    def start(self) -> None:
        """Begin to send, paced with every other stream of this loop."""
        self._say(self._sound)
        Pacer.of_running_loop().add(self)

    def stop(self) -> None:
        """Send no more, and give up digits that are still on their way."""
        Pacer.of_running_loop().remove(self)
        while self._presses:
            done = self._presses.popleft().done
            if not done.done():
                done.set_exception(StreamEndedError("the call ended with a digit on its way"))

    def tone(self, hz: int, *, dbfs: float = -12.0) -> None:
        """Send a steady tone."""
        self._say(_Sound(hz=hz, dbfs=dbfs))

    def quiet(self) -> None:
        """Send silence."""
        self._say(_Sound())

    def mute(self) -> None:
        """Send nothing, as a phone with silence suppression does; digits still go out."""
        self._say(None)

    def use(self, law: g711.Law) -> None:
        """Go on in this codec."""
        self.law = law
        self._say(self._sound)

    def _say(self, sound: _Sound | None) -> None:
        self._sound = sound
        if sound is None:
            self._frames = ()
        elif sound.hz:
            self._frames = tone_frames(sound.hz, sound.dbfs, self.law)
        else:
            self._frames = (g711.silence(FRAME_SAMPLES, self.law),)

    def restart(self, *, sequence: int, timestamp: int | None = None, ssrc: int | None = None) -> None:
        """Go on from other numbers, as a phone does that restarts its stream."""
        self.sequence = sequence & 0xFFFF
        self.timestamp = self.timestamp if timestamp is None else timestamp & 0xFFFFFFFF
        self.ssrc = self.ssrc if ssrc is None else ssrc
        self._marker = True

    def press(self, digit: str, *, duration_ms: int, at: float | None = None) -> asyncio.Future[float]:
        """Queue a digit, not before ``at``; the future holds the moment its first end packet went out."""
        done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        frames = max(1, round(duration_ms / 1000 / FRAME_S))
        self._presses.append(_Press(digit=digit, frames=frames, due_at=at or 0.0, done=done))
        return done

    def tick(self) -> None:
        """Send what belongs to the next 20 ms."""
        self.timestamp = (self.timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        self._gap = max(0, self._gap - 1)
        press = self._presses[0] if self._presses and not self._gap else None
        if press is not None and press.due_at <= time.monotonic():
            self._continue_press(press)
        elif self._frames:
            self._frame = (self._frame + 1) % len(self._frames)
            self._send(PAYLOAD_TYPES[self.law], self._frames[self._frame], self.timestamp)

    def _continue_press(self, press: _Press) -> None:
        if not press.sent:
            press.timestamp = self.timestamp
            self._marker = True
        press.sent += 1
        ended = press.sent >= press.frames
        event = TelephoneEvent(digit=press.digit, ended=ended, duration=press.sent * FRAME_SAMPLES)
        for _ in range(3 if ended else 1):
            self._send(self.event_payload_type, event.pack(), press.timestamp)
        if ended:
            self._presses.popleft()
            self._gap = _GAP_FRAMES
            if not press.done.done():
                press.done.set_result(time.monotonic())

    def _send(self, payload_type: int, payload: bytes, timestamp: int) -> None:
        kind = payload_type | (0x80 if self._marker else 0)
        header = _HEADER.pack(0x80, kind, self.sequence, timestamp, self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self._marker = False
        try:
            self.sock.send(header + payload)
        except OSError:  # the other end is gone or not there yet: what a phone would not notice either
            return
        self.packets_sent += 1


class Pacer:
    """Ticks every stream of one event loop each 20 ms, from its first stream to its last."""

    _of_loop: ClassVar["WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer]"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._talkers: dict[Talker, None] = {}
        self._task: asyncio.Task[None] | None = None
        self.latest_tick_s = 0.0

    @classmethod
    def of_running_loop(cls) -> "Pacer":
        """Return the one pacer of this loop."""
        return cls._of_loop.setdefault(asyncio.get_running_loop(), cls())

    def add(self, talker: Talker) -> None:
        """Tick this stream from now on."""
        self._talkers[talker] = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="rtp-pacer")

    def remove(self, talker: Talker) -> None:
        """Tick this stream no more."""
        self._talkers.pop(talker, None)

    async def _run(self) -> None:
        due = time.monotonic()
        while self._talkers:
            late_s = time.monotonic() - due
            self.latest_tick_s = max(self.latest_tick_s, late_s)
            for talker in tuple(self._talkers):
                talker.tick()
            due += FRAME_S
            # After a long stall the stream goes on from now: a burst of old sound would help nobody.
            due = max(due, time.monotonic() - 0.5)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
