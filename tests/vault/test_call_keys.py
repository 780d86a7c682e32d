"""The key of a call: its controller opens it and nobody else, and once it is destroyed nothing opens the recording."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asterisk_consent.errors import KeysError
from asterisk_consent.vault.age import Identity, unseal
from asterisk_consent.vault.call_keys import destroy_key, has_key, make_key, open_key
from asterisk_consent.vault.kept import open_kept
from asterisk_consent.vault.names import kept_path
from asterisk_consent.vault.store import empty_spool
from tests.vault.found_secrets import SECRET, opens, secrets_in
from tests.vault.keyring import CALL, CONTROLLER, Keyring
from tests.vault.tones import AGENT_HZ, CALLER_HZ, RECORDING, tone, write_call


def sealed_call(spool: Path, vault: Path, keyring: Keyring) -> bytes:
    """Seal a recording, empty the spool, and return the sealed bytes."""
    write_call(spool)
    keyring.close(spool, vault)
    empty_spool(RECORDING, spool)
    return kept_path(RECORDING, vault).read_bytes()


def test_each_identity_of_the_controller_opens_the_key_and_with_it_the_recording(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    sealed_call(spool, vault, keyring)
    for identity in (keyring.here, keyring.elsewhere):
        key = open_key(keyring.of(), (identity,))
        with open_kept(RECORDING, vault, key) as audio:
            assert audio.frames == 16_000


def test_another_identity_does_not_and_is_told_whose_is_needed(keyring: Keyring) -> None:
    make_key(keyring.of())
    with pytest.raises(KeysError, match=f"identity of the controller '{CONTROLLER}'"):
        open_key(keyring.of(), (Identity.generate(),))


def test_every_call_has_a_key_of_its_own(keyring: Keyring) -> None:
    assert make_key(keyring.of("a" * 32)) != make_key(keyring.of("b" * 32))
    assert keyring.audio_key("a" * 32) != keyring.audio_key("b" * 32)


def test_a_key_is_for_its_owner_only_and_lies_by_the_name_of_its_call(keyring: Keyring) -> None:
    make_key(keyring.of("ab" + "0" * 30))
    path = keyring.keys / "ab" / f"ab{'0' * 30}.audio.age"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("call_id", ["", "../../etc/passwd", "0" * 31, "G" * 32])
def test_only_a_call_id_becomes_part_of_a_path(keyring: Keyring, call_id: str) -> None:
    with pytest.raises(KeysError, match="not a call id"):
        make_key(keyring.of(call_id))
    with pytest.raises(KeysError, match="not a call id"):
        destroy_key(call_id, keyring.keys)


def test_nothing_that_the_service_writes_opens_what_it_wrote(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    sealed = sealed_call(spool, vault, keyring)
    key = keyring.of().path.read_bytes()
    for identity in (*secrets_in(spool, vault, keyring.keys), Identity.generate()):
        assert not opens(identity, sealed)
        assert not opens(identity, key)
    assert secrets_in(spool, vault, keyring.keys) == []
    # The search does find what lies there: the key, once somebody opens it with what the service does not have.
    (keyring.keys / "opened").write_bytes(unseal(key, [keyring.here]))
    (found,) = secrets_in(keyring.keys)
    assert opens(found, sealed)


def test_once_the_key_is_destroyed_nothing_left_on_disk_opens_the_recording_not_even_for_its_controller(
    spool: Path, vault: Path, keyring: Keyring, tmp_path: Path
) -> None:
    sealed = sealed_call(spool, vault, keyring)
    assert has_key(keyring.of())

    destroy_key(CALL, keyring.keys)

    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert kept_path(RECORDING, vault) in left
    identities = [keyring.here, keyring.elsewhere, *secrets_in(tmp_path)]
    for file in left:  # what an identity opens may be a key again
        for identity in list(identities):
            if opens(identity, file.read_bytes()):
                opened = unseal(file.read_bytes(), [identity])
                identities += [Identity.read(each.decode()) for each in SECRET.findall(opened)]
    assert [identity.recipient for identity in identities if opens(identity, sealed)] == []
    assert not has_key(keyring.of())
    with pytest.raises(KeysError, match="destroyed"):
        keyring.audio_key()


def test_destroying_again_changes_nothing_and_leaves_other_calls_alone(keyring: Keyring) -> None:
    near = CALL[:2] + "0" * 30
    make_key(keyring.of())
    make_key(keyring.of(near))
    for _ in range(2):
        destroy_key(CALL, keyring.keys)
    destroy_key("d" * 32, keyring.keys)
    assert has_key(keyring.of(near))
    assert not has_key(keyring.of())


def test_a_key_half_written_by_a_crash_goes_too(keyring: Keyring) -> None:
    make_key(keyring.of())
    path = keyring.of().path
    shutil.copy(path, path.with_name(f"{path.name}.part"))
    destroy_key(CALL, keyring.keys)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("identity", ["here", "elsewhere"])
@pytest.mark.skipif(shutil.which("age") is None, reason="needs the Debian package age")
def test_the_age_program_opens_a_recording_by_hand(
    spool: Path, vault: Path, keyring: Keyring, tmp_path: Path, identity: str
) -> None:
    sealed_call(spool, vault, keyring)
    own = tmp_path / "identity.txt"
    own.write_text(f"# kept in the safe\n{getattr(keyring, identity).secret}\n")
    key, audio = tmp_path / "key.txt", tmp_path / "audio.flac"
    for by, file, out in ((own, keyring.of().path, key), (key, kept_path(RECORDING, vault), audio)):
        subprocess.run(["age", "--decrypt", "-i", by, "-o", out, file], check=True, capture_output=True)
    samples, _ = soundfile.read(audio, dtype="int16")
    assert np.array_equal(samples[:, 0], tone(CALLER_HZ, 2.0))
    assert np.array_equal(samples[:, 1], tone(AGENT_HZ, 2.0))
