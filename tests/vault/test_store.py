"""From the spool to the vault: joined, judged, durable, and the same after a crash at any point."""

import errno
import os
import re
import resource
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.model import RecordingId
from asterisk_consent.vault import kept
from asterisk_consent.vault.names import kept_path
from asterisk_consent.vault.store import END_LOST, Closed, empty_spool
from asterisk_consent.vault.wav import wav_header
from tests.vault.keyring import CONTROLLER, Keyring, give_keys
from tests.vault.tones import (
    AGENT_HZ,
    CALLER_HZ,
    RECORDING,
    joined,
    silence,
    tone,
    tone_db,
    write_call,
    write_side,
)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_caller_is_only_on_the_left_and_the_agent_only_on_the_right(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_call(spool, seconds=23.0)
    keyring.close(spool, vault)
    left, right = keyring.channels(vault)

    assert tone_db(left, CALLER_HZ) - tone_db(left, AGENT_HZ) > 40
    assert tone_db(right, AGENT_HZ) - tone_db(right, CALLER_HZ) > 40
    assert tone_db(left, CALLER_HZ) > -15


def test_every_sample_is_kept_as_it_was(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_call(spool, seconds=31.23)
    keyring.close(spool, vault)
    left, right = keyring.channels(vault)
    assert np.array_equal(left, tone(CALLER_HZ, 31.23))
    assert np.array_equal(right, tone(AGENT_HZ, 31.23))


def test_a_good_recording_is_described_with_its_digest(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_call(spool, seconds=2.0)
    closed = keyring.close(spool, vault)
    assert (closed.problem, closed.repaired, closed.nothing_recorded) == ("", False, False)
    assert closed.duration_ms == 2000
    assert closed.sha256 == kept.look_up(RECORDING, vault).sha256
    assert closed.size == kept_path(RECORDING, vault).stat().st_size


def test_a_kept_file_is_readable_by_owner_and_group_only(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_call(spool)
    before = os.umask(0o077)
    try:
        keyring.close(spool, vault)
    finally:
        os.umask(before)
    assert kept_path(RECORDING, vault).stat().st_mode & 0o777 == 0o640


def test_a_shorter_side_is_filled_with_silence_and_stated(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_side(spool, "caller", tone(CALLER_HZ, 3.0))
    write_side(spool, "agent", tone(AGENT_HZ, 2.0))
    closed = keyring.close(spool, vault)
    left, right = keyring.channels(vault)

    assert closed.problem == "agent side 1.00 s shorter than the other"
    assert np.array_equal(left, tone(CALLER_HZ, 3.0))
    assert np.array_equal(right, joined(tone(AGENT_HZ, 2.0), silence(1.0)))


@pytest.mark.parametrize("lost", ["caller", "agent"])
def test_a_missing_side_is_stated_and_the_other_one_kept(
    spool: Path, vault: Path, keyring: Keyring, lost: str
) -> None:
    write_call(spool)
    (spool / f"{RECORDING}-{lost}.wav").unlink()
    closed = keyring.close(spool, vault)
    channels = dict(zip(("caller", "agent"), keyring.channels(vault), strict=True))

    assert closed.problem == f"{lost} side missing"
    assert not channels.pop(lost).any()
    assert all(channel.any() for channel in channels.values())


@pytest.mark.parametrize("content", [b"", b"not audio", b"RIFF\0\0\0\0WAVE"])
def test_an_unreadable_side_is_stated_and_the_other_one_kept(
    spool: Path, vault: Path, keyring: Keyring, content: bytes
) -> None:
    write_call(spool)
    (spool / f"{RECORDING}-agent.wav").write_bytes(content)
    closed = keyring.close(spool, vault)

    assert closed.problem.startswith("agent side unreadable")
    assert np.array_equal(keyring.channels(vault)[0], tone(CALLER_HZ, 2.0))


def test_a_recording_cut_off_by_a_crash_of_asterisk_is_repaired_and_marked(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_call(spool, seconds=4.0)
    for side in ("caller", "agent"):
        path = spool / f"{RECORDING}-{side}.wav"
        content = bytearray(path.read_bytes()[:-3])
        content[4:8] = content[40:44] = b"\0\0\0\0"
        path.write_bytes(content)
    closed = keyring.close(spool, vault)

    assert closed.repaired
    assert closed.problem == ""
    assert np.array_equal(keyring.channels(vault)[0], tone(CALLER_HZ, 4.0)[:-2])


@pytest.mark.parametrize("there", [(), ("caller",), ("caller", "agent")])
@pytest.mark.parametrize("size", [0, 44])
def test_without_any_audio_nothing_is_kept(
    spool: Path, vault: Path, keyring: Keyring, there: tuple[str, ...], size: int
) -> None:
    for side in there:
        os.truncate(write_side(spool, side, silence(0)), size)
    closed = keyring.close(spool, vault)

    assert closed.nothing_recorded
    assert closed.problem
    assert names(vault) == []


def test_what_cannot_be_read_is_told_from_nothing_recorded(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    (spool / f"{RECORDING}-caller.wav").write_bytes(b"not audio")
    closed = keyring.close(spool, vault)
    assert closed.sha256 == ""
    assert not closed.nothing_recorded


@pytest.mark.parametrize("name", ["", "../" + "0" * 29, "0" * 31, "0" * 33, "G" * 32, "0" * 32 + "\n"])
def test_only_a_recording_id_becomes_part_of_a_path(
    spool: Path, vault: Path, keyring: Keyring, name: str
) -> None:
    recording = RecordingId(name)
    for act in (lambda: keyring.close(spool, vault, recording), lambda: empty_spool(recording, spool)):
        with pytest.raises(AudioError, match="not a recording id"):
            act()


def test_the_spool_is_left_alone_until_the_end_was_entered(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_call(spool)
    before = names(spool)
    keyring.close(spool, vault)
    assert names(spool) == before

    empty_spool(RECORDING, spool)
    assert names(spool) == []


def test_emptying_the_spool_leaves_other_recordings_alone(spool: Path) -> None:
    other = RecordingId("f" * 32)
    write_call(spool)
    write_call(spool, recording=other)
    empty_spool(RECORDING, spool)
    assert names(spool) == [f"{other}-agent.wav", f"{other}-caller.wav"]


def test_a_name_in_the_vault_appears_only_once_its_bytes_are_durable(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    fsync, rename = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("directory durable" if directory else f"{os.fstat(descriptor).st_size} bytes durable")
        fsync(descriptor)

    def noted_replace(path: Path, target: Path) -> Path:
        steps.append(f"named {target.name}")
        return rename(path, target)

    write_call(spool, seconds=1.0)
    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    size = keyring.close(spool, vault).size
    key = keyring.of().path
    assert steps == [
        "directory durable",
        f"{key.stat().st_size} bytes durable",
        f"named {key.name}",
        "directory durable",
        f"{size} bytes durable",
        f"named {RECORDING}.flac.age",
        "directory durable",
    ]


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


def crash_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the step-th change of the file system not happen, nor anything after it."""
    done = 0

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def change(*args: object, **named: object) -> object:
            nonlocal done
            done += 1
            if done >= step:
                raise Crash
            return original(*args, **named)

        return change

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    for name in ("replace", "rename", "unlink"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))


def finish(spool: Path, vault: Path, keyring: Keyring) -> Closed:
    closed = keyring.close(spool, vault)
    empty_spool(RECORDING, spool)
    return closed


@pytest.mark.parametrize("step", range(1, 15))
@pytest.mark.parametrize("lost", ["neither", "caller", "agent"])
def test_after_a_crash_at_any_step_the_end_is_the_same(
    spool: Path, vault: Path, keyring: Keyring, tmp_path: Path, step: int, lost: str
) -> None:
    def prepare(directory: Path) -> None:
        write_call(directory, seconds=1.0)
        (directory / f"{RECORDING}-{lost}.wav").unlink(missing_ok=True)

    for name in ("s", "v", "k"):
        (tmp_path / name).mkdir()
    give_keys(CONTROLLER, tmp_path / "k")
    other_keyring = Keyring(tmp_path / "k")
    prepare(tmp_path / "s")
    expected = finish(tmp_path / "s", tmp_path / "v", other_keyring)

    prepare(spool)
    entered = None
    with pytest.MonkeyPatch.context() as monkeypatch:
        crash_at(monkeypatch, step)
        try:
            entered = keyring.close(spool, vault)
            empty_spool(RECORDING, spool)
        except Crash:
            pass
    again = finish(spool, vault, keyring)

    # What is sealed anew has other bytes; what was entered stays what it is.
    assert again.sha256 == (entered or again).sha256 == kept.look_up(RECORDING, vault).sha256
    end = entered or again
    assert replace(end, sha256="", size=0) == replace(expected, sha256="", size=0)
    assert [channel.tolist() for channel in keyring.channels(vault)] == [
        silence(1.0).tolist() if side == lost else tone(hz, 1.0).tolist()
        for side, hz in (("caller", CALLER_HZ), ("agent", AGENT_HZ))
    ]
    assert names(spool) == []
    assert names(vault) == [f"{RECORDING}.flac.age"]
    assert [path.name for path in keyring.of().path.parent.iterdir()] == [keyring.of().path.name]


@pytest.mark.parametrize("step", range(1, 6))
@pytest.mark.parametrize("lasting", [False, True])
def test_a_full_disk_leaves_the_spool_and_neither_half_a_file_nor_a_key(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch, step: int, lasting: bool
) -> None:
    fsync, done = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal done
        done += 1
        if done == step or (lasting and done > step):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    write_call(spool)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises((AudioError, KeysError), match="No space left"):
            keyring.close(spool, vault)

    assert names(vault) == []
    assert [path for path in keyring.keys.rglob("*.age*") if path.is_file()] == []
    assert len(names(spool)) == 2
    assert keyring.close(spool, vault).problem == ""


def test_in_a_spool_without_room_both_sides_are_joined_in_memory(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealing is what makes room there: it must not need any."""
    write_call(spool)
    spool.joinpath(f"{RECORDING}-joined.flac").mkdir()  # what would be joined here would fail
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 10))
    assert keyring.close(spool, vault).problem == ""
    assert np.array_equal(keyring.channels(vault)[1], tone(AGENT_HZ, 2.0))


@pytest.mark.parametrize("left", [".part", ".flac.age"])
def test_what_sealing_left_when_the_spool_was_lost_goes_unless_it_can_be_opened(
    spool: Path, vault: Path, keyring: Keyring, left: str
) -> None:
    """As after a loss of power in the middle of sealing, with the spool in memory."""
    write_call(spool)
    keyring.close(spool, vault)
    kept_path(RECORDING, vault).rename(vault / f"{RECORDING}{left}")
    for path in spool.iterdir():
        path.unlink()
    closed = keyring.close(spool, vault)
    if left == ".part":
        assert closed.nothing_recorded
        assert closed.left_nothing
        assert names(vault) == []
        assert not keyring.of().path.exists()
    else:
        assert closed.sha256 == kept.look_up(RECORDING, vault).sha256
        assert not closed.left_nothing
        assert np.array_equal(keyring.channels(vault)[0], tone(CALLER_HZ, 2.0))


@pytest.mark.parametrize("place", ["spool", "vault", "keys"])
def test_what_cannot_be_looked_at_now_is_not_taken_for_missing(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    look = Path.stat

    def failing(path: Path, **named: bool) -> os.stat_result:
        if place in (path.parent.name, path.parent.parent.name):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return look(path, **named)

    write_call(spool)
    keyring.close(spool, vault)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", failing)
        with pytest.raises(AudioError, match="Input/output error"):
            keyring.close(spool, vault)
    assert keyring.close(spool, vault).problem == ""


def test_a_disk_that_cannot_be_read_now_is_not_taken_for_a_missing_side(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path, mode: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    write_call(spool)
    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(AudioError, match="Input/output error"):
        keyring.close(spool, vault)
    assert names(vault) == []


def test_sides_of_different_rates_are_not_mixed_up(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_call(spool)
    agent = spool / f"{RECORDING}-agent.wav"
    agent.write_bytes(wav_header(frames=2, channels=1, rate=16000) + bytes(4))
    closed = keyring.close(spool, vault)
    assert closed.problem == "agent side unreadable (16000 Hz)"
    assert np.array_equal(keyring.channels(vault)[0], tone(CALLER_HZ, 2.0))


def test_a_vault_that_is_not_there_is_an_audio_error(spool: Path, keyring: Keyring, tmp_path: Path) -> None:
    write_call(spool)
    with pytest.raises(AudioError, match="cannot be kept"):
        keyring.close(spool, tmp_path / "absent")


def test_a_link_planted_in_the_vault_is_not_followed(
    spool: Path, vault: Path, keyring: Keyring, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (vault / f"{RECORDING}.part").symlink_to(victim)
    write_call(spool)
    with pytest.raises(AudioError, match="cannot be kept"):
        keyring.close(spool, vault)
    assert victim.read_text() == "untouched"


def test_a_pipe_in_the_spool_does_not_block(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_call(spool)
    (spool / f"{RECORDING}-caller.wav").unlink()
    os.mkfifo(spool / f"{RECORDING}-caller.wav")
    assert keyring.close(spool, vault).problem == "caller side unreadable (not a file)"


def test_what_is_kept_already_is_looked_at_again_and_not_sealed_again(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_call(spool)
    first, content = keyring.close(spool, vault), kept_path(RECORDING, vault).read_bytes()
    assert keyring.close(spool, vault) == first
    assert kept_path(RECORDING, vault).read_bytes() == content


def test_what_lost_its_key_before_its_end_was_entered_is_sealed_again(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_call(spool)
    keyring.close(spool, vault)
    keyring.of().path.unlink()
    assert keyring.close(spool, vault).sha256 == kept.look_up(RECORDING, vault).sha256
    assert np.array_equal(keyring.channels(vault)[0], tone(CALLER_HZ, 2.0))


def test_a_sealed_recording_whose_end_the_ledger_lost_is_kept_and_said_to_be_unknown(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_call(spool)
    closed = finish(spool, vault, keyring)
    again = keyring.close(spool, vault)
    assert (again.sha256, again.size, again.problem) == (closed.sha256, closed.size, END_LOST)


def test_audio_lies_in_the_clear_in_the_spool_only(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every moment at which something is made durable or renamed, and afterwards."""
    clear = re.compile(b"fLaC|RIFF|AGE-SECRET-KEY")
    looked = 0

    def look() -> None:
        nonlocal looked
        looked += 1
        files = [path for place in (vault, keyring.keys) for path in place.rglob("*") if path.is_file()]
        assert [path for path in files if clear.search(path.read_bytes())] == []

    def looking(original: Callable[..., object]) -> Callable[..., object]:
        def act(*args: object, **named: object) -> object:
            look()
            return original(*args, **named)

        return act

    write_call(spool, seconds=5.0)
    monkeypatch.setattr(os, "fsync", looking(os.fsync))
    for name in ("replace", "unlink"):
        monkeypatch.setattr(Path, name, looking(getattr(Path, name)))
    finish(spool, vault, keyring)
    look()
    assert looked > 10
    assert names(spool) == []


def test_a_side_that_is_cut_while_it_is_read_leaves_nothing_behind(
    spool: Path, vault: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(self: object, frames: int) -> Iterator[object]:
        yield from ()
        raise AudioError("became shorter while it was read")

    write_call(spool)
    monkeypatch.setattr("asterisk_consent.vault.wav.Wave.blocks", cut)
    with pytest.raises(AudioError, match="became shorter"):
        keyring.close(spool, vault)
    assert (len(names(spool)), names(vault), names(keyring.keys)) == (2, [], ["recipients"])


def test_without_recipients_nothing_is_kept_and_the_sides_stay(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    (keyring.keys / "recipients" / f"{CONTROLLER}.txt").unlink()
    write_call(spool)
    with pytest.raises(KeysError, match="there are no recipients"):
        keyring.close(spool, vault)
    assert (len(names(spool)), names(vault)) == (2, [])


def test_a_long_recording_is_sealed_in_bounded_memory(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_call(spool, seconds=1800.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    keyring.close(spool, vault)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert kept_path(RECORDING, vault).stat().st_size > 12 << 20
    assert grown_kib < 12 << 10
