"""The recipients of a controller: at least two, read anew each time, and clear about what is wrong."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import add_identity, load_identities, read_identities
from asterisk_consent.vault.recipients import (
    RecoveryTest,
    add_recipients,
    has_recipients,
    last_recovery_test,
    note_recovery_test,
    read_recipients,
    recipients_path,
)

A, B, C = (Identity.generate() for _ in range(3))


def put(keys: Path, text: str) -> Path:
    path = recipients_path("firm.a", keys)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_comments_are_allowed_and_a_recipient_counts_once(tmp_path: Path) -> None:
    put(tmp_path, f"# ours\n\n{A.recipient}\n  {B.recipient} \n{A.recipient}\n")
    assert read_recipients("firm.a", tmp_path) == (A.recipient, B.recipient)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "0 recipients, and at least 2"),
        (f"{A.recipient}\n", "1 recipient, and at least 2"),
        (f"{A.recipient}\n{A.recipient}\n", "1 recipient, and at least 2"),
        (f"{A.recipient}\nssh-ed25519 AAAA\n", r"firm\.a\.txt:2: not an age recipient"),
        (f"{A.secret}\n", r"firm\.a\.txt:1: not an age recipient"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_no_key_is_repeated(
    tmp_path: Path, text: str, what: str
) -> None:
    put(tmp_path, text)
    with pytest.raises(KeysError, match=what) as caught:
        read_recipients("firm.a", tmp_path)
    assert caught.value.remedy
    assert A.secret not in str(caught.value)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="asterisk-consent init"):
        read_recipients("firm.a", tmp_path)
    assert not has_recipients("firm.a", tmp_path)


def test_bytes_that_are_no_text_and_a_pipe_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(KeysError, match="UTF-8"):
        read_recipients("firm.a", tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(KeysError):
        read_recipients("firm.a", tmp_path)


@pytest.mark.parametrize("controller", ["", "../x", "a/b", ".hidden", "a\n", "x" * 65, "é"])
def test_only_the_id_of_a_controller_becomes_part_of_a_path(tmp_path: Path, controller: str) -> None:
    with pytest.raises(KeysError, match="not the id of a controller"):
        read_recipients(controller, tmp_path)


def test_recipients_are_added_to_those_there_are_and_everybody_may_read_them(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        add_recipients("firm.a", tmp_path, [A.recipient, B.recipient])
        path = add_recipients("firm.a", tmp_path, ["# later", C.recipient])
    finally:
        os.umask(before)
    assert read_recipients("firm.a", tmp_path) == (A.recipient, B.recipient, C.recipient)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    assert [each.name for each in path.parent.iterdir()] == ["firm.a.txt"]


def test_a_recovery_test_is_remembered_and_another_controller_of_a_like_name_has_none(tmp_path: Path) -> None:
    add_recipients("firm.a", tmp_path, [A.recipient, B.recipient])
    assert last_recovery_test("firm.a", tmp_path) is None
    test = RecoveryTest(at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC), recipient=B.recipient)
    note_recovery_test("firm.a", tmp_path, test)
    assert last_recovery_test("firm.a", tmp_path) == test
    assert last_recovery_test("firm.b", tmp_path) is None
    assert last_recovery_test("firm", tmp_path) is None


def test_identities_are_for_their_owner_only_and_are_added_to(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        add_identity("firm.a", tmp_path / "identities", ["# one", A.secret])
        path = add_identity("firm.a", tmp_path / "identities", [B.secret])
    finally:
        os.umask(before)
    assert load_identities(path) == (A, B)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("text", ["", "# nothing\n", f"{A.secret}\n{A.recipient}\n", f"{A.secret}x\n"])
def test_what_is_no_identity_file_is_refused_and_no_key_repeated(text: str) -> None:
    with pytest.raises(KeysError) as caught:
        read_identities(text, where="standard input")
    assert str(caught.value).startswith("standard input")
    assert A.secret not in str(caught.value)


def test_an_identity_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="Run as root, or name the identity"):
        load_identities(tmp_path / "absent.txt")
