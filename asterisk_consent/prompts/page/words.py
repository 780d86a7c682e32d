"""Owns the words of a policy's page: ``<language>.toml`` beside this file, one for each language.

Rule: every language says everything, in sentences of its own; a language that is not there is refused with what to
add. A regional tag (``nl-BE``) has the words of its language unless it has a file of its own.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from asterisk_consent.errors import ConfigError
from asterisk_consent.policy import Term
from asterisk_consent.prompts.wording import known_tag

UNREVIEWED = "unreviewed"
"""What ``reviewed_by`` says where nobody has read the wording."""

_PACKAGE = "asterisk_consent.prompts.page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one language.

    :param sentences: by ``section.key``, places still between braces.
    """

    reviewed_by: str
    sentences: Mapping[str, str]

    def say(self, key: str, **values: str) -> str:
        """Give a sentence with its places filled."""
        return self.sentences[key].format_map(values)

    def term(self, term: Term) -> str:
        """Write a length of time."""
        return self.say(f"term.{term.unit}{'' if term.amount == 1 else 's'}", amount=str(term.amount))

    def day(self, day: date) -> str:
        """Write a date."""
        month = self.say("date.months").split()[day.month - 1]
        number = self.say("date.first") if day.day == 1 else str(day.day)
        return self.say("date.written", day=number, month=month, year=str(day.year))


def words_of(language: str) -> Words:
    """Give the words of ``language``, a tag such as ``nl`` or ``nl-BE``.

    :raises ConfigError: there are none.
    """
    known = page_languages()
    if tag := known_tag(language, known):
        return _words(tag)
    raise ConfigError(
        f"there are no words for a page in {language!r}; there are for: {', '.join(known)}",
        remedy=f"Add asterisk_consent/prompts/page/{language}.toml with the keys of en.toml",
    )


@cache
def page_languages() -> tuple[str, ...]:
    """Name every language that a page can be written in."""
    files = (file.name for file in resources.files(_PACKAGE).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


@cache
def _words(tag: str) -> Words:
    tables = tomllib.loads(resources.files(_PACKAGE).joinpath(f"{tag}.toml").read_text(encoding="utf-8"))
    reviewed_by = tables.pop("reviewed_by")
    sentences = {f"{section}.{key}": text for section, table in tables.items() for key, text in table.items()}
    return Words(reviewed_by=reviewed_by, sentences=sentences)
