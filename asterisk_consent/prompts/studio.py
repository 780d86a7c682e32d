"""Owns the import of studio recordings: a person's voice becomes the same files that rendering writes.

Rule: all parts or none, every problem at once, and the recordings are kept as they came, under a name that
holds their digest: another import does not overwrite the originals of the one before.
"""

from collections.abc import Mapping
from pathlib import Path

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.level import segment_of
from asterisk_consent.prompts.production import make_part, write_announcement
from asterisk_consent.prompts.recording import Recording, read_recording, recording_problems
from asterisk_consent.prompts.rendered import (
    PLACEHOLDER,
    ManifestPart,
    Original,
    PromptSet,
    manifest_of,
    part_problems,
)

ORIGINALS = "originals"
"""The directory beside the announcement's files that keeps the recordings."""


def import_prompts(
    *,
    recordings: Mapping[str, Path],
    spoken: Mapping[str, str],
    language: str,
    name: str,
    reviewed_by: str,
    spoken_by: str,
    directory: Path,
) -> PromptSet:
    """Make the announcement in ``directory`` of one studio recording a part.

    :param recordings: WAV or FLAC file by the name of its part: mono or equal channels, 8 kHz or more.
    :param spoken: the canonical text that is spoken in each.
    :param spoken_by: the person who spoke.
    :raises AudioError: with every problem, one a line; nothing is written then.
    """
    problems = part_problems(spoken) + _person_problems(spoken_by)
    problems += [
        f"{part}: no recording was given for this part. Record it, it says: {spoken[part]}"
        for part in spoken
        if part not in recordings
    ]
    problems += [
        f"{part} ({recordings[part]}): the announcement has no such part. Leave it out"
        for part in recordings
        if part not in spoken
    ]
    parts: dict[str, ManifestPart] = {}
    files: dict[str, bytes] = {}
    for part in sorted(spoken.keys() & recordings.keys()):
        try:
            parts[part], of_part = _make(part, recordings[part], spoken[part])
            files |= of_part
        except AudioError as error:
            problems += [f"{part} ({recordings[part]}): {line}" for line in _lines(error)]
    if problems:
        raise AudioError("\n".join(problems), where=f"{language}/{name}")
    manifest = manifest_of(
        parts, language=language, name=name, reviewed_by=reviewed_by, spoken_by=spoken_by.strip()
    )
    return write_announcement(directory, manifest, files)


def _make(part: str, path: Path, text: str) -> tuple[ManifestPart, dict[str, bytes]]:
    recording = read_recording(path)
    if problems := recording_problems(recording):
        raise AudioError("\n".join(problems))
    original = _original(part, recording)
    # Audio in floats may go beyond full scale, and segments cannot.
    peak = max(1.0, float(abs(recording.samples).max()))
    segment = segment_of(recording.samples / peak, recording.rate)
    entry, made = make_part(part, segment, text=text, original=original)
    files = {f"{part}{suffix}": content for suffix, content in made.items()}
    return entry, {**files, original.file: recording.content}


def _original(part: str, recording: Recording) -> Original:
    file = f"{ORIGINALS}/{part}-{recording.sha256[:16]}{recording.suffix}"
    return Original(file=file, sha256=recording.sha256)


def _person_problems(spoken_by: str) -> list[str]:
    if not spoken_by.strip():
        return ["nobody is named who spoke. Name the person"]
    if spoken_by.strip().startswith(PLACEHOLDER):
        return [f"{PLACEHOLDER} is the placeholder voice. Name the person who spoke"]
    return []


def _lines(error: AudioError) -> list[str]:
    advice = f". {error.remedy}" if error.remedy else ""
    return f"{error.what}{advice}".split("\n")
