"""The picture of a recording shows who sounded when, and how loudly."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.vault.kept import open_kept
from asterisk_consent.vault.loudness import BARS, draw, picture_audio
from tests.vault.keyring import Keyring
from tests.vault.tones import AGENT_HZ, CALLER_HZ, RECORDING, joined, silence, tone, write_side


def test_the_picture_shows_which_side_sounded_when(spool: Path, vault: Path, keyring: Keyring) -> None:
    write_side(spool, "caller", joined(tone(CALLER_HZ, 10.0), silence(10.0)))
    write_side(spool, "agent", joined(silence(10.0), tone(AGENT_HZ, 10.0)))
    keyring.close(spool, vault)
    with open_kept(RECORDING, vault, keyring.audio_key()) as audio:
        picture = picture_audio(audio, width=20)

    assert picture.caller[:10].strip()
    assert len(set(picture.caller[:10])) == 1
    assert picture.caller[10:] == " " * 10
    assert picture.agent == picture.caller[::-1]
    assert picture.duration_ms == 20_000


def test_a_recording_shorter_than_the_picture_is_drawn_narrower(
    spool: Path, vault: Path, keyring: Keyring
) -> None:
    write_side(spool, "caller", tone(CALLER_HZ, 0.05))
    write_side(spool, "agent", tone(AGENT_HZ, 0.05))
    keyring.close(spool, vault)
    with open_kept(RECORDING, vault, keyring.audio_key()) as audio:
        assert len(picture_audio(audio, width=40).caller) == 3


@pytest.mark.parametrize(("dbfs", "bar"), [(0, "█"), (-59, "▁"), (-90, "▁"), (-29, "▅")])
def test_a_louder_sound_has_a_higher_bar(dbfs: float, bar: str) -> None:
    assert draw(np.array([10 ** (dbfs / 10)]), width=1) == bar


def test_digital_silence_is_blank() -> None:
    assert draw(np.zeros(3), width=3) == "   "


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(1, 80))
def test_a_picture_is_never_wider_than_asked(power: list[float], width: int) -> None:
    drawn = draw(np.array(power, dtype=np.float64), width=width)
    assert len(drawn) == min(width, len(power))
    assert set(drawn) <= set(BARS) | {" "}
