"""Owns the measuring of announcements: how loud, how long and how silent at the ends, and what is wrong with it.

Rule: measured is what Asterisk plays, decoded again, in every format.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.form import PAUSE
from asterisk_consent.prompts.formats import RATES, decode
from asterisk_consent.prompts.level import (
    LOUDNESS_LUFS,
    MARGIN_MS,
    PEAK_DBFS,
    TOLERANCE_LU,
    segment_of,
    silence_ms,
)
from asterisk_consent.prompts.loudness import loudness_lufs, peak_dbfs
from asterisk_consent.prompts.rendered import ESSENTIAL, SUFFIXES, Prompt, PromptSet
from asterisk_consent.prompts.watched import MAKE_AGAIN, WatchedFiles

LONGEST_MS = 20_000
"""How long a part may be: a caller waits, and cannot skip what was not said yet."""
LONGEST_INFORMATION_MS = 60_000
LONGEST_SILENCE_MS = MARGIN_MS + 100
"""How long the silence before and after the speech may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMeasure:
    """What was measured in one audio file."""

    loudness_lufs: float
    """ITU-R BS.1770-4; minus infinity where nothing can be heard."""
    peak_dbfs: float
    duration_ms: int
    silence_before_ms: int
    silence_after_ms: int


def measure(prompts: PromptSet) -> dict[str, PartMeasure]:
    """Measure every part of an announcement, in its ``.wav`` file.

    :raises AudioError: where a file cannot be read.
    """
    return {name: _measure_file(part, ".wav") for name, part in prompts.parts.items()}


def audio_problems(prompts: PromptSet) -> list[str]:
    """Say what is wrong with the sound of an announcement, one sentence a problem; nothing where it is right.

    :raises AudioError: where a file cannot be read.
    """
    problems = []
    for name, part in prompts.parts.items():
        if name == PAUSE:
            continue
        files = {suffix: _measure_file(part, suffix) for suffix in SUFFIXES}
        problems += level_problems(name, files) + _silence_problems(name, files)
        problems += _length_problems(name, files[".wav"]) + _original_problems(part)
    return problems


def measure_audio(content: bytes, suffix: str) -> PartMeasure:
    """Measure an audio file in the format of ``suffix``.

    :raises AudioError: where it is not in that format.
    """
    samples, rate = decode(content, suffix), RATES[suffix]
    before, after = silence_ms(segment_of(samples, rate))
    return PartMeasure(
        loudness_lufs=loudness_lufs(samples, rate),
        peak_dbfs=peak_dbfs(samples),
        duration_ms=round(len(samples) * 1000 / rate),
        silence_before_ms=before,
        silence_after_ms=after,
    )


def level_problems(part: str, files: Mapping[str, PartMeasure]) -> list[str]:
    """Say which files of a part are too loud or too quiet to stand beside the others, or reach the peak.

    :param files: what was measured, by suffix.
    """
    problems = []
    silent = [suffix for suffix, each in files.items() if each.loudness_lufs == float("-inf")]
    if silent:
        problems.append(f"{_files(part, silent)}: nothing can be heard. {MAKE_AGAIN}.")
    heard = {suffix: each for suffix, each in files.items() if suffix not in silent}
    louder = _above(heard, lambda each: each.loudness_lufs - LOUDNESS_LUFS, TOLERANCE_LU)
    quieter = _above(heard, lambda each: LOUDNESS_LUFS - each.loudness_lufs, TOLERANCE_LU)
    for word, off in (("louder", louder), ("quieter", quieter)):
        if off:
            problems.append(
                f"{_files(part, off)}: {max(off.values()):.1f} LU {word} than the {LOUDNESS_LUFS:g} LUFS"
                f" of every announcement. {MAKE_AGAIN}."
            )
    high = _above(heard, lambda each: each.peak_dbfs, PEAK_DBFS)
    if high:
        problems.append(
            f"{_files(part, high)}: a peak of {max(high.values()):.1f} dBFS, above {PEAK_DBFS:g} dBFS,"
            f" may be heard distorted. {MAKE_AGAIN}."
        )
    return problems


def _silence_problems(part: str, files: Mapping[str, PartMeasure]) -> list[str]:
    problems = []
    heard = {suffix: each for suffix, each in files.items() if each.loudness_lufs != float("-inf")}
    before = _above(heard, lambda each: each.silence_before_ms, LONGEST_SILENCE_MS)
    after = _above(heard, lambda each: each.silence_after_ms, LONGEST_SILENCE_MS)
    for where, found in (("before", before), ("after", after)):
        if found:
            problems.append(
                f"{_files(part, found)}: {max(found.values()) / 1000:.2f} s of silence {where} the speech,"
                f" more than {LONGEST_SILENCE_MS / 1000:.2f} s. {MAKE_AGAIN}."
            )
    return problems


def _length_problems(part: str, wav: PartMeasure) -> list[str]:
    longest_ms = LONGEST_INFORMATION_MS if part == ESSENTIAL else LONGEST_MS
    if wav.duration_ms <= longest_ms:
        return []
    lasts = f"lasts {wav.duration_ms / 1000:.1f} s, longer than {longest_ms / 1000:.0f} s"
    return [f"{part}: {lasts}. Shorten its text, or speak it faster."]


def _original_problems(part: Prompt) -> list[str]:
    if part.original is None:
        return []
    path = part.path_without_suffix.parent / part.original.file
    try:
        WatchedFiles().add(path, part.original.sha256)
    except AudioError:
        return [f"{path}: the studio recording is missing or was changed. Put it back from a copy."]
    return []


def _measure_file(part: Prompt, suffix: str) -> PartMeasure:
    path = part.path_without_suffix.with_name(part.path_without_suffix.name + suffix)
    try:
        return measure_audio(path.read_bytes(), suffix)
    except OSError as error:
        raise _unusable(f"the announcement cannot be read: {error.strerror}", path) from error
    except AudioError as error:
        raise _unusable(error.what, path) from error


def _unusable(what: str, path: Path) -> AudioError:
    return AudioError(what, where=str(path), remedy=MAKE_AGAIN)


def _above(
    files: Mapping[str, PartMeasure], value: Callable[[PartMeasure], float], limit: float
) -> dict[str, float]:
    return {suffix: value(each) for suffix, each in files.items() if value(each) > limit}


def _files(part: str, suffixes: Mapping[str, float] | list[str]) -> str:
    return ", ".join(f"{part}{suffix}" for suffix in suffixes)
