"""Announcements without a voice: the files and the manifest that rendering writes, of made-up bytes, at once."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from asterisk_consent.policy import Policy
from asterisk_consent.prompts.form import ANNOUNCEMENT, Form
from asterisk_consent.prompts.production import write_announcement
from asterisk_consent.prompts.rendered import (
    SUFFIXES,
    ManifestPart,
    PromptSet,
    in_order,
    manifest_of,
)
from asterisk_consent.prompts.review import spoken_announcement

DURATION_MS = 1_000


def make_announcement(
    directory: Path,
    spoken: Mapping[str, str],
    *,
    language: str,
    name: str = "made",
    voice: str = "nobody",
    form: Form = ANNOUNCEMENT,
) -> PromptSet:
    """Write an announcement that says ``spoken``; another voice makes other bytes of the same words."""
    parts: dict[str, ManifestPart] = {}
    files: dict[str, bytes] = {}
    for part in in_order(spoken):
        content = {suffix: f"{voice} {suffix} {spoken[part]}".encode() for suffix in SUFFIXES}
        digests = {suffix: hashlib.sha256(each).hexdigest() for suffix, each in content.items()}
        parts[part] = ManifestPart(text=spoken[part], duration_ms=DURATION_MS, files=digests)
        files |= {f"{part}{suffix}": each for suffix, each in content.items()}
    manifest = manifest_of(parts, language=language, name=name, reviewed_by="unreviewed", spoken_by=voice)
    return write_announcement(directory, manifest, files, form)


def make_announcements(
    directory: Path, policy: Policy, *, texts: Path, voice: str = "nobody"
) -> dict[str, PromptSet]:
    """Write what a policy and its texts say into ``directory``, one announcement a language."""
    made = {}
    for language in policy.languages:
        _, spoken = spoken_announcement(policy, language, texts)
        made[language] = make_announcement(
            directory / language, spoken, language=language, name=policy.text, voice=voice
        )
    return made
