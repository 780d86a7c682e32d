"""Reading WAV files that Asterisk wrote, finished or not, and any other bytes."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asterisk_consent.errors import AudioError
from asterisk_consent.vault.wav import HEADER_BYTES, Wave, open_wav, wav_header
from tests.vault.tones import RATE, tone, write_side


def samples_of(wave_file: Wave, block: int = 1000) -> list[int]:
    return [sample for piece in wave_file.blocks(block) for sample in piece[:, 0].tolist()]


def damaged(spool: Path, *, said: int, cut: int = 0) -> Path:
    """A second of tone whose header says another number of bytes and whose end is cut off."""
    path = write_side(spool, "caller", tone(440, 1.0))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", said)
    path.write_bytes(content[: len(content) - cut])
    return path


def test_a_finished_file_is_read_whole_and_not_marked(spool: Path) -> None:
    read = open_wav(write_side(spool, "caller", tone(440, 1.0)), channels=1)
    assert (read.rate, read.frames, read.repaired) == (RATE, RATE, False)
    assert samples_of(read) == tone(440, 1.0).tolist()


@pytest.mark.parametrize("said", [0, 320, 2 * RATE - 2, 2 * RATE + 2, 2**32 - 1])
def test_a_wrong_length_in_the_header_is_repaired_from_the_file(spool: Path, said: int) -> None:
    read = open_wav(damaged(spool, said=said), channels=1)
    assert (read.frames, read.repaired) == (RATE, True)
    assert samples_of(read) == tone(440, 1.0).tolist()


@pytest.mark.parametrize("said", [0, 2 * RATE, 2 * RATE - 1])
def test_half_a_sample_at_the_end_is_dropped(spool: Path, said: int) -> None:
    read = open_wav(damaged(spool, said=said, cut=1), channels=1)
    assert (read.frames, read.repaired) == (RATE - 1, True)
    assert samples_of(read) == tone(440, 1.0).tolist()[:-1]


def test_chunks_before_and_after_the_audio_are_not_audio(tmp_path: Path) -> None:
    path = tmp_path / "chunks.wav"
    plain = wav_header(frames=4, channels=1, rate=RATE) + b"\1\0\2\0\3\0\4\0"
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(plain[:12] + note + plain[12:] + note)
    read = open_wav(path, channels=1)
    assert (samples_of(read), read.repaired) == ([1, 2, 3, 4], False)


def test_what_other_programs_write_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.array([[1, 2], [3, 4]], dtype=np.int16), RATE, subtype="PCM_16")
    read = open_wav(tmp_path / "two.wav", channels=2)
    assert [block.tolist() for block in read.blocks(10)] == [[[1, 2], [3, 4]]]


def test_other_programs_read_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "own.wav"
    path.write_bytes(wav_header(frames=2, channels=2, rate=RATE) + bytes(8))
    with wave.open(str(path)) as read:
        assert read.getparams()[:4] == (2, 2, RATE, 2)
    assert path.stat().st_size == HEADER_BYTES + 8


def test_a_header_alone_is_a_file_without_samples(spool: Path) -> None:
    read = open_wav(write_side(spool, "caller", tone(440, 0)), channels=1)
    assert (read.frames, samples_of(read), read.repaired) == (0, [], False)


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        (slice(20, 22), 7, "not 16-bit PCM"),
        (slice(22, 24), 2, "not 16-bit PCM"),
        (slice(24, 28), 0, "not 16-bit PCM"),
        (slice(34, 36), 8, "not 16-bit PCM"),
        (slice(0, 4), 0x58464952, "not a WAV file"),
        (slice(16, 20), 4, "broken header"),
        (slice(36, 40), 0x20746D66, "broken header"),
    ],
)
def test_what_is_not_mono_16_bit_pcm_is_refused(spool: Path, field: slice, value: int, what: str) -> None:
    path = write_side(spool, "caller", tone(440, 0))
    content = bytearray(path.read_bytes())
    content[field] = value.to_bytes(field.stop - field.start, "little")
    path.write_bytes(content)
    with pytest.raises(AudioError, match=what):
        open_wav(path, channels=1)


def test_two_channels_are_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    path.write_bytes(wav_header(frames=0, channels=2, rate=RATE))
    with pytest.raises(AudioError, match="2 channels instead of 1"):
        open_wav(path, channels=1)


def test_a_missing_file_and_a_directory_are_audio_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.wav", tmp_path):
        with pytest.raises(AudioError, match="cannot be read"):
            open_wav(path, channels=1)


def test_a_file_that_shrinks_while_it_is_read_is_an_audio_error(spool: Path) -> None:
    path = write_side(spool, "caller", tone(440, 1.0))
    read = open_wav(path, channels=1)
    path.write_bytes(path.read_bytes()[:-99])
    with pytest.raises(AudioError, match="became shorter"):
        list(read.blocks(1000))


def test_audio_longer_than_wav_can_hold_is_refused() -> None:
    assert wav_header(frames=2**29, channels=2, rate=RATE)
    with pytest.raises(AudioError, match="longer than"):
        wav_header(frames=2**30, channels=2, rate=RATE)


GOOD = wav_header(frames=8, channels=1, rate=RATE) + bytes(range(16))


def mutated(content: bytes, edits: list[tuple[int, int]], end: int) -> bytes:
    changed = bytearray(content)
    for at, value in edits:
        changed[at] = value
    return bytes(changed[:end])


any_bytes = st.binary(max_size=400)
near_wav = st.builds(
    mutated,
    st.just(GOOD),
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(GOOD)),
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(any_bytes, near_wav))
@example(GOOD)
@example(b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 100)
def test_any_bytes_give_samples_within_the_file_or_an_audio_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.wav"
    path.write_bytes(content)
    try:
        read = open_wav(path, channels=1)
    except AudioError:
        return
    assert len(samples_of(read, block=3)) == read.frames
    assert read.data_at + 2 * read.frames <= len(content)
