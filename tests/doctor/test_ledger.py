"""The ledger's versions, its service, its write-ahead log."""

from pathlib import Path

import pytest

from asterisk_consent.doctor.finding import Level
from asterisk_consent.doctor.ledger import (
    LARGE_WAL_BYTES,
    ledger_findings,
    service_finding,
    sqlite_finding,
    wal_bytes,
    wal_finding,
)
from tests.calls.approved_place import ApprovedPlace
from tests.doctor.levels import only, those

LEDGER = Path("/var/lib/asterisk-consent/ledger.sqlite")


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 51, 2)])
def test_a_sqlite_with_the_race_is_yellow_and_named(version: tuple[int, ...]) -> None:
    assert "SQLite 3." in only([sqlite_finding(version, LEDGER)], Level.WARN).what


@pytest.mark.parametrize("version", [(3, 6, 9), (3, 51, 3), (3, 53, 1), (4, 0, 0)])
def test_a_sqlite_without_it_is_right(version: tuple[int, ...]) -> None:
    assert only([sqlite_finding(version, LEDGER)], Level.OK)


def test_a_service_that_runs_is_right_and_one_that_does_not_yellow() -> None:
    assert only([service_finding(LEDGER, running=True)], Level.OK)
    assert "unrecorded" in only([service_finding(LEDGER, running=False)], Level.WARN).what


@pytest.mark.parametrize("running", [True, False])
def test_a_write_ahead_log_that_grew_is_yellow(running: bool) -> None:
    assert only([wal_finding(LEDGER, LARGE_WAL_BYTES, running=running)], Level.OK)
    finding = only([wal_finding(LEDGER, LARGE_WAL_BYTES + 1, running=running)], Level.WARN)
    assert "64 MiB" in finding.what
    assert finding.where.endswith("ledger.sqlite-wal")


def test_the_size_of_the_write_ahead_log(tmp_path: Path) -> None:
    assert wal_bytes(tmp_path / "ledger") == 0
    (tmp_path / "ledger-wal").write_bytes(b"x" * 9)
    assert wal_bytes(tmp_path / "ledger") == 9


def test_the_bypass_is_yellow_while_it_is_on(place: ApprovedPlace) -> None:
    def told() -> bool:
        return any(
            "bypass" in each.what for each in those(ledger_findings(place.config, running=True), Level.WARN)
        )

    assert not told()
    place.config.bypass.touch()
    assert told()
