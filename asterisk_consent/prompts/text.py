"""Owns the texts of announcements: reading ``sounds/<language>/<name>.toml`` and filling their named places.

A text is written by duty: each part is a table whose keys name what their sentence tells the caller, in the
order spoken, so that what the law wants said can be found in it (GDPR art. 13). A part is spoken as its
sentences joined by a space.

Rule: a text is filled completely or not at all, and every problem is reported at once; what is announced must
be what the policy says.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import ConfigError
from asterisk_consent.prompts.form import ANNOUNCEMENT, Form
from asterisk_consent.prompts.wording import spoken_digit

DUTIES = ANNOUNCEMENT.duties
"""What the sentences of each part of an announcement may tell, by part and duty."""

PARTS = ANNOUNCEMENT.parts
"""The parts an announcement may have, in the order in which they are played; only the information is always there."""

PLACES = ANNOUNCEMENT.places
"""What an announcement may name between braces."""

PLACE = re.compile(r"\{([^{}]*)\}")
"""A place in a sentence; its name is the group."""

_DIGIT = re.compile(r"[0-9*#]")
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementText:
    """An announcement as it was written, places not yet filled."""

    language: str
    name: str
    reviewed_by: str
    """Who has reviewed the wording; ``unreviewed`` where nobody has."""
    parts: Mapping[str, Mapping[str, str]]
    """The sentences by part and duty, in the order spoken."""

    @property
    def file(self) -> str:
        """Name the file below ``sounds`` that the text is in."""
        return f"{self.language}/{self.name}.toml"


def load_text(path: Path, form: Form = ANNOUNCEMENT) -> AnnouncementText:
    """Read the text at ``<language>/<name>.toml``.

    :raises ConfigError: with every problem of the file.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the announcement text cannot be read: {error}", where=str(path)) from error
    return parse_text(source, language=path.parent.name, name=path.stem, form=form)


def parse_text(source: str, *, language: str, name: str, form: Form = ANNOUNCEMENT) -> AnnouncementText:
    """Make an announcement of the TOML in ``source``.

    :raises ConfigError: with every problem found, one a line.
    """
    where = f"{language}/{name}.toml"
    try:
        fields = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=where) from error
    if problems := list(_problems_of_file(fields, form)):
        raise ConfigError("\n".join(problems), where=where)
    return AnnouncementText(
        language=language,
        name=name,
        reviewed_by=fields["reviewed_by"],
        parts={part: fields[part] for part in form.parts if part in fields},
    )


def fill_text(text: AnnouncementText, values: Mapping[str, str], parts: Iterable[str]) -> dict[str, str]:
    """Give what is spoken in each of ``parts``, in canonical form, with ``values`` in the places.

    A digit is given as on the telephone or as it is spoken; ``*`` and ``#`` are spoken as the text's language calls
    them. Values that these parts do not name are ignored.

    :raises ConfigError: naming every part that is not written and every place without a usable value.
    """
    asked = list(parts)
    problems = [f"no part {part} is written" for part in asked if part not in text.parts]
    written = {part: " ".join(text.parts[part].values()) for part in asked if part in text.parts}
    spoken = {}
    for place in sorted({place for sentences in written.values() for place in PLACE.findall(sentences)}):
        try:
            spoken[place] = _spoken_value(place, values.get(place, ""), text.language)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems), where=text.file)
    return {
        part: canonical(PLACE.sub(lambda match: spoken[match[1]], sentences))
        for part, sentences in written.items()
    }


def canonical(spoken: str) -> str:
    """Give the one form of ``spoken`` that digests are taken over: NFC, every run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", spoken).split())


def _problems_of_file(fields: Mapping[str, object], form: Form) -> Iterator[str]:
    reviewer = fields.get("reviewed_by")
    if reviewer is None:
        yield "no reviewed_by: name who has reviewed the wording, or write 'unreviewed'"
    elif not (isinstance(reviewer, str) and reviewer.strip()):
        yield "reviewed_by must be a text that is not empty"
    for part in form.parts:
        if part in form.needed and part not in fields:
            yield f"no part {part}"
    for part, sentences in fields.items():
        if part == "reviewed_by":
            continue
        if part not in form.duties:
            yield f"unknown part {part}; known are: {', '.join(form.parts)}"
        elif not (isinstance(sentences, dict) and sentences):
            yield f"{part} must be a table [{part}] of sentences; they are: {', '.join(form.duties[part])}"
        else:
            for duty, sentence in sentences.items():
                yield from _problems_of_sentence(part, duty, sentence, form)


def _problems_of_sentence(part: str, duty: str, sentence: object, form: Form) -> Iterator[str]:
    where = f"{part}.{duty}"
    if duty not in form.duties[part]:
        yield f"unknown sentence {where}; known in {part} are: {', '.join(form.duties[part])}"
    if not (isinstance(sentence, str) and sentence.strip()):
        yield f"{where} must be a text that is not empty"
        return
    for place in sorted(set(PLACE.findall(sentence)) - form.places):
        yield f"{where} names the unknown place {{{place}}}; known are: {', '.join(sorted(form.places))}"
    if re.search(r"[{}]", PLACE.sub("", sentence)):
        yield f"{where} has a brace that is not part of a place"
    if _UNSPEAKABLE.search(sentence):
        yield f"{where} holds characters that cannot be spoken"


def _spoken_value(place: str, value: str, language: str) -> str:
    if not value.strip():
        raise ConfigError(f"no value for {{{place}}}")
    if _UNSPEAKABLE.search(value):
        raise ConfigError(f"the value for {{{place}}} holds characters that cannot be spoken")
    if not place.endswith("_digit"):
        return value
    if _DIGIT.fullmatch(value):
        return spoken_digit(value, language)
    if value not in (spoken_digit("*", language), spoken_digit("#", language)):
        raise ConfigError(f"the value for {{{place}}} is {value!r}, not one of 0-9, * and #")
    return value
