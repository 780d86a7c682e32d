"""Figures are those of the moment, without a number, name or id of anybody."""

import asyncio
import socket
import urllib.request
from pathlib import Path

import pytest

from asterisk_consent.calls.awaited import Awaited
from asterisk_consent.calls.metrics import publish_metrics
from asterisk_consent.errors import ConfigError
from asterisk_consent.model import RecordingId
from tests.calls.asterisk import waiting_channel
from tests.calls.recording_place import Place
from tests.calls.service import Service
from tests.calls.test_heartbeat import heartbeat


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_the_figures_are_those_of_the_moment_and_name_nobody(tmp_path: Path) -> None:
    service, place, port = Service(), Place(tmp_path), free_port()
    recording = RecordingId("a" * 32)
    publish_metrics(port, service.switchboard, place.recorder, heartbeat(service, tmp_path))
    service.switchboard.outcomes["given"] = 3
    place.recorder.ended["recording.verified"] = 2
    place.recorder.expect(
        Awaited(recording_id=recording, call_id="b" * 32, controller="voorbeeld", channel="1.1")
    )

    place.recorder.spool.take_in(recording)
    place.clock.now_s += 2.5

    page = await asyncio.to_thread(_read, port)

    assert 'consent_calls_total{outcome="given"} 3.0' in page
    assert 'consent_recordings_total{end="recording.verified"} 2.0' in page
    assert "consent_recordings_open 1.0" in page
    assert "consent_recordings_waiting 1.0" in page
    assert "consent_recordings_waiting_oldest_seconds 2.5" in page
    assert "consent_calls_asked 0.0" in page
    assert "consent_healthy 0.0" in page
    assert recording not in page
    assert waiting_channel().caller.number not in page


async def test_port_0_answers_nobody_and_a_taken_port_is_a_problem_of_the_configuration(
    tmp_path: Path,
) -> None:
    service, place = Service(), Place(tmp_path)
    parts = (service.switchboard, place.recorder, heartbeat(service, tmp_path))
    publish_metrics(0, *parts)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"metrics_port \d+: .*Choose a free port"):
            publish_metrics(taken.getsockname()[1], *parts)


def _read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
