"""Owns rendering: a filled text becomes audio files and a manifest in a directory the caller names.

Rule: the manifest is written last, so a rendering that was broken off is never taken for a whole one.
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import soundfile
from numpy.typing import NDArray

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.level import cut_silence, level, resample
from asterisk_consent.prompts.rendered import (
    MANIFEST,
    PLACEHOLDER,
    SUFFIXES,
    WAV_RATE,
    Manifest,
    ManifestPart,
    PromptSet,
    announcement_digest,
    prompt_set,
)
from asterisk_consent.prompts.speech import speak
from asterisk_consent.prompts.text import PARTS, AnnouncementText, fill_text

_WIDE_RATE = 16000
_DIRECTORY_MODE, _FILE_MODE = 0o755, 0o644
"""An announcement is public, and Asterisk reads it as another user: whatever the umask, it must be able to."""


def render_prompts(
    *, text: AnnouncementText, values: Mapping[str, str], directory: Path, voice: str
) -> PromptSet:
    """Fill ``text`` with ``values``, render every part and write files and manifest to ``directory``.

    :raises ConfigError: where a place of the text has no value.
    :raises AudioError: where it cannot be spoken or written.
    """
    filled = fill_text(text, values)
    rendered = {name: _render_part(getattr(filled, name), voice) for name in PARTS}
    parts = {name: part for name, (part, _) in rendered.items()}
    manifest = Manifest(
        language=text.language,
        name=text.name,
        reviewed_by=text.reviewed_by,
        voice=f"{PLACEHOLDER} {voice}",
        digest=announcement_digest(parts),
        parts=parts,
    )
    try:
        _make_directory(directory)
        for name, (_, files) in rendered.items():
            for suffix, content in files.items():
                _replace(directory / f"{name}{suffix}", content)
        _replace(directory / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    except OSError as error:
        raise AudioError(
            f"the announcement cannot be written: {error.strerror}",
            where=str(directory),
            remedy="Run the command as the user of the service",
        ) from error
    return prompt_set(directory, manifest)


def _render_part(spoken: str, voice: str) -> tuple[ManifestPart, dict[str, bytes]]:
    segment = level(cut_silence(speak(spoken, voice=voice)))
    narrow = resample(segment, WAV_RATE)
    files = {
        ".wav": _encode(narrow, WAV_RATE, "WAV", "PCM_16"),
        ".alaw": _encode(narrow, WAV_RATE, "RAW", "ALAW"),
        ".ulaw": _encode(narrow, WAV_RATE, "RAW", "ULAW"),
        ".sln16": resample(segment, _WIDE_RATE).astype("<i2").tobytes(),
    }
    digests = {suffix: hashlib.sha256(files[suffix]).hexdigest() for suffix in SUFFIXES}
    duration_ms = round(len(narrow) * 1000 / WAV_RATE)
    return ManifestPart(text=spoken, duration_ms=duration_ms, files=digests), files


def _encode(samples: NDArray[np.int16], rate: int, file_format: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=file_format, subtype=subtype)
    return buffer.getvalue()


def _make_directory(directory: Path) -> None:
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in missing:
        path.chmod(_DIRECTORY_MODE)


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.chmod(_FILE_MODE)
    partial.replace(path)
