"""A spool, a vault and keys of their own for every test."""

from pathlib import Path

import pytest

from tests.vault.keyring import CONTROLLER, Keyring, give_keys


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    path = tmp_path / "spool"
    path.mkdir()
    return path


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    path = tmp_path / "vault"
    path.mkdir()
    return path


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    keys = tmp_path / "keys"
    keys.mkdir()
    give_keys(CONTROLLER, keys)
    return Keyring(keys)
