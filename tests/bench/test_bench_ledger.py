"""What the benchmark of the ledger measures is what the service does: sealed, its keys kept, and it verifies."""

import asyncio
from pathlib import Path

from asterisk_consent.ledger import verify
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.sealing import parts_of
from asterisk_consent.vault.proof_keys import has_proof_key
from bench.ledger import as_fast_as_it_goes, fill, measure, name_of, sealing


def test_a_filled_ledger_is_sealed_and_verifies(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sealing(tmp_path) as sealer:
        fill(path, 10, sealer)
    assert verify(path).entries == 11
    assert has_proof_key(name_of(0), tmp_path / "keys")
    with reading(path) as connection:
        (body,) = connection.execute("SELECT body FROM payload WHERE seq = 2").fetchone()
    assert parts_of(body)[1].startswith(b"age-encryption.org/v1")


def test_commits_are_measured_with_their_sealing(tmp_path: Path) -> None:
    commits = asyncio.run(measure(tmp_path, 0, lambda ledger: as_fast_as_it_goes(ledger, 2, 0.1, 0)))
    assert commits.entries > 1
    assert commits.commit_p50_ms > 0
