"""Keys and identities are shared with the key holder by the mode of their directories, and by nothing else."""

import os
import stat
from pathlib import Path

import pytest

from asterisk_consent.vault.call_keys import CallKey, make_key
from asterisk_consent.vault.identities import add_identity
from asterisk_consent.vault.proof_keys import PROOF_KEYS, ProofKeys
from tests.vault.keyring import CALL, CONTROLLER, give_keys

GROUP = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def made(keys: Path) -> dict[str, Path]:
    """Let the service make one of each, as strictly as its umask may be."""
    umask = os.umask(0o077)
    try:
        give_keys(CONTROLLER, keys)
        key = CallKey(keys=keys, call_id=CALL, controller=CONTROLLER)
        make_key(key)
        proof_keys = ProofKeys(keys)
        proof_keys.keep([proof_keys.seal(b"text", controller=CONTROLLER, call_id=CALL).key])
        wal = mode(keys / f"{PROOF_KEYS}-wal")
        proof_keys.blind("+442079460123", controller=CONTROLLER)
        proof_keys.close()
    finally:
        os.umask(umask)
    assert wal == mode(keys / PROOF_KEYS)
    return {
        "audio": key.path,
        "directory": key.path.parent,
        "proof": keys / PROOF_KEYS,
        "blind": keys / "blind" / f"{CONTROLLER}.key",
    }


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "directory"
    path.mkdir()
    return path


def test_keys_in_a_directory_of_its_owners_own_are_its_owners_alone(directory: Path) -> None:
    directory.chmod(0o770)
    assert {name: mode(path) for name, path in made(directory).items()} == {
        "audio": 0o600,
        "directory": 0o700,
        "proof": 0o600,
        "blind": 0o600,
    }


def test_keys_in_a_directory_with_the_group_bit_are_for_its_group_and_those_of_the_index_are_not(
    directory: Path,
) -> None:
    os.chown(directory, -1, GROUP)
    directory.chmod(0o2770)
    found = made(directory)
    assert {name: mode(path) for name, path in found.items()} == {
        "audio": 0o640,
        "directory": 0o2750,
        "proof": 0o660,
        "blind": 0o600,
    }
    assert {found[name].stat().st_gid for name in ("audio", "directory", "proof")} == {GROUP}


def test_an_identity_is_for_its_owner_and_where_the_directory_says_so_for_its_group(directory: Path) -> None:
    assert mode(add_identity("alone", directory, ["# a comment"])) == 0o600
    os.chown(directory, -1, GROUP)
    directory.chmod(0o2750)
    path = add_identity("shared", directory, ["# a comment"])
    assert (mode(path), path.stat().st_gid) == (0o640, GROUP)


def test_a_directory_of_identities_that_has_to_be_made_is_its_owners_alone(tmp_path: Path) -> None:
    path = add_identity("alone", tmp_path / "identities", ["# a comment"])
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
