"""``python -m bench.ledger``: how fast the ledger commits and verifies, beside what this disk can do.

Rule: a commit is timed from the call of ``append`` to its answer, and this disk's own fsync is timed by
another process while the load runs. Every decision is sealed to a key of its own, which is made durable first, as
in the service. Files lie beside the results, so on a disk and not in memory.
"""

import asyncio
import hashlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from asterisk_consent.ledger import (
    Kind,
    Ledger,
    Moment,
    NewEntry,
    Recording,
    decision_kind,
    decision_payload,
    verify,
)
from asterisk_consent.ledger.commit import prepare, write_entries
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.sealing import Sealer
from asterisk_consent.model import Direction, Outcome
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.proof_keys import ProofKeys
from asterisk_consent.vault.recipients import LEAST, add_recipients
from bench.processes import FsyncProbe
from bench.report import Target, describe_machine
from bench.sealing import QuickSealer

RESULTS = Path(__file__).parent / "results"
CONTROLLER = "voorbeeld-bv"
_COURSE = ("arrived", "information", "information played", "question", "digit 1", "question stopped")
_NOW = 1_800_000_000
CONTROLLER = "voorbeeld-bv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """What a load of single appends cost; latencies from call to answer."""

    asked_per_second: float
    reached_per_second: float
    entries: int
    cpu_ms: float
    commit_p50_ms: float
    commit_p99_ms: float
    commit_max_ms: float
    fsync_p50_ms: float
    fsync_p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What checking a large ledger cost, in a process of its own."""

    entries: int
    file_mb: float
    seconds: float
    peak_rss_mb: float


def name_of(number: int) -> str:
    """Return an id that is always the same for a number, and as scattered as random ones."""
    return hashlib.md5(number.to_bytes(8, "big"), usedforsecurity=False).hexdigest()


def decision(number: int) -> NewEntry:
    """Return a decision of the size that real ones have; it allows the recording of the same number."""
    name = name_of(number)
    payload = decision_payload(
        outcome=Outcome.GIVEN,
        started_at=_NOW,
        direction=Direction.INCOMING,
        dialled="1001",
        channel=f"PJSIP/trunk-{number:08x}",
        caller="+442079460123",
        caller_name="Anna Voorbeeld",
        withheld=False,
        digit="1",
        played_ms=21_400,
        information_ms=15_300,
        recording_id=name,
        purposes=("training", "quality"),
        course=tuple(Moment(at_ms=1000 * at, what=what) for at, what in enumerate(_COURSE)),
    )
    return NewEntry(
        stream=CONTROLLER,
        kind=decision_kind(Outcome.GIVEN),
        call_id=name,
        policy="p1-nl",
        policy_version=1,
        language="nl",
        announcement="ab" * 32,
        payload=payload,
    )


def verified(number: int) -> NewEntry:
    """Return the end of the recording of that number."""
    name = name_of(number)
    payload = Recording(recording_id=name, duration_ms=180_000, sha256="cd" * 32, size=5_760_044)
    return NewEntry(stream=CONTROLLER, kind=Kind.RECORDING_VERIFIED, call_id=name, payload=payload)


@contextmanager
def sealing(place: Path) -> Iterator[ProofKeys]:
    """Give the keys that the service seals with, of a controller with two recipients."""
    keys = place / "keys"
    keys.mkdir()
    add_recipients(CONTROLLER, keys, [Identity.generate().recipient for _ in range(LEAST)])
    with closing(ProofKeys(keys, checkpoints=True)) as sealer:
        yield sealer


@contextmanager
def fsync_beside(folder: Path) -> Iterator[Callable[[], tuple[float, float]]]:
    """Time this disk's fsync in another process; the function given stops it and returns p50 and p99 in ms."""
    here, there = multiprocessing.Pipe()
    probe = multiprocessing.get_context("spawn").Process(target=_probe, args=(there, folder))
    probe.start()
    there.close()
    here.recv()

    def stop() -> tuple[float, float]:
        here.send(None)
        p50, p99 = here.recv()
        return float(p50), float(p99)

    try:
        yield stop
    finally:
        here.close()
        probe.join()


def _probe(connection: Connection, folder: Path) -> None:
    with FsyncProbe(folder) as probe:
        connection.send(None)
        connection.recv()
        connection.send((probe.percentile_ms(50), probe.percentile_ms(99)))


async def paced(ledger: Ledger, per_second: float, seconds: float, first: int) -> list[float]:
    """Append at a steady rate, whether or not earlier ones are answered; return the latencies in seconds."""
    started_at = time.perf_counter()
    tasks = []
    for number in range(int(per_second * seconds)):
        due_at = started_at + number / per_second
        await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
        tasks.append(asyncio.create_task(_timed(ledger, first + number)))
    return await asyncio.gather(*tasks)


async def as_fast_as_it_goes(ledger: Ledger, at_once: int, seconds: float, first: int) -> list[float]:
    """Keep so many appends waiting all the time; return the latencies in seconds."""
    until = time.perf_counter() + seconds

    async def one_after_the_other(lane: int) -> list[float]:
        latencies: list[float] = []
        while time.perf_counter() < until:
            latencies.append(await _timed(ledger, first + at_once * len(latencies) + lane))
        return latencies

    lanes = await asyncio.gather(*(one_after_the_other(lane) for lane in range(at_once)))
    return [latency for lane in lanes for latency in lane]


async def _timed(ledger: Ledger, number: int) -> float:
    entry = decision(number)
    began_at = time.perf_counter()
    await ledger.append(entry)
    return time.perf_counter() - began_at


async def measure(
    folder: Path, per_second: float, load: Callable[[Ledger], Awaitable[list[float]]]
) -> Commits:
    """Run a load on a ledger of its own."""
    with (
        tempfile.TemporaryDirectory(dir=folder, suffix=".tmp") as place,
        sealing(Path(place)) as sealer,
    ):
        ledger = await Ledger.open(Path(place) / "ledger.db", sealer=sealer, min_free_bytes=0)
        with fsync_beside(Path(place)) as stop:
            began_at, cpu_began_s = time.perf_counter(), time.process_time()
            latencies = np.array(await load(ledger)) * 1000
            took_s, cpu_s = time.perf_counter() - began_at, time.process_time() - cpu_began_s
            fsync_p50_ms, fsync_p99_ms = stop()
        await ledger.close()
    return Commits(
        asked_per_second=per_second,
        reached_per_second=len(latencies) / took_s,
        entries=len(latencies),
        cpu_ms=cpu_s / len(latencies) * 1000,
        commit_p50_ms=float(np.percentile(latencies, 50)),
        commit_p99_ms=float(np.percentile(latencies, 99)),
        commit_max_ms=float(latencies.max()),
        fsync_p50_ms=fsync_p50_ms,
        fsync_p99_ms=fsync_p99_ms,
    )


def fill(path: Path, entries: int, sealer: Sealer) -> None:
    """Make a ledger of so many entries, half of them decisions, half ends of recordings."""
    file = LedgerFile(path)
    file.create(at=_NOW, randomness=os.urandom)
    with closing(file.connected()) as connection:
        for start in range(0, entries, 10_000):
            numbers = range(start, min(start + 10_000, entries))
            news = [verified(at // 2) if at % 2 else decision(at // 2) for at in numbers]
            group = [prepare(new, at=_NOW, randomness=os.urandom, sealer=sealer) for new in news]
            sealer.keep([prepared.key for prepared in group if prepared.key is not None])
            connection.execute("BEGIN IMMEDIATE")
            write_entries(connection, group)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def verify_large(folder: Path, entries: int) -> Verified:
    """Fill a ledger and check it in a process of its own."""
    with tempfile.TemporaryDirectory(dir=folder, suffix=".tmp") as place:
        path = Path(place) / "ledger.db"
        fill(path, entries, QuickSealer())
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, peak_kib, found = pool.apply(_verify, (path,))
        if found != entries + 1:
            raise click.ClickException(f"only {found} entries of {entries + 1} verify")
        file_mb = path.stat().st_size / 1e6
    return Verified(entries=entries, file_mb=file_mb, seconds=seconds, peak_rss_mb=peak_kib * 1024 / 1e6)


def _verify(path: Path) -> tuple[float, int, int]:
    began_at = time.perf_counter()
    report = verify(path)
    took_s = time.perf_counter() - began_at
    return took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, report.entries


def targets(loads: dict[str, Commits], large: Verified) -> list[Target]:
    """Compare what was measured with what was to be reached."""
    steady = loads["steady"]
    million = large.entries / 1_000_000
    return [
        Target(
            name="commit p99 over fsync p99, ms", figure=steady.commit_p99_ms - steady.fsync_p99_ms, limit=5
        ),
        Target(name="seconds to verify a million entries", figure=large.seconds / million, limit=60),
        Target(name="peak memory of verify, MB", figure=large.peak_rss_mb, limit=200),
    ]


def print_report(loads: dict[str, Commits], large: Verified, console: Console) -> None:
    """Print the tables."""
    table = Table(title="Ledger: single entries, committed in groups as they arrive", box=None)
    columns = (
        "load",
        "asked/s",
        "reached/s",
        "entries",
        "CPU ms",
        "p50 ms",
        "p99",
        "max",
        "fsync p50",
        "p99",
    )
    for name in columns:
        table.add_column(name, justify="left" if name == "load" else "right")
    for name, commits in loads.items():
        asked, reached, entries, *figures = asdict(commits).values()
        counts = (f"{asked:.0f}" if asked else "all", f"{reached:.0f}", str(entries))
        table.add_row(name, *counts, *(f"{figure:.2f}" for figure in figures))
    console.print(table)
    console.print(
        f"verify: {large.entries} entries ({large.file_mb:.0f} MB) in {large.seconds:.1f} s,"
        f" peak {large.peak_rss_mb:.0f} MB"
    )
    for target in targets(loads, large):
        verdict = "reached" if target.reached else f"missed by {target.figure - target.limit:.2f}"
        console.print(f"  {target.name}: {target.figure:.2f} (at most {target.limit:g}), {verdict}")


@click.command()
@click.option("--quick", is_flag=True, help="Seconds instead of minutes; too short to judge by.")
def main(*, quick: bool) -> None:
    """Measure the ledger on the disk that the results lie on."""
    RESULTS.mkdir(exist_ok=True)
    steady_s, full_s, entries = (3.0, 2.0, 20_000) if quick else (60.0, 10.0, 1_000_000)
    loads = {
        "calls": asyncio.run(measure(RESULTS, 40, lambda ledger: paced(ledger, 40, steady_s / 2, 0))),
        "steady": asyncio.run(measure(RESULTS, 500, lambda ledger: paced(ledger, 500, steady_s, 0))),
        "largest": asyncio.run(
            measure(RESULTS, 0, lambda ledger: as_fast_as_it_goes(ledger, 256, full_s, 0))
        ),
    }
    large = verify_large(RESULTS, entries)
    print_report(loads, large, Console())
    at = datetime.now(UTC)
    content = {
        "measured_at": at.isoformat(timespec="seconds"),
        "machine": {key: value for key, value in describe_machine("").items() if value},
        "targets": [{**asdict(target), "reached": target.reached} for target in targets(loads, large)],
        "loads": {name: asdict(commits) for name, commits in loads.items()},
        "verify": asdict(large),
    }
    kind = "ledger-quick" if quick else "ledger"
    written = RESULTS / f"{kind}-{at:%Y%m%dT%H%M%SZ}.json"
    written.write_text(json.dumps(content, indent=2) + "\n")
    Console().print(f"written to {written}")


if __name__ == "__main__":
    sys.exit(main())
