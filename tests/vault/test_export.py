"""Handing out a recording: byte for byte, into a new file, or not at all."""

from pathlib import Path

import pytest

from asterisk_consent.errors import AudioError, RequestRefusedError
from asterisk_consent.vault.export import check_digest, export_wav
from asterisk_consent.vault.names import kept_path
from asterisk_consent.vault.store import close_recording
from tests.vault.tones import AGENT_HZ, OTHER, RECORDING, read_channels, tone_db, write_call


@pytest.fixture
def sha256(spool: Path, vault: Path) -> str:
    write_call(spool)
    return close_recording(RECORDING, spool, vault).sha256


def test_what_is_handed_out_is_what_was_kept(vault: Path, tmp_path: Path, sha256: str) -> None:
    out = tmp_path / "out.wav"
    assert export_wav(RECORDING, vault, out, sha256=sha256) == sha256
    assert out.read_bytes() == kept_path(RECORDING, vault).read_bytes()
    assert tone_db(read_channels(out)[1], AGENT_HZ) > -15


def test_only_the_person_exporting_can_read_the_file(vault: Path, tmp_path: Path, sha256: str) -> None:
    export_wav(RECORDING, vault, tmp_path / "out.wav", sha256=sha256)
    assert (tmp_path / "out.wav").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_never_touched(vault: Path, tmp_path: Path, sha256: str) -> None:
    (tmp_path / "out.wav").write_text("mine")
    (tmp_path / "link.wav").symlink_to(tmp_path / "nowhere.wav")
    for name in ("out.wav", "link.wav"):
        with pytest.raises(RequestRefusedError, match="exists already"):
            export_wav(RECORDING, vault, tmp_path / name, sha256=sha256)
    assert (tmp_path / "out.wav").read_text() == "mine"
    assert not (tmp_path / "nowhere.wav").exists()


def test_a_recording_that_was_changed_is_not_handed_out(vault: Path, tmp_path: Path, sha256: str) -> None:
    path = kept_path(RECORDING, vault)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    with pytest.raises(AudioError, match="not what was entered"):
        check_digest(RECORDING, vault, sha256=sha256)
    with pytest.raises(AudioError, match="not what was entered"):
        export_wav(RECORDING, vault, tmp_path / "out.wav", sha256=sha256)
    assert not (tmp_path / "out.wav").exists()


def test_a_recording_that_is_not_there_leaves_no_file(vault: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        export_wav(OTHER, vault, tmp_path / "out.wav", sha256="0" * 64)
    assert not (tmp_path / "out.wav").exists()


def test_a_place_that_cannot_be_written_is_an_audio_error(vault: Path, tmp_path: Path, sha256: str) -> None:
    with pytest.raises(AudioError, match="cannot be written"):
        export_wav(RECORDING, vault, tmp_path / "absent" / "out.wav", sha256=sha256)
