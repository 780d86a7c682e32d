"""Files in spool and vault are the recordings of the ledger, both ways."""

from pathlib import Path

import pytest

from asterisk_consent.errors import AudioError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.names import key_path
from asterisk_consent.vault.orphans import Orphans, find_orphans
from tests.vault.tones import OTHER, RECORDING

NOTHING: set[RecordingId] = set()


def find(
    spool: Path,
    vault: Path,
    running: set[RecordingId] = NOTHING,
    ended: set[RecordingId] = NOTHING,
    kept: set[RecordingId] = NOTHING,
) -> Orphans:
    """The call of each recording has the recording's own id."""
    keys = spool.with_name("keys")
    keys.mkdir(exist_ok=True)
    return find_orphans(
        spool=spool,
        vault=vault,
        keys=keys,
        running={each: each for each in running},
        ended=ended,
        kept={each: each for each in kept},
    )


def put_key(spool: Path, call_id: str) -> Path:
    path = key_path(call_id, spool.with_name("keys"))
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_files_and_ledger_that_agree_leave_nothing_to_say(spool: Path, vault: Path) -> None:
    (spool / f"{RECORDING}-caller.wav").touch()
    (vault / f"{RECORDING}.part").touch()
    (vault / f"{OTHER}.flac.age").touch()
    put_key(spool, OTHER)
    put_key(spool, RECORDING)
    assert not find(spool, vault, running={RECORDING}, ended={OTHER}, kept={OTHER})


@pytest.mark.parametrize(
    "name", [f"{OTHER}-caller.wav", f"{OTHER}.wav", "note.txt", f"{RECORDING}-caller.wav.bak", ".hidden"]
)
def test_a_file_in_the_spool_without_recording_is_found(spool: Path, vault: Path, name: str) -> None:
    (spool / name).touch()
    assert find(spool, vault, running={RECORDING}).unknown_files == (spool / name,)


@pytest.mark.parametrize(
    "name", [f"{OTHER}.flac.age", f"{RECORDING}.wav", f"{RECORDING}-caller.wav", f"{OTHER}.part", "note.txt"]
)
def test_a_file_in_the_vault_without_recording_is_found(spool: Path, vault: Path, name: str) -> None:
    (vault / name).touch()
    assert find(spool, vault, running={RECORDING}).unknown_files == (vault / name,)


@pytest.mark.parametrize("name", [f"{RECORDING}.flac.age", f"{RECORDING}.part"])
def test_audio_of_a_recording_that_ended_without_audio_is_found(spool: Path, vault: Path, name: str) -> None:
    (vault / name).touch()
    assert find(spool, vault, ended={RECORDING}).unknown_files == (vault / name,)


@pytest.mark.parametrize("side", ["caller.wav", "agent.wav", "emptying.wav", "joined.flac"])
def test_a_recording_that_ended_and_left_audio_in_the_spool_is_found(
    spool: Path, vault: Path, side: str
) -> None:
    (spool / f"{RECORDING}-{side}").touch()
    found = find(spool, vault, ended={RECORDING})
    assert found.left_in_spool == (RECORDING,)
    assert found.unknown_files == ()


def test_a_recording_whose_audio_is_gone_is_found(spool: Path, vault: Path) -> None:
    assert find(spool, vault, ended={RECORDING}, kept={RECORDING}).missing == (RECORDING,)


def test_a_directory_that_is_not_there_is_an_audio_error(spool: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be listed"):
        find(spool, tmp_path / "absent")


def test_a_recording_that_nothing_opens_is_found(spool: Path, vault: Path) -> None:
    (vault / f"{OTHER}.flac.age").touch()
    found = find(spool, vault, ended={OTHER}, kept={OTHER})
    assert (found.without_key, found.missing, found.unknown_files) == ((OTHER,), (), ())


def test_a_key_of_no_recording_is_found_and_what_is_a_controllers_is_none(spool: Path, vault: Path) -> None:
    stray = put_key(spool, OTHER)
    misplaced = put_key(spool, RECORDING).rename(stray.parent / f"{RECORDING}.audio.age")
    for name in ("recipients/voorbeeld.txt", "blind/voorbeeld.key"):
        path = spool.with_name("keys") / name
        path.parent.mkdir()
        path.touch()
    (spool.with_name("keys") / "proof.sqlite").touch()
    (spool.with_name("keys") / "erased.log").touch()
    assert find(spool, vault, running={RECORDING}).unknown_files == tuple(sorted((stray, misplaced)))
