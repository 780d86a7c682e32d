"""What is sealed comes back, to those it was sealed to only, and no error of a file is lost on the way."""

import errno
import hashlib
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import KeysError
from asterisk_consent.vault.age import (
    Identity,
    is_recipient,
    lines_that_count,
    seal,
    seal_stream,
    unseal,
    unseal_stream,
)

ONE, TWO, OTHER = (Identity.generate() for _ in range(3))


class Full(io.BytesIO):
    """A file on a disk that is full from some byte on."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, content: object) -> int:
        assert isinstance(content, bytes)
        self.room -= len(content)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


class Broken(io.BytesIO):
    """A file on a disk that cannot be read from some byte on."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 50_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


@given(st.binary(max_size=400))
def test_each_recipient_opens_what_was_sealed_and_nobody_else_does(content: bytes) -> None:
    sealed = seal(content, [ONE.recipient, TWO.recipient])
    assert unseal(sealed, [ONE]) == unseal(sealed, [OTHER, TWO]) == content
    with pytest.raises(KeysError, match="cannot be opened"):
        unseal(sealed, [OTHER])


@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
def test_a_stream_comes_back_with_the_digest_of_what_is_sealed(length: int) -> None:
    content, sealed, opened = os.urandom(length), io.BytesIO(), io.BytesIO()
    digest = seal_stream(io.BytesIO(content), sealed, [ONE.recipient])
    assert digest == hashlib.sha256(sealed.getvalue()).hexdigest()
    sealed.seek(0)
    assert unseal_stream(sealed, opened, ONE) == digest
    assert opened.getvalue() == content


@pytest.mark.parametrize("change", ["cut", "flip", "nothing"])
def test_a_stream_that_was_changed_does_not_open(change: str) -> None:
    sealed = io.BytesIO()
    seal_stream(io.BytesIO(bytes(200_000)), sealed, [ONE.recipient])
    content = bytearray(sealed.getvalue())
    content = content[:-70_000] if change == "cut" else content
    content[-5] ^= change == "flip"
    with pytest.raises(KeysError, match="cannot be opened"):
        unseal_stream(io.BytesIO(bytes(content)), io.BytesIO(), OTHER if change == "nothing" else ONE)


@pytest.mark.parametrize("room", [0, 150, 60_000, 100_000])
@pytest.mark.parametrize("length", [1_000, 200_000])
def test_a_full_disk_is_never_taken_for_success(room: int, length: int) -> None:
    """The very last write is the one whose error the library forgets."""
    with pytest.raises(OSError, match="No space left"):
        seal_stream(io.BytesIO(bytes(length)), Full(min(room, length)), [ONE.recipient])


def test_a_full_disk_while_opening_and_a_disk_that_cannot_be_read_are_errors_of_the_disk() -> None:
    sealed = io.BytesIO()
    seal_stream(io.BytesIO(bytes(200_000)), sealed, [ONE.recipient])
    with pytest.raises(OSError, match="No space left"):
        unseal_stream(io.BytesIO(sealed.getvalue()), Full(100_000), ONE)
    with pytest.raises(OSError, match="Input/output"):
        unseal_stream(Broken(sealed.getvalue()), io.BytesIO(), ONE)
    with pytest.raises(OSError, match="Input/output"):
        seal_stream(Broken(bytes(200_000)), io.BytesIO(), [ONE.recipient])


@given(
    st.one_of(
        st.binary(max_size=300), st.binary(max_size=200).map(lambda b: seal(b"x", [ONE.recipient])[:200] + b)
    )
)
def test_any_bytes_open_or_are_refused(content: bytes) -> None:
    with pytest.raises(KeysError):
        unseal(content, [ONE])


@given(st.text(max_size=80))
def test_any_text_is_refused_as_a_key_and_not_repeated(text: str) -> None:
    assert not is_recipient(text)
    with pytest.raises(KeysError) as caught:
        Identity.read(text)
    assert len(text) < 8 or text not in str(caught.value)


def test_a_private_half_is_not_shown() -> None:
    assert ONE.secret not in repr(ONE)
    assert Identity.read(ONE.secret) == ONE
    assert is_recipient(ONE.recipient)
    assert not is_recipient(ONE.secret)


def test_comments_and_empty_lines_do_not_count() -> None:
    assert lines_that_count("# a\n\n  b \r\n#c\nd") == [(3, "b"), (5, "d")]
