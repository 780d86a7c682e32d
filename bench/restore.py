"""``python -m bench.restore``: backing up and restoring a large ledger, and what those who enter calls feel of it.

Rule: files lie beside the results, so on a disk and not in memory. Entries come as fast as calls do on a busy PBX while
the backup is written in a process of its own, as the command does.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from asterisk_consent.ledger import Ledger
from asterisk_consent.ledger.backup import back_up
from asterisk_consent.ledger.erasures import Extent, note_erasures
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.restoring import Wanted, restore
from bench.ledger import RESULTS, decision, fill, name_of
from bench.report import describe_machine
from bench.sealing import QuickSealer

PER_SECOND = 40
"""Entries: a PBX with twenty calls a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What it cost; ``longest`` is the longest that one entry took while the backup was written."""

    entries: int
    file_mb: float
    backup_s: float
    backup_rss_mb: float
    entered_meanwhile: int
    longest_ms: float
    erased: int
    restore_s: float
    restore_rss_mb: float


async def _enter_until(path: Path, done: Callable[[], bool], first: int) -> list[float]:
    """Enter calls at a steady rate; return how long each took, in seconds."""
    ledger = await Ledger.open(path, sealer=QuickSealer(), min_free_bytes=0)
    took: list[float] = []
    while not done():
        began_at = time.perf_counter()
        await ledger.append(decision(first + len(took)))
        took.append(time.perf_counter() - began_at)
        await asyncio.sleep(max(0.0, 1 / PER_SECOND - took[-1]))
    await ledger.close()
    return took


def _back_up(path: Path, output: Path) -> tuple[float, float]:
    began_at = time.perf_counter()
    back_up(path, output)
    return time.perf_counter() - began_at, _peak_mb()


def _restore(held: Holdings, backup: Path) -> tuple[float, int, float]:
    began_at = time.perf_counter()
    report = restore(Wanted(backup=backup, person="bench"), held, tell=click.echo)
    return time.perf_counter() - began_at, report.erased, _peak_mb()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure(folder: Path, entries: int, erased: int) -> Measured:
    """Fill a ledger, back it up while calls are entered, and restore it with that many calls erased since."""
    with tempfile.TemporaryDirectory(dir=folder, suffix=".tmp") as place:
        home = Path(place)
        held = Holdings(
            ledger=home / "ledger.sqlite", spool=home / "spool", vault=home / "vault", keys=home / "keys"
        )
        for directory in (held.spool, held.vault, held.keys):
            directory.mkdir()
        fill(held.ledger, entries, QuickSealer())
        backup = home / "backup"
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            writing = pool.apply_async(_back_up, (held.ledger, backup))
            took = asyncio.run(_enter_until(held.ledger, writing.ready, entries))
            backup_s, backup_rss_mb = writing.get()
        every = max(1, entries // 2 // max(1, erased))
        gone = {name_of(number * every): Extent.ALL for number in range(erased)}
        note_erasures(held.journal, gone, at=int(time.time()))
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            restore_s, found, restore_rss_mb = pool.apply(_restore, (held, backup))
        return Measured(
            entries=entries,
            file_mb=backup.stat().st_size / 1e6,
            backup_s=backup_s,
            backup_rss_mb=backup_rss_mb,
            entered_meanwhile=len(took),
            longest_ms=max(took) * 1000,
            erased=found,
            restore_s=restore_s,
            restore_rss_mb=restore_rss_mb,
        )


@click.command()
@click.option("--entries", default=1_000_000, show_default=True, help="How many the ledger has.")
@click.option(
    "--erased", default=10_000, show_default=True, help="How many calls were erased since the backup."
)
def main(entries: int, erased: int) -> None:
    """Measure on the disk that the results lie on; some minutes for a million entries."""
    RESULTS.mkdir(exist_ok=True)
    measured = measure(RESULTS, entries, erased)
    at = datetime.now(UTC)
    content = {
        "measured_at": at.isoformat(timespec="seconds"),
        "machine": {key: value for key, value in describe_machine("").items() if value},
        **asdict(measured),
    }
    written = RESULTS / f"restore-{at:%Y%m%dT%H%M%SZ}.json"
    written.write_text(json.dumps(content, indent=2) + os.linesep)
    for name, figure in asdict(measured).items():
        click.echo(f"{name:>18} {figure:g}")
    click.echo(f"written to {written}")


if __name__ == "__main__":
    main()
