"""The ledger: its schema, the SQLite that writes it, whether a service has it, and its write-ahead log."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from asterisk_consent.config import Config
from asterisk_consent.doctor.access import is_there
from asterisk_consent.doctor.finding import Finding, ok, warn
from asterisk_consent.ledger.schema import MIGRATIONS

RACE_SINCE, RACE_UNTIL = (3, 7, 0), (3, 51, 2)
"""Versions of SQLite with the WAL-reset race (https://sqlite.org/wal.html#walresetbug)."""
LARGE_WAL_BYTES = 64 << 20
"""The service copies the write-ahead log into the file all the time; a healthy one has a few MiB."""


def ledger_findings(config: Config, *, running: bool) -> Iterator[Finding]:
    """Look at a ledger that could be read."""
    yield ok(f"the ledger has schema {len(MIGRATIONS)}, as this release", config.ledger_path)
    yield sqlite_finding(sqlite3.sqlite_version_info, config.ledger_path)
    yield service_finding(config.ledger_path, running=running)
    if is_there(config.bypass):
        yield warn(
            "the bypass is on: calls pass unasked and unrecorded",
            config.bypass,
            "When they shall be asked again: asterisk-consent bypass off --reason TEXT",
        )
    yield wal_finding(config.ledger_path, wal_bytes(config.ledger_path), running=running)


def sqlite_finding(version: tuple[int, ...], ledger: Path) -> Finding:
    """Say whether this version of SQLite has the race."""
    name = ".".join(map(str, version))
    if RACE_SINCE <= version <= RACE_UNTIL:
        return warn(
            f"SQLite {name} can damage a file when two programs copy its write-ahead log at once",
            ledger,
            "Open the ledger with no other program than this one, whose service alone does that; SQLite 3.51.3 has it"
            " mended, and your distribution may have too",
        )
    return ok(f"SQLite {name}", ledger)


def service_finding(ledger: Path, *, running: bool) -> Finding:
    """Say whether a service has the ledger."""
    if running:
        return ok("the service runs", ledger)
    return warn("the service does not run: calls pass unrecorded", ledger, "Start it: asterisk-consent serve")


def wal_finding(ledger: Path, size: int, *, running: bool) -> Finding:
    """Say whether the write-ahead log has grown, in bytes."""
    where = _wal(ledger)
    if size <= LARGE_WAL_BYTES:
        return ok(f"the write-ahead log has {size >> 10} KiB", where)
    what = f"the write-ahead log has {size >> 20} MiB"
    if running:
        return warn(
            f"{what}: something keeps the service from copying it into the ledger",
            where,
            "Look for a program that has had the ledger open for long (fuser), and end it",
        )
    return warn(f"{what}, and no service copies it into the ledger", where, "Start the service")


def wal_bytes(ledger: Path) -> int:
    """Return the size of the write-ahead log, 0 where there is none."""
    try:
        return _wal(ledger).stat().st_size
    except OSError:
        return 0


def _wal(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}-wal")
