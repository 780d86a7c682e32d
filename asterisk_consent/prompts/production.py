"""Owns the making of an announcement's files, of whatever spoke it: each part in every format, and the manifest.

Rule: nothing is written before everything is made and measured. A file takes its name only once its content
is whole on disk, the manifest last, so what was broken off is never taken for a whole announcement.
"""

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.form import ANNOUNCEMENT, Form
from asterisk_consent.prompts.formats import RATES, encode
from asterisk_consent.prompts.level import cut_silence, level, resample, samples_of
from asterisk_consent.prompts.measure import level_problems, measure_audio
from asterisk_consent.prompts.rendered import (
    MANIFEST,
    SUFFIXES,
    Manifest,
    ManifestPart,
    Original,
    PromptSet,
    load_prompt_set,
)

_DIRECTORY_MODE, _FILE_MODE = 0o755, 0o644
"""An announcement is public, and Asterisk reads it as another user: whatever the umask, it must be able to."""


PAUSE_MS = 450


def make_part(
    name: str, speech: Any, *, text: str, original: Original | None = None
) -> tuple[ManifestPart, dict[str, bytes]]:
    """Make the part ``name`` of a pydub segment: its place in the manifest and its files by suffix.

    :raises AudioError: where it cannot be brought to the loudness of every announcement.
    """
    # Levelled before too: what counts as silence is then as far below the speech in every recording.
    spoken = cut_silence(level(speech))
    at_rate = {rate: samples_of(level(resample(spoken, rate))) for rate in sorted(set(RATES.values()))}
    files = {suffix: encode(at_rate[RATES[suffix]], suffix) for suffix in SUFFIXES}
    measured = {suffix: measure_audio(content, suffix) for suffix, content in files.items()}
    if problems := level_problems(name, measured):
        raise AudioError("\n".join(problems))
    part = ManifestPart(
        text=text,
        duration_ms=measured[".wav"].duration_ms,
        files={suffix: hashlib.sha256(content).hexdigest() for suffix, content in files.items()},
        original=original,
    )
    return part, files


def make_pause() -> tuple[ManifestPart, dict[str, bytes]]:
    """Make the silence between groups of digits: its place in the manifest and its files by suffix."""
    samples = {rate: np.zeros(rate * PAUSE_MS // 1000) for rate in set(RATES.values())}
    files = {suffix: encode(samples[RATES[suffix]], suffix) for suffix in SUFFIXES}
    digests = {suffix: hashlib.sha256(content).hexdigest() for suffix, content in files.items()}
    return ManifestPart(text="", duration_ms=PAUSE_MS, files=digests), files


def write_announcement(
    directory: Path, manifest: Manifest, files: Mapping[str, bytes], form: Form = ANNOUNCEMENT
) -> PromptSet:
    """Write an announcement, or what else is spoken, into ``directory`` in place of the one there, and load it.

    :param files: the content of each file by its path from ``directory``.
    :raises AudioError: where it cannot be written; what was there before is then as it was, unless the
        disk failed while names were being changed.
    """
    content = {**files, MANIFEST: msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"}
    gone = [f"{name}{suffix}" for name in form.parts if name not in manifest.parts for suffix in SUFFIXES]
    try:
        _replace(directory, content)
        for name in gone:
            (directory / name).unlink(missing_ok=True)
    except OSError as error:
        raise AudioError(
            f"the announcement cannot be written: {error.strerror}",
            where=str(directory),
            remedy="Run the command as the user of the service, and see that the disk has room",
        ) from error
    return load_prompt_set(directory, form)


def _replace(directory: Path, content: Mapping[str, bytes]) -> None:
    with ExitStack() as partials:
        written = []
        for name, each in content.items():
            path = directory / name
            _make_directory(path.parent)
            partial = path.with_name(f".{path.name}.part")
            partials.callback(partial.unlink, missing_ok=True)
            partial.write_bytes(each)
            partial.chmod(_FILE_MODE)
            written.append((partial, path))
        for partial, path in written:
            partial.replace(path)


def _make_directory(directory: Path) -> None:
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in missing:
        path.chmod(_DIRECTORY_MODE)
