"""``python -m bench.keeping``: what sealing, finding a person, planning and sweeping cost.

Rule: what one call costs is measured with real keys. Large ledgers are filled with what is only as large as a sealed
part, for neither finding nor sweeping opens it; the files of the keys and of the vault are there, each with its own
content.
"""

import json
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from statistics import median

import click
import msgspec
from rich.console import Console

from asterisk_consent.ledger import Approval, Decision, Kind, NewEntry, Spoken
from asterisk_consent.ledger.commit import prepare, write_entries
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.standing import calls_of_subject
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.retention import plan
from asterisk_consent.rights.sweeping import sweep
from asterisk_consent.vault.age import Identity, seal_stream
from asterisk_consent.vault.call_keys import CallKey, make_key
from asterisk_consent.vault.names import kept_path, key_path
from asterisk_consent.vault.proof_keys import ProofKeys
from asterisk_consent.vault.recipients import add_recipients
from bench.ledger import decision, name_of, verified
from bench.report import Target, describe_machine
from bench.sealing import QuickSealer

RESULTS = Path(__file__).parent / "results"
POLICY = Path(__file__).resolve().parents[1] / "policies" / "p1-nl.toml"
_CONTROLLER = "voorbeeld-bv"
_GROUP = 16
"""Entries of as many calls are committed together under load."""
_BEGAN_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured."""

    call_cpu_ms: float
    sealed_mib_per_s: float
    calls: int
    found_ms: float
    recordings: int
    plan_s: float
    sweep_s: float


class IndexedSealer(QuickSealer):
    """Seals quickly, with real blind indexes."""

    def __init__(self, keys: Path) -> None:
        self._real = ProofKeys(keys)

    def blind(self, number: str, *, controller: str) -> str:
        """Return the real index."""
        return self._real.blind(number, controller=controller)


def call_cost(keys: Path, calls: int) -> float:
    """Return the milliseconds of processor that the sealed entry and both keys of a call cost, commits included."""
    sealer = ProofKeys(keys)
    began_s = _cpu_s()
    for first in range(0, calls, _GROUP):
        made = []
        for number in range(first, first + _GROUP):
            entry = decision(number)
            prepared = prepare(entry, at=0, randomness=os.urandom, sealer=sealer)
            assert prepared.key is not None
            made.append(prepared.key)
            make_key(CallKey(keys=keys, call_id=entry.call_id, controller=_CONTROLLER))
        sealer.keep(made)
    took_s = _cpu_s() - began_s
    sealer.close()
    return took_s / calls * 1000


def sealing_speed(mib: int) -> float:
    """Return how many MiB of audio are sealed in a second."""
    content = os.urandom(mib << 20)
    recipient = Identity.generate().recipient
    began_at = time.perf_counter()
    seal_stream(BytesIO(content), BytesIO(), [recipient])
    return mib / (time.perf_counter() - began_at)


def entries_of(calls: int) -> Iterator[NewEntry]:
    """Give the decision of each call, each by another caller, and the end of its recording."""
    for number in range(calls):
        entry = decision(number)
        assert isinstance(entry.payload, Decision)
        began_at = _BEGAN_AT + timedelta(seconds=number)
        payload = msgspec.structs.replace(
            entry.payload,
            caller=_number(number),
            started_at=int(began_at.timestamp()),
            purposes=("training",),
        )
        yield NewEntry(
            stream=_CONTROLLER,
            kind=entry.kind,
            call_id=entry.call_id,
            policy="p1-nl",
            policy_version=1,
            language="nl",
            announcement=entry.announcement,
            payload=payload,
        )
        yield verified(number)


def fill(place: Path, calls: int) -> Holdings:
    """Make a ledger of so many calls under an approved policy."""
    held = Holdings(
        ledger=place / "ledger.sqlite", spool=place / "spool", vault=place / "vault", keys=place / "keys"
    )
    held.spool.mkdir()
    held.vault.mkdir()
    file = LedgerFile(held.ledger)
    file.create(at=int(_BEGAN_AT.timestamp()), randomness=os.urandom)
    sealer = IndexedSealer(held.keys)
    group = [_approval()]
    with closing(file.connected()) as connection:
        for entry in entries_of(calls):
            group.append(entry)
            if len(group) >= 10_000:
                _write(connection, group, sealer)
                group = []
        _write(connection, group, sealer)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return held


def find_someone(held: Holdings, calls: int, times: int = 50) -> float:
    """Return the median of how many milliseconds it takes to find a caller's calls by the number."""
    took = []
    for number in range(0, calls, max(1, calls // times)):
        keys = ProofKeys(held.keys)
        began_at = time.perf_counter()
        found = calls_of_subject(
            held.ledger, keys.blind(_number(number), controller=_CONTROLLER), controller=_CONTROLLER
        )
        took.append(time.perf_counter() - began_at)
        assert found == [name_of(number)]
    return median(took) * 1000


def give_files(held: Holdings, calls: int) -> None:
    """Put a key and a sealed file where each recording has them."""
    for number in range(calls):
        name = name_of(number)
        key = key_path(name, held.keys)
        key.parent.mkdir(exist_ok=True)
        key.write_bytes(os.urandom(400))
        kept_path(name, held.vault).write_bytes(os.urandom(1024))  # type: ignore[arg-type]  # an id of a recording


def measure(place: Path, *, calls: int, recordings: int, keyed: int) -> Figures:
    """Measure everything."""
    keys = place / "keys"
    keys.mkdir()
    add_recipients(_CONTROLLER, keys, [Identity.generate().recipient, Identity.generate().recipient])
    call_cpu_ms = call_cost(keys, keyed)
    large = place / "large"
    small = place / "small"
    for each in (large, small):
        each.mkdir()
        (each / "keys").symlink_to(keys)
    found_ms = find_someone(fill(large, calls), calls)
    held = fill(small, recordings)
    give_files(held, recordings)
    began_at = time.perf_counter()
    planned = plan(held.ledger)
    plan_s = time.perf_counter() - began_at
    assert len(planned.recordings) == recordings
    began_at = time.perf_counter()
    report = sweep(held, clock_confirmed_by="the benchmark")
    sweep_s = time.perf_counter() - began_at
    assert report.recordings == recordings, report
    assert not any(held.vault.iterdir())
    return Figures(
        call_cpu_ms=call_cpu_ms,
        sealed_mib_per_s=sealing_speed(64),
        calls=calls,
        found_ms=found_ms,
        recordings=recordings,
        plan_s=plan_s,
        sweep_s=sweep_s,
    )


def targets(figures: Figures) -> list[Target]:
    """Compare what was measured with what was to be reached."""
    share = figures.recordings / 100_000
    return [
        Target(name="entry and keys of a call, CPU ms", figure=figures.call_cpu_ms, limit=2),
        Target(name=f"a person among {figures.calls} calls, ms", figure=figures.found_ms, limit=5),
        Target(name="seconds to plan 100,000 recordings", figure=figures.plan_s / share, limit=10),
        Target(name="seconds to sweep 100,000 recordings", figure=figures.sweep_s / share, limit=300),
    ]


@click.command()
@click.option("--quick", is_flag=True, help="Seconds instead of minutes; too small to judge by.")
def main(*, quick: bool) -> None:
    """Measure it on the disk that the results lie on."""
    RESULTS.mkdir(exist_ok=True)
    sizes = (5_000, 1_000, 160) if quick else (1_000_000, 100_000, 1_600)
    with tempfile.TemporaryDirectory(dir=RESULTS, suffix=".tmp") as place:
        figures = measure(Path(place), calls=sizes[0], recordings=sizes[1], keyed=sizes[2])
    console = Console()
    console.print(f"audio sealed: {figures.sealed_mib_per_s:.0f} MiB/s")
    for target in targets(figures):
        verdict = "reached" if target.reached else f"missed by {target.figure - target.limit:.2f}"
        console.print(f"  {target.name}: {target.figure:.2f} (at most {target.limit:g}), {verdict}")
    at = datetime.now(UTC)
    content = {
        "measured_at": at.isoformat(timespec="seconds"),
        "machine": {key: value for key, value in describe_machine("").items() if value},
        "targets": [{**asdict(target), "reached": target.reached} for target in targets(figures)],
        "figures": asdict(figures),
    }
    written = RESULTS / f"keeping{'-quick' if quick else ''}-{at:%Y%m%dT%H%M%SZ}.json"
    written.write_text(json.dumps(content, indent=2) + "\n")
    console.print(f"written to {written}")


def _approval() -> NewEntry:
    text = POLICY.read_text(encoding="utf-8")
    approval = Approval(
        person="bench",
        name="A. Bakker",
        role="data protection officer",
        sha256="",
        file=tuple(text.splitlines()),
        announcements=(Spoken(language="nl", digest="", text_digest="", parts=()),),
    )
    return NewEntry(
        stream=_CONTROLLER, kind=Kind.POLICY_APPROVED, policy="p1-nl", policy_version=1, payload=approval
    )


def _number(number: int) -> str:
    return f"+4420{79460000 + number}"


def _write(connection: sqlite3.Connection, group: list[NewEntry], sealer: IndexedSealer) -> None:
    connection.execute("BEGIN IMMEDIATE")
    at = int(_BEGAN_AT.timestamp())
    write_entries(
        connection, [prepare(entry, at=at, randomness=os.urandom, sealer=sealer) for entry in group]
    )
    connection.execute("COMMIT")


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
