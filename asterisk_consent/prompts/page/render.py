"""Turns a page into text for a terminal and into one HTML file.

Rule: the HTML needs nothing but itself: no script, no other resource; every value in it is escaped (WCAG 2.2,
HTML Living Standard). Characters that would steer a terminal or reorder a line are written out in both.
"""

import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

import jinja2

from asterisk_consent.prompts.page.blocks import Block, Facts, Link, Page, Paragraph, Phrase, Points, Spoken

_TEMPLATE = "page.html"


def page_text(page: Page, *, width: int) -> str:
    """Return the page as plain text, folded to ``width`` columns."""
    lines = [*_underlined(page.heading, "=", width), *_folded(page.owner, width)]
    if page.note:
        lines += ["", *_folded(page.note, width)]
    for section in page.sections:
        lines += ["", "", *_underlined(section.heading, "-", width)]
        for block in section.blocks:
            lines += ["", *_block(block, width)]
    return "\n".join(lines)


def page_html(page: Page, *, others: Sequence[Link] = ()) -> str:
    """Return the page as an HTML file; ``others`` are the same page in other languages."""
    return _template().render(page=page, others=others)


def _underlined(text: str, line: str, width: int) -> list[str]:
    folded = _folded(text, width)
    return [*folded, line * max(map(len, folded))]


def _block(block: Block, width: int) -> Iterator[str]:
    match block:
        case Paragraph(text=text):
            yield from _folded(text, width)
        case Points(items=items):
            for item in items:
                yield from _folded(_tagged(item), width, first="  - ", rest="    ")
        case Spoken(name=name, phrases=phrases):
            yield from _folded(f"{name}:", width, first="  ", rest="  ")
            for phrase in phrases:
                yield from _folded(f"“{_tagged(phrase)}”", width, first="    ", rest="    ")
        case Facts(items=facts, digits=True):
            for fact in facts:
                text = " ".join(line.text for line in fact.lines)
                yield from _folded(f"{fact.name}  {text}", width, first="  ", rest=" " * (4 + len(fact.name)))
        case Facts(items=facts):
            for fact in facts:
                yield from _folded(fact.name, width, first="  ", rest="  ")
                for line in fact.lines:
                    yield from _folded(line.text, width, first="      ", rest="      ")


def _tagged(phrase: Phrase) -> str:
    return f"{phrase.text} [{phrase.language}]" if phrase.language else phrase.text


def _folded(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        readable(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def readable(text: object) -> str:
    """Write out every character that is not shown as itself."""
    kept = " \u00a0"
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in str(text)
    )


@cache
def _template() -> jinja2.Template:
    source = resources.files("asterisk_consent.prompts.page").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=readable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["facts"] = lambda block: isinstance(block, Facts)
    environment.tests["points"] = lambda block: isinstance(block, Points)
    environment.tests["spoken"] = lambda block: isinstance(block, Spoken)
    return environment.from_string(source)
