"""The instruments of the benchmark, on things whose truth is known."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from bench import callers, pressed_digit, processes
from bench.ami_events import Moments
from tests.pbx.rtp import Packet, TelephoneEvent


def test_a_pressed_digit_is_one_event_with_growing_numbers_and_three_ends(tmp_path: Path) -> None:
    path = tmp_path / "digit.pcap"
    pressed_digit.write(path, "1", duration_ms=60)
    raw, datagrams, moments = path.read_bytes()[24:], [], []
    while raw:
        seconds, micros, length, _ = struct.unpack_from("<IIII", raw)
        moments.append(seconds + micros / 1e6)
        datagrams.append(raw[16 + 14 + 20 + 8 : 16 + length])
        raw = raw[16 + length :]
    packets = [Packet.parse(datagram) for datagram in datagrams]
    events = [TelephoneEvent.parse(packet.payload) for packet in packets]
    assert [event.ended for event in events] == [False, False, True, True, True]
    assert {event.digit for event in events} == {"1"}
    assert [packet.sequence for packet in packets] == [1, 2, 3, 4, 5]
    assert len({packet.timestamp for packet in packets}) == 1
    assert moments == pytest.approx([0, 0.02, 0.04, 0.041, 0.042])


def test_cpu_time_counts_children_that_have_ended() -> None:
    before_s = processes.cpu_s(os.getpid())
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert processes.cpu_s(os.getpid()) - before_s >= 0.25


def test_memory_counts_children_that_live() -> None:
    alone = processes.memory(os.getpid())
    hold = "held = bytearray(b'x') * 50_000_000\nprint('ready', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert processes.memory(os.getpid()).rss_kib - alone.rss_kib > 45_000
        child.communicate("\n")


def test_a_latency_is_from_the_first_digit_to_the_first_recording_of_the_same_channel() -> None:
    moments = Moments()
    ended = {"Event": "DTMFEnd", "Direction": "Received"}
    moments.take({**ended, "Uniqueid": "1.1", "Timestamp": "100.000"})
    moments.take({**ended, "Uniqueid": "1.1", "Timestamp": "105.000"})
    moments.take({**ended, "Uniqueid": "1.2", "Timestamp": "100.500", "Direction": "Sent"})
    moments.take({"Event": "MixMonitorStart", "Uniqueid": "1.1", "Timestamp": "100.005"})
    moments.take({"Event": "MixMonitorStart", "Uniqueid": "1.2", "Timestamp": "100.600"})
    assert moments.latencies_s() == pytest.approx([0.005])
    assert len(moments.recording_started_at) == 2


def test_lost_calls_are_those_without_success() -> None:
    statistics = "TotalCallCreated;SuccessfulCall(C);FailedCall(C);\n10;5;0;\n40;38;2;\n"
    assert callers.read_outcome(statistics).lost == 2


def test_a_probe_of_the_disk_times_real_syncs(tmp_path: Path) -> None:
    with processes.FsyncProbe(tmp_path) as probe:
        while len(probe.durations_s) < 3:
            pass
    assert 0 < probe.percentile_ms(50) <= probe.percentile_ms(99)


async def test_callers_who_could_not_all_call_are_an_error_not_a_result() -> None:
    nobody = callers.Plan(number="1", calls=2, per_second=10, press_after_s=0.1, stay_s=0.1)
    with pytest.raises(callers.CallersError):
        async with callers.calling(nobody, pbx=("256.0.0.1", 1)) as calling:
            await calling.finished(within_s=20)
