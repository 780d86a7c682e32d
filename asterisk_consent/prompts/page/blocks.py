"""What a page is made of, before it becomes text or HTML. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Another page; ``href`` is empty where there is none to go to."""

    text: str
    href: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words, with their language where it is not the page's."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Sentences that belong together."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A list."""

    items: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name, and what holds for it: one or more lines."""

    name: str
    lines: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A list of names and what holds for each; ``digits`` where the names are pressed."""

    items: tuple[Fact, ...]
    digits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What is said to the caller, word for word."""

    name: str
    phrases: tuple[Phrase, ...]


Block = Paragraph | Points | Facts | Spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands below it; ``id`` is unique on the page."""

    id: str
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A policy in one language, for people who call.

    :param note: what the page is about, below its title; empty where that goes without saying.
    :param title: of the document; ``heading`` is what stands above the page.
    """

    language: str
    title: str
    heading: str
    owner: str
    note: str
    contents: str
    other_languages: str
    sections: tuple[Section, ...]
