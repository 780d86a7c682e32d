"""Owns the placeholder voice: text to 16-bit mono samples by espeak-ng.

Rule: the text reaches espeak-ng on its standard input and the voice as one checked word, so neither can be
read as an option or a path. Source: ``espeak-ng --help``; of the free voices that need no network, only
espeak-ng's speak Dutch and Norwegian.
"""

import io
import re
import subprocess
import tempfile
import warnings
from pathlib import Path

from asterisk_consent.errors import AudioError

with warnings.catch_warnings():
    # pydub warns on import: without ffmpeg, which WAV does not need, and of audioop before Python 3.13.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment as AudioSegment

WORDS_PER_MINUTE = 160
"""espeak-ng's own 175 is hard to follow on a telephone line."""

_VOICE = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*(\+[a-z0-9]+)?", re.ASCII | re.IGNORECASE)
_LIMIT_S = 60.0


def speak(spoken: str, *, voice: str) -> AudioSegment:
    """Say ``spoken`` with the espeak-ng voice ``voice`` (``nl``, ``nb``, ``en-gb``).

    :raises AudioError: where espeak-ng is absent, does not know the voice or says nothing.
    """
    if not _VOICE.fullmatch(voice):
        raise AudioError(f"{voice!r} is not the name of a voice", remedy="See: espeak-ng --voices")
    with tempfile.TemporaryDirectory(prefix="asterisk-consent-") as folder:
        path = Path(folder) / "speech.wav"
        _run_espeak(spoken, voice, path)
        try:
            segment = AudioSegment.from_file(io.BytesIO(path.read_bytes()), format="wav")
        except Exception as error:  # pydub raises bare Exception and struct.error for what is not WAV
            raise AudioError("espeak-ng wrote no readable audio", where=voice) from error
    if segment.channels != 1 or segment.sample_width != 2 or segment.rms == 0:
        raise AudioError("espeak-ng said nothing that can be heard", where=voice)
    return segment


def _run_espeak(spoken: str, voice: str, path: Path) -> None:
    command = ["espeak-ng", "-v", voice, "-s", str(WORDS_PER_MINUTE), "-b", "1", "--stdin", "-w", str(path)]
    try:
        done = subprocess.run(
            command, input=spoken.encode(), capture_output=True, timeout=_LIMIT_S, check=False
        )
    except FileNotFoundError as error:
        raise AudioError(
            "espeak-ng is not installed",
            remedy="Install it: apt-get install espeak-ng, or dnf install espeak-ng",
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudioError(f"espeak-ng did not finish: {error}", where=voice) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise AudioError(f"espeak-ng failed: {said}", where=voice, remedy="See: espeak-ng --voices")
