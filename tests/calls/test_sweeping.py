"""The daily sweep: a little after the start, then once a day, in a process of its own whose failure costs nothing."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.sweeping import EVERY_S, FIRST_S, Sweeping
from asterisk_consent.ledger.read import recordings_of
from tests.rights.kept_calls import KeptCalls


class DaysOverError(Exception):
    """Enough days have passed."""


class Days:
    """Sleeps that take no time, so many of them."""

    def __init__(self, number: int) -> None:
        self.slept: list[float] = []
        self._number = number

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) == self._number:
            raise DaysOverError
        self.slept.append(seconds)


def program(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program of the test's own where Python would be."""
    file = directory / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(file))


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    kept.clock.now = datetime.now(UTC).timestamp()
    return kept


async def test_it_sweeps_for_real_in_a_process_of_its_own(kept: KeptCalls) -> None:
    old = kept.recorded(1, began_at=datetime.now(UTC) - timedelta(days=200))
    new = kept.recorded(2, began_at=datetime.now(UTC))
    with capture_logs() as said:
        assert await Sweeping(kept.place.config.file).sweep()
    assert [(entry["event"], entry["went"]) for entry in said] == [
        ("sweeping.done", '{"recordings": 1, "proofs": 0}')
    ]
    assert [recordings_of(kept.held.ledger, each)[0].has_audio for each in (old, new)] == [False, True]


async def test_a_little_after_the_start_and_then_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, f'echo "$@" >> {tmp_path}/typed')
    days = Days(3)
    with pytest.raises(DaysOverError):
        await Sweeping(tmp_path / "place.toml", sleep=days.sleep).run()
    assert days.slept == [FIRST_S, EVERY_S, EVERY_S]
    typed = (tmp_path / "typed").read_text().splitlines()
    assert typed == [f"-m asterisk_consent --config {tmp_path}/place.toml retention sweep --json"] * 3


async def test_a_sweep_that_is_refused_is_logged_with_the_reason_and_tried_the_next_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, 'echo "the clock may have jumped" >&2; exit 1')
    days = Days(2)
    with capture_logs() as said, pytest.raises(DaysOverError):
        await Sweeping(tmp_path / "place.toml", sleep=days.sleep).run()
    assert [(entry["event"], entry["why"]) for entry in said] == [
        ("sweeping.refused", "the clock may have jumped")
    ] * 2


async def test_a_process_that_cannot_begin_is_logged_and_never_ends_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    days = Days(2)
    with capture_logs() as said, pytest.raises(DaysOverError):
        await Sweeping(tmp_path / "place.toml", sleep=days.sleep).run()
    assert [entry["event"] for entry in said] == ["sweeping.not_begun"] * 2
