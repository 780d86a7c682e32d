"""Emptying the write-ahead log of the keys is felt by nobody who keeps keys meanwhile."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey
from asterisk_consent.vault.proof_keys import PROOF_KEYS, ProofKeys
from tests.ledger.entries import hex_id

KEY = EntryKey(call_id=hex_id(1), wrapped=b"k" * 200)


def test_keys_are_kept_while_the_log_is_emptied(tmp_path: Path) -> None:
    keys = ProofKeys(tmp_path)
    keys.keep([KEY])
    failed: list[KeysError] = []
    done = threading.Event()

    def scrub() -> None:
        while not done.is_set():
            try:
                keys.scrub()
            except KeysError as error:
                failed.append(error)

    thread = threading.Thread(target=scrub)
    thread.start()
    try:
        for _ in range(300):
            keys.keep([KEY])
    finally:
        done.set()
        thread.join()
    assert failed == []
    keys.close()
    with closing(sqlite3.connect(tmp_path / PROOF_KEYS)) as connection:
        assert connection.execute("SELECT count(*) FROM key").fetchone() == (301,)


def test_a_reader_in_the_way_is_not_waited_for(tmp_path: Path) -> None:
    keys = ProofKeys(tmp_path)
    keys.keep([KEY])
    with closing(sqlite3.connect(tmp_path / PROOF_KEYS)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM key").fetchone()
        keys.keep([KEY])
        began = time.monotonic()
        assert not keys.scrub()
        assert time.monotonic() - began < 1.0
    assert keys.scrub()
    keys.close()
