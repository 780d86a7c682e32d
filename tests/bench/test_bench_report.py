"""What the benchmark concludes from its figures, on figures made up for it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import callers, report
from bench.rounds import Idle, Load, Round, plan_for
from bench.ways import FilesWay

ROUND = Round(
    way="asterisk-consent",
    load="40/s",
    calls=400,
    lost=0,
    not_started=0,
    missing=0,
    asterisk_cpu_ms=10.0,
    service_cpu_ms=3.0,
    asterisk_after_cpu_ms=5.0,
    service_after_cpu_ms=2.0,
    digit_to_recording_p50_ms=3.0,
    digit_to_recording_p99_ms=9.0,
    fsync_p50_ms=0.5,
    fsync_p99_ms=4.0,
    asterisk_pss_kib=1,
    service_pss_kib=1,
    service_rss_kib=1,
)
ALONE = replace(ROUND, way="dialplan", asterisk_cpu_ms=8.0, service_cpu_ms=0.0)


def named(rounds: list[Round], name: str) -> report.Target:
    return next(target for target in report.targets(rounds, None) if name in target.name)


def test_together_is_compared_with_the_dialplan_by_the_median_of_the_rounds() -> None:
    slow = replace(ROUND, asterisk_cpu_ms=1000.0)
    target = named([ROUND, ROUND, slow, ALONE, ALONE, ALONE], "times the dialplan")
    assert target.figure == pytest.approx(13 / 8)
    assert not target.reached


def test_one_lost_call_in_any_round_is_a_missed_target() -> None:
    assert named([ROUND, ALONE], "calls lost").reached
    assert not named([ROUND, replace(ROUND, lost=1), ALONE], "calls lost").reached
    assert not named([ROUND, replace(ROUND, load="burst", missing=1)], "recordings missing").reached


def test_nothing_measured_reaches_nothing() -> None:
    assert report.targets([], None) == []
    assert report.targets([ALONE], None) == []


def test_latency_is_measured_against_the_disk_of_the_same_round() -> None:
    assert named([ROUND, ALONE], "over fsync").figure == pytest.approx(5.0)


def test_every_round_is_written_down(tmp_path: Path) -> None:
    idle = Idle(asterisk_ms_per_s=1.0, service_ms_per_s=2.0)
    path = report.write_report(tmp_path, [ROUND, ALONE], idle, None, {"cores": "2"})
    written = json.loads(path.read_text())
    assert [each["way"] for each in written["rounds"]] == ["asterisk-consent", "dialplan"]
    assert all("reached" in target for target in written["targets"])


def test_every_call_waits_until_the_last_one_was_asked(tmp_path: Path) -> None:
    way = FilesWay(name="x", prefix="8001", folder=tmp_path)
    plan = plan_for(Load(name="x", calls=400, per_second=40), way, press_after_s=2.0)
    assert plan.number == "8001013"
    last_asked_s = 400 / 40 + plan.press_after_s
    assert plan.press_after_s + int(plan.number[4:]) > last_asked_s
    assert plan.stay_s > int(plan.number[4:])


def test_a_recording_counts_only_with_sound_on_both_sides(tmp_path: Path) -> None:
    way = FilesWay(name="x", prefix="8001", folder=tmp_path)
    for name, size in (
        ("1-caller", 100),
        ("1-agent", 100),
        ("2-caller", 100),
        ("2-agent", 44),
        ("3-caller", 100),
    ):
        (tmp_path / f"{name}.wav").write_bytes(bytes(size))
    assert way.complete_recordings() == 1
    way.clear()
    assert way.complete_recordings() == 0


def test_statistics_without_totals_are_an_error() -> None:
    with pytest.raises(LookupError):
        callers.read_outcome("")
