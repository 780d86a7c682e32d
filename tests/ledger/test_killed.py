"""Invariant 11: what was acknowledged is there after kill -9, and every commit is synced before it counts."""

import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from asterisk_consent.ledger import list_calls, verify
from asterisk_consent.ledger.chain import Head
from asterisk_consent.ledger.connection import connect
from asterisk_consent.ledger.file import LedgerFile
from tests.ledger.entries import open_ledger

ROUNDS = 5


def acknowledged_until_killed(path: Path, first: int, lines: int) -> list[Head]:
    """Run a writer, kill it once it acknowledged ``lines`` entries, return all that it acknowledged."""
    command = [sys.executable, "-m", "tests.ledger.killed_writer", str(path), str(first)]
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment) as writer:
        assert writer.stdout is not None
        heard = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        heard += writer.stdout.readlines()
    pairs = [line.split() for line in heard if line.endswith(b"\n")]
    return [Head(seq=int(seq), hash=bytes.fromhex(digest.decode())) for seq, digest in pairs]


def test_every_acknowledged_entry_survives_kill_9(path: Path) -> None:
    moments = random.Random(20_260_101)
    acknowledged: list[Head] = []
    for number in range(ROUNDS):
        acknowledged += acknowledged_until_killed(path, number * 1_000_000, moments.randrange(1, 300))
        report = verify(path)
        assert report.problem is None
        with closing(connect(path, mode="ro", busy_s=1)) as connection:
            stored = dict(connection.execute("SELECT seq, hash FROM chain"))
        assert {head.seq: head.hash for head in acknowledged}.items() <= stored.items()
        assert {head.seq for head in acknowledged} <= {call.seq for call in list_calls(path)}
    assert len(acknowledged) >= ROUNDS


async def test_a_commit_is_synced_to_disk_before_it_counts(path: Path) -> None:
    await (await open_ledger(path)).close()
    file = LedgerFile(path)
    file.create(at=0, randomness=bytes)
    with closing(file.connected()) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
