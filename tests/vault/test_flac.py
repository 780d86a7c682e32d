"""Two channels as FLAC: every sample comes back, and what goes wrong with a file is not lost in the library."""

import errno
import io
import os
from collections.abc import Iterable
from contextlib import suppress

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError
from asterisk_consent.vault.flac import OpenedAudio, write_flac
from tests.vault.tones import AGENT_HZ, CALLER_HZ, RATE, tone

CALL = np.stack([tone(CALLER_HZ, 30.0), tone(AGENT_HZ, 30.0)], axis=1)


class Full(io.BytesIO):
    """A file on a disk that is full from some byte on."""

    room = 0

    def write(self, content: object) -> int:
        assert isinstance(content, bytes)
        if self.tell() + len(content) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


def written(blocks: Iterable[NDArray[np.int16]], frames: int, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    write_flac(file, blocks, frames=frames, rate=rate)
    return file.getvalue()


def samples(content: bytes, block: int) -> NDArray[np.int16]:
    audio = OpenedAudio(io.BytesIO(content), "a file")
    return np.concatenate([np.zeros((0, 2), dtype=np.int16), *audio.blocks(block)])


@settings(deadline=None)
@given(
    arrays.arrays(np.int16, st.tuples(st.integers(1, 400), st.just(2))),
    st.integers(1, 400),
    st.sampled_from([4000, 8000, 11_025, 16_000, 48_000, 192_000]),
)
def test_every_sample_comes_back_at_its_rate(block: NDArray[np.int16], step: int, rate: int) -> None:
    blocks = (block[at : at + step] for at in range(0, len(block), step))
    content = written(blocks, len(block), rate)
    assert np.array_equal(samples(content, step), block)
    assert OpenedAudio(io.BytesIO(content), "a file").rate == rate


def test_it_can_be_read_twice() -> None:
    audio = OpenedAudio(io.BytesIO(written([CALL], len(CALL))), "a file")
    assert [sum(len(block) for block in audio.blocks(999)) for _ in range(2)] == [len(CALL)] * 2


@pytest.mark.parametrize("room", [0, 10, 50, 9_000, 60_000])
def test_a_full_disk_is_an_error_of_the_disk(room: int) -> None:
    file = Full()
    file.room = room
    with pytest.raises(OSError, match="No space left"):
        write_flac(file, np.array_split(CALL, 10), frames=len(CALL), rate=RATE)


def test_fewer_samples_than_there_were_are_not_taken_for_all_of_them() -> None:
    with pytest.raises(AudioError, match="240000 frames were written, and 240001 were there"):
        written([CALL], len(CALL) + 1)


def test_a_block_that_cannot_be_read_is_told_as_it_is() -> None:
    def cut() -> Iterable[NDArray[np.int16]]:
        yield CALL[:100]
        raise AudioError("became shorter")

    with pytest.raises(AudioError, match="became shorter"):
        written(cut(), 200)


def test_one_channel_is_not_taken_for_two() -> None:
    file = io.BytesIO()
    soundfile.write(file, CALL[:100, 0], RATE, format="FLAC", subtype="PCM_16")
    with pytest.raises(AudioError, match="1 channels instead of 2"):
        samples(file.getvalue(), 10)


GOOD = written([CALL[:9000]], 9000)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.integers(0, len(GOOD)))
@settings(deadline=None)
def test_any_bytes_give_samples_or_an_audio_error(at: int, value: int, end: int) -> None:
    content = bytearray(GOOD)
    content[at] = value
    with suppress(AudioError):
        audio = OpenedAudio(io.BytesIO(bytes(content[:end])), "a file")
        if audio.frames <= 9000:
            assert sum(len(block) for block in audio.blocks(1000)) <= 9000
