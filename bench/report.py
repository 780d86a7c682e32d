"""Prints what was measured, and writes it down: a table per load, and each target with by how much.

Rule: of several rounds the median counts; no round is left out.
"""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.hold import Held
from bench.rounds import Idle, Round

SERVICE = "asterisk-consent"
DIALPLAN = "dialplan"
_RATIO_LOAD = "40/s"

SERVICE_CPU_MS = 4.0
TOGETHER_TIMES = 1.6
OVER_FSYNC_MS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One figure to reach: at most ``limit``."""

    name: str
    figure: float
    limit: float

    @property
    def reached(self) -> bool:
        """Whether it was."""
        return self.figure <= self.limit


def targets(rounds: Sequence[Round], held: Held | None) -> list[Target]:
    """Compare what was measured with what was to be reached."""
    ours = [each for each in rounds if each.way == SERVICE]
    reached = (
        []
        if not ours
        else [
            Target(name="calls lost", figure=sum(each.lost for each in ours), limit=0),
            Target(name="recordings missing", figure=sum(each.missing for each in ours), limit=0),
        ]
    )
    for load in dict.fromkeys(each.load for each in ours):
        cpu = median(each.service_cpu_ms for each in ours if each.load == load)
        reached.append(Target(name=f"service CPU a call at {load}, ms", figure=cpu, limit=SERVICE_CPU_MS))
    reached += _at_forty(rounds)
    if held is not None:
        name = f"{held.calls_at_once} calls of {held.call_s:g} s held {held.held_s:g} s"
        reached += [
            Target(name=f"{name}: lost", figure=held.lost, limit=0),
            Target(name=f"{name}: recordings missing", figure=held.missing, limit=0),
        ]
    return reached


def _at_forty(rounds: Sequence[Round]) -> list[Target]:
    ours = [each for each in rounds if (each.way, each.load) == (SERVICE, _RATIO_LOAD)]
    alone = [each for each in rounds if (each.way, each.load) == (DIALPLAN, _RATIO_LOAD)]
    if not ours or not alone:
        return []
    times = median(each.cpu_ms for each in ours) / median(each.cpu_ms for each in alone)
    over = median(each.digit_to_recording_p99_ms - each.fsync_p99_ms for each in ours)
    return [
        Target(name="Asterisk and service, times the dialplan, at 40/s", figure=times, limit=TOGETHER_TIMES),
        Target(name="p99 digit to recording over fsync p99 at 40/s, ms", figure=over, limit=OVER_FSYNC_MS),
    ]


def print_report(rounds: Sequence[Round], idle: Idle, held: Held | None, console: Console) -> None:
    """Print the tables."""
    console.print(
        f"idle, CPU ms a second: Asterisk {idle.asterisk_ms_per_s:.1f}, service {idle.service_ms_per_s:.1f}"
    )
    for table in _tables_of(rounds) if rounds else ():
        console.print(table)
    if held is not None:
        table = Table(title=f"{held.calls_at_once} calls at once", box=None)
        table.add_column("figure")
        table.add_column("value", justify="right")
        for name, value in asdict(held).items():
            table.add_row(name, f"{value:g}" if isinstance(value, int) else f"{value:.2f}")
        console.print(table)
    table = Table(title="To reach", box=None)
    for name in ("figure", "measured", "at most", ""):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for target in targets(rounds, held):
        verdict = "reached" if target.reached else f"missed by {target.figure - target.limit:.2f}"
        table.add_row(target.name, f"{target.figure:.2f}", f"{target.limit:g}", verdict)
    console.print(table)


def _tables_of(rounds: Sequence[Round]) -> list[Table]:
    cost = Table(title="CPU a call, ms: up to the start of the recording, and after (median)", box=None)
    for name in ("load", "way", "Asterisk", "service", "together", "after: Asterisk", "service"):
        cost.add_column(name, justify="left" if name in ("load", "way") else "right")
    quality = Table(title="Digit to recording, ms (median); calls of all rounds", box=None)
    for name in ("load", "way", "p50", "p99", "fsync p99", "calls", "lost", "missing", "service PSS, MB"):
        quality.add_column(name, justify="left" if name in ("load", "way") else "right")
    for load, way in dict.fromkeys((each.load, each.way) for each in rounds):
        some = [each for each in rounds if (each.load, each.way) == (load, way)]
        cpu = ("asterisk_cpu_ms", "service_cpu_ms", "cpu_ms", "asterisk_after_cpu_ms", "service_after_cpu_ms")
        cost.add_row(load, way, *(f"{_median(some, name):.2f}" for name in cpu))
        latency = ("digit_to_recording_p50_ms", "digit_to_recording_p99_ms", "fsync_p99_ms")
        counts = (str(sum(getattr(each, name) for each in some)) for name in ("calls", "lost", "missing"))
        pss = max(each.service_pss_kib for each in some) / 1024
        quality.add_row(load, way, *(f"{_median(some, name):.1f}" for name in latency), *counts, f"{pss:.0f}")
    return [cost, quality]


def _median(rounds: Sequence[Round], name: str) -> float:
    return median(float(getattr(each, name)) for each in rounds)


def write_report(
    folder: Path, rounds: Sequence[Round], idle: Idle, held: Held | None, machine: dict[str, str]
) -> Path:
    """Write everything as JSON; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC)
    content = {
        "measured_at": at.isoformat(timespec="seconds"),
        "machine": machine,
        "idle": asdict(idle),
        "targets": [{**asdict(target), "reached": target.reached} for target in targets(rounds, held)],
        "rounds": [asdict(each) for each in rounds],
        "held": asdict(held) if held is not None else None,
    }
    path = folder / f"{at:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def describe_machine(asterisk_version: str) -> dict[str, str]:
    """Say what it was measured on, without naming the machine."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": str(len(models)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "asterisk": asterisk_version,
    }
