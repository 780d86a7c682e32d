"""Owns rendered announcements on disk: the audio files of each part and the manifest beside them.

Rule: what is loaded is exactly what was rendered. Every file is compared with its digest, so that the digest
in an entry of the ledger stands for the text and the sound that the caller was given (GDPR art. 7(1)).

Digest of an announcement: SHA-256 over the line ``asterisk-consent announcement 1`` and, for each part it has,
in the order of :data:`~asterisk_consent.prompts.form.ORDER`, three lines: its name, the SHA-256 of its
canonical text, the SHA-256 of its ``.wav`` file. Digest of its words: SHA-256 over the line
``asterisk-consent words 1``, a line with the language and, for each part in the same order, two lines: its
name, the SHA-256 of its canonical text. Digests in lower-case hexadecimal, every line ended by a line feed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.form import ANNOUNCEMENT, ORDER, Form
from asterisk_consent.prompts.watched import MAKE_AGAIN, WatchedFiles

MANIFEST = "prompts.json"
SUFFIXES = (".wav", ".alaw", ".ulaw", ".sln16", ".g722")
"""Formats Asterisk plays without transcoding: linear, A-law and mu-law at 8 kHz, linear and G.722 at 16 kHz."""
ESSENTIAL = "information"
"""The part that every announcement has."""
PLACEHOLDER = "espeak-ng"
"""The first word of who spoke what was rendered and not spoken in a studio."""


class Original(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A studio recording as it was handed in; ``file`` is its path from the manifest's directory."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One part of an announcement, ready to be played."""

    path_without_suffix: Path
    duration_ms: int
    sha256: str
    """Of the ``.wav`` file."""
    text: str
    original: Original | None = None
    """The studio recording it was made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSet:
    """A rendered announcement."""

    language: str
    name: str
    reviewed_by: str
    spoken_by: str
    """The person in the studio, or the placeholder voice."""
    parts: Mapping[str, Prompt]
    """In the order of :data:`~asterisk_consent.prompts.form.ORDER`; not every announcement has all."""
    digest: str
    """Stands in the ledger for the text and the sound of all parts."""
    files: WatchedFiles = field(default_factory=WatchedFiles, compare=False, repr=False)

    @property
    def has_placeholder_voice(self) -> bool:
        """Whether a machine speaks that is not meant for real callers."""
        return self.spoken_by.startswith(PLACEHOLDER)

    @property
    def duration_s(self) -> float:
        """How long all its parts take."""
        return sum(part.duration_ms for part in self.parts.values()) / 1000

    @property
    def spoken(self) -> dict[str, str]:
        """The canonical text of each part by its name."""
        return {name: part.text for name, part in self.parts.items()}

    @property
    def text_digest(self) -> str:
        """The digest of its words alone, which another voice leaves as it is."""
        return text_digest(self.language, self.spoken)

    def unchanged(self) -> bool:
        """Tell whether its audio files still hold what was loaded; cheap enough before every call."""
        return self.files.unchanged()


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One part in the manifest; ``files`` maps each suffix to the SHA-256 of that file."""

    text: str
    duration_ms: int
    files: dict[str, str]
    original: Original | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of ``prompts.json``."""

    language: str
    name: str
    reviewed_by: str
    spoken_by: str
    digest: str
    parts: dict[str, ManifestPart]


def manifest_of(
    parts: Mapping[str, ManifestPart], *, language: str, name: str, reviewed_by: str, spoken_by: str
) -> Manifest:
    """Make the manifest of an announcement of these parts."""
    return Manifest(
        language=language,
        name=name,
        reviewed_by=reviewed_by,
        spoken_by=spoken_by,
        digest=announcement_digest(parts),
        parts={part: parts[part] for part in in_order(parts)},
    )


def announcement_digest(parts: Mapping[str, ManifestPart]) -> str:
    """Compute the digest of an announcement as the module's docstring defines it."""
    digest = hashlib.sha256(b"asterisk-consent announcement 1\n")
    for name in in_order(parts):
        digest.update(f"{name}\n{_sha256(parts[name].text)}\n{parts[name].files['.wav']}\n".encode())
    return digest.hexdigest()


def text_digest(language: str, spoken: Mapping[str, str]) -> str:
    """Compute the digest of the words of an announcement as the module's docstring defines it.

    :param spoken: the canonical text of each part by its name.
    """
    digest = hashlib.sha256(f"asterisk-consent words 1\n{language}\n".encode())
    for name in in_order(spoken):
        digest.update(f"{name}\n{_sha256(spoken[name])}\n".encode())
    return digest.hexdigest()


def in_order(parts: Iterable[str]) -> list[str]:
    """Give the names of parts in the order in which digests are taken over them."""
    return sorted(parts, key=ORDER.index)


def part_problems(parts: Iterable[str], form: Form = ANNOUNCEMENT) -> list[str]:
    """Say what keeps parts of these names from being an announcement, or what else is spoken."""
    given = set(parts)
    problems = [f"there is no {name}" for name in form.parts if name in form.needed - given]
    return problems + [f"there is no part named {name}" for name in sorted(given - set(form.parts))]


def load_prompt_set(directory: Path, form: Form = ANNOUNCEMENT) -> PromptSet:
    """Load the announcement, or what else is spoken, rendered into ``directory``.

    :raises AudioError: where the manifest or a file is missing, empty, or not what was rendered.
    """
    manifest = _read_manifest(directory / MANIFEST)
    if part_problems(manifest.parts, form) or any(
        set(part.files) != set(SUFFIXES) or part.duration_ms <= 0 for part in manifest.parts.values()
    ):
        raise _not_rendered("the manifest is incomplete", directory / MANIFEST)
    if announcement_digest(manifest.parts) != manifest.digest:
        raise _not_rendered("the manifest was changed after rendering", directory / MANIFEST)
    files = WatchedFiles()
    for name, part in manifest.parts.items():
        for suffix, expected in part.files.items():
            files.add(directory / f"{name}{suffix}", expected)
    return _prompt_set(directory, manifest, files)


def _prompt_set(directory: Path, manifest: Manifest, files: WatchedFiles) -> PromptSet:
    return PromptSet(
        language=manifest.language,
        name=manifest.name,
        reviewed_by=manifest.reviewed_by,
        spoken_by=manifest.spoken_by,
        digest=manifest.digest,
        parts={
            name: Prompt(
                path_without_suffix=directory / name,
                duration_ms=manifest.parts[name].duration_ms,
                sha256=manifest.parts[name].files[".wav"],
                text=manifest.parts[name].text,
                original=manifest.parts[name].original,
            )
            for name in in_order(manifest.parts)
        },
        files=files,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise _not_rendered(f"no rendered announcement: {error.strerror}", path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_rendered(f"the manifest cannot be read: {error}", path) from error


def _not_rendered(what: str, path: Path) -> AudioError:
    return AudioError(what, where=str(path), remedy=MAKE_AGAIN)
