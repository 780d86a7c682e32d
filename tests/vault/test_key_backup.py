"""A backup of the keys: apart, whole, with a stated life; of what was erased nothing comes back."""

import io
import shutil
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey
from asterisk_consent.vault.age import Identity, unseal
from asterisk_consent.vault.call_keys import CallKey, make_key, open_key
from asterisk_consent.vault.key_backup import (
    KeyBackup,
    back_up_keys,
    bring_back_keys,
    journal_in,
    prune,
    read_key_backup,
    require_whole,
)
from asterisk_consent.vault.proof_keys import (
    ProofKeys,
    blind_path,
    call_identities,
    destroy_proof_keys,
    live_keys,
)
from asterisk_consent.vault.recipients import recipients_path
from tests.ledger.entries import hex_id
from tests.ledger.signing import signing_key
from tests.vault.keyring import CONTROLLER, Keyring, give_keys

HEAD = KeyBackup(version=1, ledger_id="1" * 32, made_at=1_800_000_000, ends_at=1_800_086_400)
SIGNER = signing_key(1)
CALLS = [hex_id(number) for number in (1, 2, 3)]


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    keys = tmp_path / "keys"
    keys.mkdir()
    give_keys(CONTROLLER, keys)
    proof = ProofKeys(keys)
    for call_id in CALLS:
        make_key(CallKey(keys=keys, call_id=call_id, controller=CONTROLLER))
        proof.keep([proof.seal(b"what was entered", controller=CONTROLLER, call_id=call_id).key])
    proof.blind("+442079460123", controller=CONTROLLER)
    proof.close()
    (keys / "erased.log").write_bytes(b"a journal")
    return Keyring(keys)


@pytest.fixture
def backup(keyring: Keyring, tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "keys.backup"
    path.parent.mkdir()
    with path.open("xb") as file:
        assert back_up_keys(keyring.keys, file, HEAD, SIGNER) == 6
    return path


def names_in(backup: Path) -> list[str]:
    with tarfile.open(backup) as tar:
        return tar.getnames()


def opens_proof(keyring: Keyring, call_id: str) -> bool:
    try:
        return bool(call_identities(call_id, keys=keyring.keys, identities=[keyring.here]))
    except KeysError:
        return False


def lose_all(keyring: Keyring) -> None:
    shutil.rmtree(keyring.keys)
    keyring.keys.mkdir()


def test_a_backup_says_of_itself_until_when_it_lives(backup: Path) -> None:
    assert read_key_backup(backup) == require_whole(backup).head == HEAD
    assert journal_in(backup) == b"a journal"


def test_lost_keys_come_back_and_open_what_they_did(keyring: Keyring, backup: Path) -> None:
    lose_all(keyring)
    assert bring_back_keys(backup, keyring.keys, erased=(), no_audio=()) == 6
    for call_id in CALLS:
        assert opens_proof(keyring, call_id)
        assert open_key(keyring.of(call_id), (keyring.here,))
        assert keyring.of(call_id).path.stat().st_mode & 0o777 == 0o600
    assert blind_path(CONTROLLER, keyring.keys).stat().st_mode & 0o777 == 0o600
    assert blind_path(CONTROLLER, keyring.keys).parent.stat().st_mode & 0o777 == 0o700
    assert recipients_path(CONTROLLER, keyring.keys).exists()
    assert not list(keyring.keys.rglob("*.part"))
    assert not (keyring.keys / "erased.log").exists()  # read, not written over another


def test_what_is_there_already_stays_and_comes_back_once(keyring: Keyring, backup: Path) -> None:
    recipients_path(CONTROLLER, keyring.keys).write_text("changed since\n")
    assert bring_back_keys(backup, keyring.keys, erased=(), no_audio=()) == 0
    assert len(live_keys(keyring.keys, after=0, limit=10)) == 3
    assert recipients_path(CONTROLLER, keyring.keys).read_text() == "changed since\n"


def test_the_key_of_a_blind_index_is_the_one_its_ledger_was_written_with(
    keyring: Keyring, backup: Path
) -> None:
    path = blind_path(CONTROLLER, keyring.keys)
    before = path.read_text()
    path.write_text("0" * 64 + "\n")
    bring_back_keys(backup, keyring.keys, erased=(), no_audio=())
    assert path.read_text() == before


def test_no_key_of_what_was_erased_is_written(
    keyring: Keyring, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_all(keyring)
    written: list[str] = []
    write = Path.write_bytes

    def watched(path: Path, content: bytes) -> int:
        written.append(path.name)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", watched)
    bring_back_keys(backup, keyring.keys, erased={CALLS[0]}, no_audio={CALLS[0], CALLS[1]})
    assert [name for name in written if "audio" in name] == [f"{CALLS[2]}.audio.age.part"]
    assert [opens_proof(keyring, call_id) for call_id in CALLS] == [False, True, True]
    kept = b"".join(path.read_bytes() for path in keyring.keys.rglob("*") if path.is_file())
    with tarfile.open(backup) as tar:
        gone = [tar.extractfile(name) for name in tar.getnames() if CALLS[0] in name]
        contents = [each.read() for each in gone if each is not None]
    assert len(contents) == 2
    assert all(content[-60:] not in kept for content in contents)


def test_a_destroyed_key_is_in_no_backup(keyring: Keyring, tmp_path: Path) -> None:
    destroy_proof_keys(CALLS[:1], keyring.keys)
    keyring.of(CALLS[0]).path.unlink()
    with (tmp_path / "later").open("xb") as file:
        assert back_up_keys(keyring.keys, file, HEAD, SIGNER) == 4
    assert not [name for name in names_in(tmp_path / "later") if CALLS[0] in name]


def test_no_identity_and_nothing_that_is_not_ours_is_in_a_backup(keyring: Keyring, tmp_path: Path) -> None:
    (keyring.keys / "ab").mkdir(exist_ok=True)
    (keyring.keys / "ab" / "notes.txt").write_text("not ours")
    (keyring.keys / "identities").mkdir()
    (keyring.keys / "identities" / "x.txt").write_text(keyring.here.secret)
    with (tmp_path / "later").open("xb") as file:
        back_up_keys(keyring.keys, file, HEAD, SIGNER)
    assert b"AGE-SECRET-KEY" not in (tmp_path / "later").read_bytes()
    assert not [name for name in names_in(tmp_path / "later") if "notes" in name or "identities" in name]


def test_a_key_in_a_backup_is_opened_with_age_and_an_identity_alone(keyring: Keyring, backup: Path) -> None:
    with tarfile.open(backup) as tar:
        for name in tar.getnames():
            file = tar.extractfile(name)
            if name.endswith(".age") and file is not None:
                assert Identity.read(unseal(file.read(), [keyring.elsewhere]).decode().strip())


def test_more_keys_than_one_batch_come_back(keyring: Keyring, tmp_path: Path) -> None:
    proof = ProofKeys(keyring.keys)
    proof.keep([EntryKey(call_id=hex_id(number), wrapped=b"%d" % number) for number in range(10, 2210)])
    proof.close()
    with (tmp_path / "later").open("xb") as file:
        assert back_up_keys(keyring.keys, file, HEAD, SIGNER) == 2206
    lose_all(keyring)
    assert bring_back_keys(tmp_path / "later", keyring.keys, erased=(), no_audio=()) == 2206


def cut(backup: Path, at: float) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[: int(len(content) * at)])


@pytest.mark.parametrize("at", [0.0, 0.01, 0.2, 0.4])
def test_a_backup_that_is_not_whole_is_none(backup: Path, at: float) -> None:
    cut(backup, at)
    with pytest.raises(KeysError, match="whole"):
        require_whole(backup)


def without_member(backup: Path, unwanted: Callable[[str], bool]) -> None:
    with tarfile.open(backup) as tar:
        members = [(each, tar.extractfile(each)) for each in tar.getmembers() if not unwanted(each.name)]
        contents = [(each, file.read()) for each, file in members if file is not None]
    rewritten(backup, contents)


def rewritten(backup: Path, contents: Iterable[tuple[tarfile.TarInfo, bytes]]) -> None:
    with tarfile.open(backup, "w") as tar:
        for member, content in contents:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def test_a_backup_from_which_a_member_was_taken_is_none(backup: Path) -> None:
    without_member(backup, lambda name: name.endswith(".proof.age") and CALLS[1] in name)
    with pytest.raises(KeysError, match="not whole"):
        require_whole(backup)


@pytest.mark.parametrize(
    "name",
    ["../outside", "/tmp/outside", "00/../../outside", "recipients/../../outside.txt", "blind/..key", "x"],
)
def test_a_member_of_another_name_is_written_nowhere(backup: Path, keyring: Keyring, name: str) -> None:
    lose_all(keyring)
    rewritten(backup, [(tarfile.TarInfo(name), b"content")])
    bring_back_keys(backup, keyring.keys, erased=(), no_audio=())
    assert {path.name for path in keyring.keys.iterdir()} <= {"proof.sqlite"}
    assert not list(keyring.keys.parent.rglob("outside*"))


def test_a_link_in_a_backup_is_refused(backup: Path, keyring: Keyring) -> None:
    link = tarfile.TarInfo(f"00/{hex_id(9)}.audio.age")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(backup, "w") as tar:
        tar.addfile(link)
    with pytest.raises(KeysError, match="no whole backup"):
        bring_back_keys(backup, keyring.keys, erased=(), no_audio=())


def test_only_our_backups_whose_life_is_over_are_removed(backup: Path) -> None:
    directory = backup.parent
    strange = directory / "strange.tar"
    with tarfile.open(strange, "w") as tar:
        tar.addfile(tarfile.TarInfo("asterisk-consent-keys.json"), io.BytesIO(b""))
    (directory / "notes.txt").write_text("not ours")
    (directory / "link").symlink_to(backup)
    assert prune(directory, now=HEAD.ends_at - 1) == []
    assert prune(directory, now=HEAD.ends_at) == [backup]
    assert {path.name for path in directory.iterdir()} == {"strange.tar", "notes.txt", "link"}
