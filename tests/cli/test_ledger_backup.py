"""``ledger backup`` and ``ledger restore`` as an administrator meets them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli import cli
from asterisk_consent.config import Config
from asterisk_consent.errors import ConsentError, LedgerError, RequestRefusedError
from asterisk_consent.ledger import Kind, NewEntry, Service, append_from_outside, verify
from asterisk_consent.ledger.entry import SYSTEM_STREAM
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.keyfile import make_key
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.vault.key_backup import read_key_backup


@pytest.fixture
def begun(config: Config) -> Config:
    """A ledger that has begun."""
    LedgerFile(config.ledger_path).create(at=1, randomness=lambda count: b"r" * count)
    make_key(config.checkpoints.key)
    return config


def run(config: Config, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(config.file), "ledger", *arguments])


def refused(config: Config, *arguments: str) -> ConsentError:
    found = run(config, *arguments).exception
    assert isinstance(found, ConsentError), found
    return found


def with_life(config: Config, days: int) -> Config:
    text = config.file.read_text()
    config.file.write_text(f"{text}\n        [limits]\n        key_backups_days = {days}\n")
    return config


def enter(config: Config) -> None:
    entry = NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0"))
    append_from_outside(config.ledger_path, entry)


def test_a_backup_is_written_and_put_back(begun: Config, tmp_path: Path) -> None:
    output = tmp_path / "ledger.backup"
    written = run(begun, "backup", "-o", str(output))
    assert written.exit_code == 0
    assert written.output.startswith(f"1 entries hold and are in {output}")
    enter(begun)
    restored = run(begun, "restore", str(output))
    assert restored.exit_code == 0, restored.exception
    said = re.sub(r"\s+", " ", restored.output)
    assert "The ledger is the backup now: 1 entries" in said
    assert re.search(
        r"1 later entries are lost, entered after 1970-01-01 00:00 UTC: calls among them\.", said
    )
    assert "waited for its second person has to be placed again" in said
    assert "No journal" not in said  # the ledger in its place tells
    assert "kept as" in said
    assert verify(begun.ledger_path).entries == 2


def test_without_anything_to_compare_with_a_restore_says_so(begun: Config, tmp_path: Path) -> None:
    run(begun, "backup", "-o", str(tmp_path / "b"))
    begun.ledger_path.unlink()
    assert "cannot be told without a checkpoint" in run(begun, "restore", str(tmp_path / "b")).output


def test_nothing_is_restored_while_the_service_runs(begun: Config, tmp_path: Path) -> None:
    run(begun, "backup", "-o", str(tmp_path / "b"))
    service = Ownership(begun.ledger_path)
    assert service.try_take()
    try:
        assert isinstance(refused(begun, "restore", str(tmp_path / "b")), LedgerError)
    finally:
        service.release()


def test_a_backup_is_not_written_over_a_file(begun: Config, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("kept")
    for options in ((), ("--keys",)):
        config = with_life(begun, 7) if options else begun
        assert isinstance(refused(config, "backup", *options, "-o", str(tmp_path / "b")), RequestRefusedError)
    assert (tmp_path / "b").read_text() == "kept"


def test_without_a_stated_life_there_is_no_backup_of_the_keys(begun: Config, tmp_path: Path) -> None:
    error = refused(begun, "backup", "--keys", "-o", str(tmp_path / "k"))
    assert "limits.key_backups_days" in error.remedy
    assert not (tmp_path / "k").exists()


def test_a_backup_of_the_keys_lives_as_long_as_the_configuration_says(begun: Config, tmp_path: Path) -> None:
    config = with_life(begun, 7)
    written = run(config, "backup", "--keys", "-o", str(tmp_path / "k"))
    assert written.exit_code == 0, written.exception
    head = read_key_backup(tmp_path / "k")
    assert head.ends_at - head.made_at == 7 * 86_400
    assert f"{datetime.fromtimestamp(head.ends_at, UTC):%Y-%m-%d %H:%M} UTC" in written.output
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


def old_backup(config: Config, directory: Path) -> Path:
    """A backup of the keys whose life ended a day ago."""
    directory.mkdir()
    path = directory / "k"
    run(with_life(config, 1), "backup", "--keys", "-o", str(path))
    moment = int((datetime.now(UTC) - timedelta(days=1)).timestamp())
    content = path.read_bytes()
    ends_at = read_key_backup(path).ends_at
    path.write_bytes(content.replace(f'"ends_at":{ends_at}'.encode(), f'"ends_at":{moment}'.encode()))
    return path


def test_backups_of_keys_whose_life_is_over_are_removed(begun: Config, tmp_path: Path) -> None:
    path = old_backup(begun, tmp_path / "backups")
    enter(begun)
    pruned = run(begun, "backup", "--prune", str(path.parent), "--clock-is-right")
    assert pruned.output == f"Removed {path}: its life is over.\n"
    assert not path.exists()


def test_a_clock_that_may_have_jumped_removes_no_backup(begun: Config, tmp_path: Path) -> None:
    path = old_backup(begun, tmp_path / "backups")
    assert "clock may have jumped" in refused(begun, "backup", "--prune", str(path.parent)).what
    assert path.exists()


def test_a_backup_that_goes_nowhere_is_wrong_usage(begun: Config) -> None:
    assert run(begun, "backup").exit_code == 2
