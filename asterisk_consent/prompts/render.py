"""Owns rendering: the filled texts of an announcement become audio, spoken by the placeholder voice."""

from collections.abc import Mapping
from pathlib import Path

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.form import ANNOUNCEMENT, PAUSE, Form
from asterisk_consent.prompts.level import tame_peaks
from asterisk_consent.prompts.production import make_part, make_pause, write_announcement
from asterisk_consent.prompts.rendered import (
    PLACEHOLDER,
    PromptSet,
    in_order,
    manifest_of,
    part_problems,
)
from asterisk_consent.prompts.speech import speak


def render_prompts(
    *,
    spoken: Mapping[str, str],
    language: str,
    name: str,
    reviewed_by: str,
    directory: Path,
    voice: str,
    form: Form = ANNOUNCEMENT,
) -> PromptSet:
    """Render the parts in ``spoken`` and write files and manifest to ``directory``.

    :param spoken: canonical text by the name of its part, as
        :func:`~asterisk_consent.prompts.text.fill_text` gives it.
    :param voice: an espeak-ng voice (``nl``, ``nb``, ``en-gb``).
    :raises AudioError: where it cannot be spoken or written; nothing is written then.
    """
    if problems := part_problems(spoken, form):
        raise AudioError("\n".join(problems), where=f"{language}/{name}")
    made = {
        part: make_pause()
        if part == PAUSE
        else make_part(part, tame_peaks(speak(spoken[part], voice=voice)), text=spoken[part])
        for part in in_order(spoken)
    }
    manifest = manifest_of(
        {part: entry for part, (entry, _) in made.items()},
        language=language,
        name=name,
        reviewed_by=reviewed_by,
        spoken_by=f"{PLACEHOLDER} {voice}",
    )
    files = {
        f"{part}{suffix}": each for part, (_, by_suffix) in made.items() for suffix, each in by_suffix.items()
    }
    return write_announcement(directory, manifest, files, form)
