"""Handing out a recording: sample for sample, into a new file, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from asterisk_consent.errors import AudioError, KeysError, RequestRefusedError
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.export import check_digest, export_wav
from asterisk_consent.vault.names import kept_path
from asterisk_consent.vault.wav import open_wav
from tests.vault.keyring import Keyring
from tests.vault.tones import AGENT_HZ, CALLER_HZ, OTHER, RECORDING, read_channels, tone, write_call


@pytest.fixture
def sha256(spool: Path, vault: Path, keyring: Keyring) -> str:
    write_call(spool)
    return keyring.close(spool, vault).sha256


@pytest.fixture
def key(sha256: str, keyring: Keyring) -> Identity:
    return keyring.audio_key()


def test_what_is_handed_out_is_what_was_kept(vault: Path, tmp_path: Path, key: Identity, sha256: str) -> None:
    out = tmp_path / "out.wav"
    export_wav(RECORDING, vault, out, key, sha256=sha256)
    left, right = read_channels(out)
    assert np.array_equal(left, tone(CALLER_HZ, 2.0))
    assert np.array_equal(right, tone(AGENT_HZ, 2.0))
    assert open_wav(out, channels=2).repaired is False


def test_only_the_person_exporting_can_read_the_file(
    vault: Path, tmp_path: Path, key: Identity, sha256: str
) -> None:
    export_wav(RECORDING, vault, tmp_path / "out.wav", key, sha256=sha256)
    assert (tmp_path / "out.wav").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_never_touched(vault: Path, tmp_path: Path, key: Identity, sha256: str) -> None:
    (tmp_path / "out.wav").write_text("mine")
    (tmp_path / "link.wav").symlink_to(tmp_path / "nowhere.wav")
    for name in ("out.wav", "link.wav"):
        with pytest.raises(RequestRefusedError, match="exists already"):
            export_wav(RECORDING, vault, tmp_path / name, key, sha256=sha256)
    assert (tmp_path / "out.wav").read_text() == "mine"
    assert not (tmp_path / "nowhere.wav").exists()


def test_a_recording_that_was_changed_is_not_handed_out(
    vault: Path, tmp_path: Path, key: Identity, sha256: str
) -> None:
    path = kept_path(RECORDING, vault)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    with pytest.raises(AudioError, match="not what was entered"):
        check_digest(RECORDING, vault, sha256=sha256)
    with pytest.raises(AudioError, match="not what was entered"):
        export_wav(RECORDING, vault, tmp_path / "out.wav", key, sha256=sha256)
    assert not (tmp_path / "out.wav").exists()


def test_a_recording_that_is_not_there_leaves_no_file(vault: Path, tmp_path: Path, key: Identity) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        export_wav(OTHER, vault, tmp_path / "out.wav", key, sha256="0" * 64)
    assert not (tmp_path / "out.wav").exists()


def test_a_place_that_cannot_be_written_is_an_audio_error(
    vault: Path, tmp_path: Path, key: Identity, sha256: str
) -> None:
    with pytest.raises(AudioError, match="cannot be written"):
        export_wav(RECORDING, vault, tmp_path / "absent" / "out.wav", key, sha256=sha256)


def test_another_key_opens_nothing_and_leaves_no_file(vault: Path, tmp_path: Path, sha256: str) -> None:
    with pytest.raises(KeysError, match="cannot be opened"):
        export_wav(RECORDING, vault, tmp_path / "out.wav", Identity.generate(), sha256=sha256)
    assert not (tmp_path / "out.wav").exists()
