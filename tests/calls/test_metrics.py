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
from asterisk_consent.rights.figures import FiguresOfRights
from tests.calls.asterisk import waiting_channel
from tests.calls.recording_place import Place
from tests.calls.service import Service
from tests.calls.test_heartbeat import heartbeat
from tests.rights.kept_calls import NUMBER, KeptCalls, withdrawal


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def keeping(tmp_path: Path) -> KeptCalls:
    """A place with a ledger beside that of the recorder."""
    (tmp_path / "kept").mkdir()
    return await KeptCalls.begin(tmp_path / "kept", "p1-nl")


async def test_the_figures_are_those_of_the_moment_and_name_nobody(tmp_path: Path) -> None:
    service, place, port = Service(), Place(tmp_path), free_port()
    recording = RecordingId("a" * 32)
    kept = await keeping(tmp_path)
    rights = FiguresOfRights(kept.held.ledger, clock=kept.clock)
    parts = (service.switchboard, place.recorder, heartbeat(service, tmp_path))
    publish_metrics(port, *parts, rights=lambda: rights)
    withdrawn, waits = kept.recorded(1), kept.recorded(2)
    kept.requests.carry_out(kept.requests.enter(withdrawal(), withdrawn))
    kept.requests.enter(withdrawal(identified_by=""), waits)
    kept.clock.now += 7
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
    assert 'consent_requests_total{right="withdrawal",way="command"} 2.0' in page
    assert 'consent_requests_ended_total{end="done",right="withdrawal"} 1.0' in page
    assert "consent_requests_waiting 1.0" in page
    assert "consent_requests_waiting_oldest_seconds 7.0" in page
    assert "consent_recordings_erased_total 1.0" in page
    assert "consent_sweep_recordings_erased_total 0.0" in page
    assert "consent_sweep_last_timestamp_seconds 0.0" in page
    for named in (
        recording,
        withdrawn,
        waits,
        waiting_channel().caller.number,
        NUMBER,
        kept.controller("p1-nl"),
    ):
        assert named not in page


async def test_a_ledger_that_cannot_be_read_takes_no_other_figure_away(tmp_path: Path) -> None:
    service, place, port = Service(), Place(tmp_path), free_port()
    kept = await keeping(tmp_path)
    rights = FiguresOfRights(kept.held.ledger)
    parts = (service.switchboard, place.recorder, heartbeat(service, tmp_path))
    publish_metrics(port, *parts, rights=lambda: rights)
    kept.held.ledger.unlink()
    page = await asyncio.to_thread(_read, port)
    assert "consent_healthy 0.0" in page
    assert "consent_requests_waiting" not in page


async def test_port_0_answers_nobody_and_counts_nothing(tmp_path: Path) -> None:
    service, place = Service(), Place(tmp_path)
    parts = (service.switchboard, place.recorder, heartbeat(service, tmp_path))
    publish_metrics(0, *parts, rights=never)


async def test_a_taken_port_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    kept = await keeping(tmp_path)
    rights = FiguresOfRights(kept.held.ledger)
    service, place = Service(), Place(tmp_path)
    parts = (service.switchboard, place.recorder, heartbeat(service, tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"metrics_port \d+: .*Choose a free port"):
            publish_metrics(taken.getsockname()[1], *parts, rights=lambda: rights)


def never() -> FiguresOfRights:
    pytest.fail("it was read for nobody")


def _read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
