"""What the phone sends: numbering, pacing by ticks, and telephone-events."""

import asyncio
import itertools
import socket
from collections.abc import Iterator

import pytest

from tests.pbx import ears, rtp
from tests.pbx.g711 import silence


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def talker(sock: socket.socket) -> rtp.Talker:
    return rtp.Talker(sock=sock, law="alaw", sequence=65533, timestamp=2**32 - 200, ssrc=7)


def sent(sock: socket.socket) -> list[rtp.Packet]:
    packets = []
    while True:
        try:
            packets.append(rtp.Packet.parse(sock.recv(2048)))
        except BlockingIOError:
            return packets


def test_sequence_numbers_and_timestamps_advance_and_wrap(pair: tuple[socket.socket, socket.socket]) -> None:
    sender = talker(pair[0])
    sender.quiet()
    for _ in range(5):
        sender.tick()
    packets = sent(pair[1])
    assert [packet.sequence for packet in packets] == [65533, 65534, 65535, 0, 1]
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)]
    assert steps == [160] * 4
    assert [packet.marker for packet in packets] == [True, False, False, False, False]
    assert packets[0].payload == silence(160, "alaw")


async def test_a_digit_keeps_its_first_timestamp_and_ends_three_times(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender = talker(pair[0])
    done = sender.press("5", duration_ms=60)
    for _ in range(3):
        sender.tick()
    packets = sent(pair[1])
    events = [rtp.TelephoneEvent.parse(packet.payload) for packet in packets]
    assert [event.duration for event in events] == [160, 320, 480, 480, 480]
    assert [event.ended for event in events] == [False, False, True, True, True]
    assert {event.digit for event in events} == {"5"}
    assert len({packet.timestamp for packet in packets}) == 1
    assert len({packet.sequence for packet in packets}) == 5
    assert [packet.marker for packet in packets] == [True, False, False, False, False]
    assert done.done()


async def test_a_second_digit_has_a_later_timestamp_and_a_gap_before_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender = talker(pair[0])
    sender.quiet()
    sender.press("1", duration_ms=20)
    sender.press("1", duration_ms=20)
    for _ in range(8):
        sender.tick()
    packets = sent(pair[1])
    events = [packet for packet in packets if packet.payload_type == rtp.EVENT_PAYLOAD_TYPE]
    moments = list(dict.fromkeys(packet.timestamp for packet in events))
    assert len(moments) == 2
    assert (moments[1] - moments[0]) % 2**32 >= 4 * 160
    assert any(packet.payload_type == 8 for packet in packets[3:-3])


async def test_a_digit_on_its_way_when_the_call_ends_is_not_awaited_for_ever(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender = talker(pair[0])
    done = sender.press("1", duration_ms=160)
    sender.stop()
    with pytest.raises(rtp.StreamEndedError):
        await asyncio.wait_for(done, 1)


def test_muted_nothing_is_sent_and_time_goes_on(pair: tuple[socket.socket, socket.socket]) -> None:
    sender = talker(pair[0])
    sender.quiet()
    sender.tick()
    sender.mute()
    sender.tick()
    sender.tone(440)
    sender.tick()
    first, second = sent(pair[1])
    assert (second.timestamp - first.timestamp) % 2**32 == 320
    assert (second.sequence - first.sequence) % 2**16 == 1


def test_a_restarted_stream_goes_on_from_the_given_numbers(pair: tuple[socket.socket, socket.socket]) -> None:
    sender = talker(pair[0])
    sender.quiet()
    sender.tick()
    sender.restart(sequence=100, timestamp=1000)
    sender.tick()
    restarted = sent(pair[1])[-1]
    assert (restarted.sequence, restarted.timestamp, restarted.marker) == (100, 1160, True)


@pytest.mark.parametrize("datagram", [b"", b"\x80\x08", bytes(12), b"\x80\xc8" + bytes(26)])
def test_what_is_not_rtp_is_refused(datagram: bytes) -> None:
    with pytest.raises(rtp.RtpError):
        rtp.Packet.parse(datagram)


def test_sound_is_laid_out_by_timestamp_and_a_pause_stays_a_pause() -> None:
    def packet(number: int, ssrc: int) -> rtp.Packet:
        return rtp.Packet(
            payload_type=8,
            marker=False,
            sequence=number,
            timestamp=number * 160,
            ssrc=ssrc,
            payload=bytes([0x2A]) * 160,
        )

    # Two packets late by less than the tolerance, a gap of one second, then a stream with other numbers.
    arrivals = [(10.0, packet(0, 1)), (10.03, packet(1, 1)), (11.02, packet(900, 2)), (11.04, packet(901, 2))]
    heard = ears.laid_out(arrivals)
    loud = heard.samples != 0
    assert heard.started_at == pytest.approx(9.98)
    assert loud[:320].all()
    assert not loud[320:8160].any()
    assert loud[8160:].all()
    assert len(loud) == 8480
