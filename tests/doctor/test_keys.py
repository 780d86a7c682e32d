"""Two recipients a controller, a recovery that was tried, identities that the service cannot read."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asterisk_consent.doctor import keys as checked
from asterisk_consent.doctor.access import Account, Seen
from asterisk_consent.doctor.finding import Level
from asterisk_consent.doctor.keys import controller_findings, identity_findings, readable_identities
from asterisk_consent.errors import ConsentError
from asterisk_consent.vault.recipients import (
    RecoveryTest,
    note_recovery_test,
    read_recipients,
    recipients_path,
)
from tests.doctor.levels import SERVICE, levels, only, those
from tests.vault.keyring import CONTROLLER, give_keys

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OTHER = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    give_keys(CONTROLLER, tmp_path)
    return tmp_path


def note_test(keys: Path, *, days_ago: int, recipient: str = "") -> None:
    recipient = recipient or read_recipients(CONTROLLER, keys)[1]
    note_recovery_test(CONTROLLER, keys, RecoveryTest(at=NOW - timedelta(days=days_ago), recipient=recipient))


def test_two_recipients_and_a_recovery_that_was_tried_are_right(keys: Path) -> None:
    note_test(keys, days_ago=300)
    assert levels(controller_findings(CONTROLLER, keys, now=NOW, live=True)) == [Level.OK, Level.OK]


@pytest.mark.parametrize(("live", "level"), [(True, Level.ERROR), (False, Level.WARN)])
def test_fewer_than_two_recipients_are_red_where_the_policy_is_live(
    keys: Path, live: bool, level: Level
) -> None:
    path = recipients_path(CONTROLLER, keys)
    path.write_text(path.read_text().splitlines()[0])
    finding = only(controller_findings(CONTROLLER, keys, now=NOW, live=live), level)
    assert "1 recipient, and at least 2 are needed" in finding.what
    assert "init --add" in finding.remedy


def test_a_controller_without_keys_is_red(tmp_path: Path) -> None:
    assert "init" in only(controller_findings("firm", tmp_path, now=NOW, live=True), Level.ERROR).remedy


@pytest.mark.parametrize(
    ("days_ago", "recipient", "what"),
    [
        (None, "", "nobody has tried"),
        (400, "", "last tried 400 days ago"),
        (1, OTHER, "no recipient any more"),
    ],
)
def test_a_recovery_that_was_not_tried_or_long_ago_is_yellow(
    keys: Path, days_ago: int | None, recipient: str, what: str
) -> None:
    if days_ago is not None:
        note_test(keys, days_ago=days_ago, recipient=recipient)
    (finding,) = those(controller_findings(CONTROLLER, keys, now=NOW, live=True), Level.WARN)
    assert what in finding.what
    assert f"recovery-test --controller {CONTROLLER}" in finding.remedy


def test_recipients_that_everybody_may_add_to_are_red(keys: Path) -> None:
    recipients_path(CONTROLLER, keys).chmod(0o646)
    (finding,) = those(controller_findings(CONTROLLER, keys, now=NOW, live=True), Level.ERROR)
    assert "everybody" in finding.what


def identity(mode: int, *, uid: int = 0, gid: int = 0) -> Seen:
    return Seen(path=Path("/etc/asterisk-consent/identities/firm.txt"), uid=uid, gid=gid, mode=mode)


def test_an_identity_for_root_alone_is_right() -> None:
    assert list(readable_identities([identity(0o600), identity(0o400)], SERVICE)) == []


@pytest.mark.parametrize(
    "seen", [identity(0o604), identity(0o640, gid=77), identity(0o600, uid=990), identity(0o000, uid=990)]
)
def test_an_identity_that_the_service_can_read_is_red(seen: Seen) -> None:
    assert "can read an identity" in only(readable_identities([seen], SERVICE), Level.ERROR).what


def test_an_identity_that_others_can_read_is_red_and_another_owner_yellow() -> None:
    assert "alone" in only(readable_identities([identity(0o640)], SERVICE), Level.ERROR).what
    assert "another user" in only(readable_identities([identity(0o600, uid=5)], SERVICE), Level.WARN).what


def test_a_service_that_is_root_is_red(tmp_path: Path) -> None:
    root = Account(uid=0, gids=frozenset({0}), name="root")
    assert "belongs to root" in only(identity_findings(tmp_path, root), Level.ERROR).what


def test_the_directory_may_not_belong_to_the_service(tmp_path: Path) -> None:
    owner = Account(uid=tmp_path.stat().st_uid or 1, gids=frozenset(), name="consent")
    if os.geteuid() == 0:
        os.chown(tmp_path, 1, 1)
    (found,) = those(identity_findings(tmp_path, owner), Level.ERROR)
    assert "belongs to consent" in found.what


def test_identities_out_of_reach_are_listed_as_right(tmp_path: Path) -> None:
    assert "0 files" in only(identity_findings(tmp_path, SERVICE), Level.OK).what
    assert "no identity lies" in only(identity_findings(tmp_path / "none", SERVICE), Level.OK).what


def test_who_cannot_look_into_them_is_right_where_it_is_the_service_and_else_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> list[Path]:
        raise ConsentError("cannot be listed: Permission denied", where=str(path)) from PermissionError()

    monkeypatch.setattr(checked, "list_directory", refused)
    monkeypatch.setattr(os, "geteuid", lambda: SERVICE.uid)
    assert "cannot look into" in only(identity_findings(tmp_path, SERVICE), Level.OK).what
    monkeypatch.setattr(os, "geteuid", lambda: SERVICE.uid + 1)
    assert "root" in only(identity_findings(tmp_path, SERVICE), Level.UNKNOWN).remedy
