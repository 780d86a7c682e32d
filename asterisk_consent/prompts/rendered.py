"""Owns rendered announcements on disk: the audio files of each part and the manifest beside them.

Rule: what is loaded is exactly what was rendered. Every file is compared with its digest, so that the digest
in an entry of the ledger stands for the text and the sound that the caller was given (GDPR art. 7(1)).

Digest of an announcement: SHA-256 over the line ``asterisk-consent announcement 1`` and, for each part in the
order of :data:`~asterisk_consent.prompts.text.PARTS`, three lines: its name, the SHA-256 of its canonical
text, the SHA-256 of its ``.wav`` file. Digests in lower-case hexadecimal, every line ended by a line feed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.text import PARTS

MANIFEST = "prompts.json"
SUFFIXES = (".wav", ".alaw", ".ulaw", ".sln16")
"""Formats Asterisk plays without transcoding: linear, A-law and mu-law at 8 kHz, linear at 16 kHz."""
WAV_RATE = 8000
PLACEHOLDER = "espeak-ng"
"""The first word of the voice of what was rendered and not spoken in a studio."""

_RENDER_AGAIN = "Render the announcements again: asterisk-consent prompts render"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One part of an announcement, ready to be played."""

    path_without_suffix: Path
    duration_ms: int
    sha256: str
    """Of the ``.wav`` file."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSet:
    """A rendered announcement."""

    language: str
    name: str
    reviewed_by: str
    voice: str
    parts: Mapping[str, Prompt]
    digest: str
    """Stands in the ledger for the text and the sound of all parts."""

    @property
    def has_placeholder_voice(self) -> bool:
        """Whether a machine speaks that is not meant for real callers."""
        return self.voice.startswith(PLACEHOLDER)


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part in the manifest; ``files`` maps each suffix to the SHA-256 of that file."""

    text: str
    duration_ms: int
    files: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of ``prompts.json``."""

    language: str
    name: str
    reviewed_by: str
    voice: str
    digest: str
    parts: dict[str, ManifestPart]


def announcement_digest(parts: Mapping[str, ManifestPart]) -> str:
    """Compute the digest of an announcement as the module's docstring defines it."""
    digest = hashlib.sha256(b"asterisk-consent announcement 1\n")
    for name in PARTS:
        text = hashlib.sha256(parts[name].text.encode()).hexdigest()
        digest.update(f"{name}\n{text}\n{parts[name].files['.wav']}\n".encode())
    return digest.hexdigest()


def load_prompt_set(directory: Path) -> PromptSet:
    """Load the announcement rendered into ``directory``.

    :raises AudioError: where the manifest or a file is missing, empty, or not what was rendered.
    """
    manifest = _read_manifest(directory / MANIFEST)
    if set(manifest.parts) != set(PARTS) or any(
        set(part.files) != set(SUFFIXES) or part.duration_ms <= 0 for part in manifest.parts.values()
    ):
        raise _not_rendered("the manifest is incomplete", directory / MANIFEST)
    if announcement_digest(manifest.parts) != manifest.digest:
        raise _not_rendered("the manifest was changed after rendering", directory / MANIFEST)
    for name in PARTS:
        for suffix, expected in manifest.parts[name].files.items():
            _check_file(directory / f"{name}{suffix}", expected)
    return prompt_set(directory, manifest)


def prompt_set(directory: Path, manifest: Manifest) -> PromptSet:
    """Make the values the service works with from a complete manifest."""
    return PromptSet(
        language=manifest.language,
        name=manifest.name,
        reviewed_by=manifest.reviewed_by,
        voice=manifest.voice,
        digest=manifest.digest,
        parts={
            name: Prompt(
                path_without_suffix=directory / name,
                duration_ms=manifest.parts[name].duration_ms,
                sha256=manifest.parts[name].files[".wav"],
                text=manifest.parts[name].text,
            )
            for name in PARTS
        },
    )


def _read_manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise _not_rendered(f"no rendered announcement: {error.strerror}", path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_rendered(f"the manifest cannot be read: {error}", path) from error


def _check_file(path: Path, expected: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _not_rendered(f"the announcement cannot be read: {error.strerror}", path) from error
    if not content:
        raise _not_rendered("the announcement is empty", path)
    if hashlib.sha256(content).hexdigest() != expected:
        raise _not_rendered("the announcement was changed after rendering", path)


def _not_rendered(what: str, path: Path) -> AudioError:
    return AudioError(what, where=str(path), remedy=_RENDER_AGAIN)
