"""Writes the capture file that SIPp plays as a pressed digit: one telephone-event in real RTP (RFC 4733).

Rule: the file holds what a phone would send, and nothing besides: no sound before or after, since SIPp's
playing threads stop keeping up with continuous sound at about 20 calls a second.
"""

import struct
from pathlib import Path

from tests.pbx.rtp import EVENT_PAYLOAD_TYPE, FRAME_S, FRAME_SAMPLES, Packet, TelephoneEvent

_GLOBAL_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)  # pcap 2.4, Ethernet
_ETHERNET = bytes(12) + b"\x08\x00"
_PORT = 10000  # SIPp puts the real ports in, counted from the first one it finds
_LOOPBACK = bytes([127, 0, 0, 1])


def packets(digit: str, *, duration_ms: int) -> list[tuple[float, Packet]]:
    """Return the event with the second each packet leaves at, its end sent three times."""
    frames = max(1, round(duration_ms / 1000 / FRAME_S))
    timed: list[tuple[float, Packet]] = []
    for frame in range(1, frames + 1):
        ended = frame == frames
        event = TelephoneEvent(digit=digit, ended=ended, duration=frame * FRAME_SAMPLES)
        for repetition in range(3 if ended else 1):
            packet = Packet(
                payload_type=EVENT_PAYLOAD_TYPE,
                marker=frame == 1,
                sequence=len(timed) + 1,
                timestamp=FRAME_SAMPLES,
                ssrc=0x5EED,
                payload=event.pack(),
            )
            timed.append(((frame - 1) * FRAME_S + repetition * 0.001, packet))
    return timed


def write(path: Path, digit: str, *, duration_ms: int = 160) -> None:
    """Write the capture file."""
    records = [_record(at_s, packet.pack()) for at_s, packet in packets(digit, duration_ms=duration_ms)]
    path.write_bytes(_GLOBAL_HEADER + b"".join(records))


def _record(at_s: float, rtp: bytes) -> bytes:
    udp = struct.pack("!HHHH", _PORT, _PORT, 8 + len(rtp), 0) + rtp
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + 2 * _LOOPBACK + udp
    frame = _ETHERNET + ip
    seconds, microseconds = divmod(round(at_s * 1_000_000), 1_000_000)
    return struct.pack("<IIII", seconds, microseconds, len(frame), len(frame)) + frame
