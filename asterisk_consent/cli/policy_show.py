"""``policy show``: a policy as a page for people who call, in each language that is announced.

Rule: what is not ready to be published is said beside the page, never on it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from asterisk_consent.cli.listing import text_width
from asterisk_consent.cli.policy_named import announcements_of, named_argument, named_policy
from asterisk_consent.cli.texts import texts_option
from asterisk_consent.config import PolicyFile
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.model import Mode
from asterisk_consent.policy import Policy
from asterisk_consent.policy.finding import Severity
from asterisk_consent.prompts.page import (
    UNREVIEWED,
    Link,
    Page,
    page_html,
    page_languages,
    page_text,
    policy_page,
    words_of,
)
from asterisk_consent.prompts.review import review
from asterisk_consent.prompts.wording import wording_of


@click.command()
@named_argument
@click.option("--language", metavar="TAG", help="Only this language; by default every one that is announced.")
@click.option(
    "--html",
    "target",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write HTML: into the file PATH.html one language, into the directory PATH a file POLICY.LANGUAGE.html each.",
)
@texts_option
@click.pass_context
def show(context: click.Context, named: str, language: str | None, target: Path | None, texts: Path) -> None:
    """Show a policy as a page to publish, in the words of a person who calls.

    A policy file needs no configuration; the id of a policy is looked up in it. Each page is about calls in its
    language: who asks, why, what is said and pressed, how long it is kept, who may listen, which rights there are. The
    HTML needs nothing but itself: put it where the announcement says that more can be read.
    """
    found = named_policy(context, named)
    languages = _languages(found.policy, language)
    spoken, unreviewed = announcements_of(found.policy, texts)
    pages = {tag: policy_page(found.policy, tag, spoken) for tag in languages}
    if target is None:
        width = text_width()
        click.echo("\n\n\n".join(page_text(page, width=width) for page in pages.values()))
    else:
        for file in _write(pages, target, found.policy.id):
            click.echo(f"{file}: written")
    for line in _not_ready(found, [tag for tag in unreviewed if tag in languages], languages, texts):
        click.echo(line, err=True)


def _languages(policy: Policy, only: str | None) -> tuple[str, ...]:
    offered = page_languages() if policy.mode is Mode.OFF else policy.languages
    if only is None:
        return offered
    if only not in offered:
        known = ", ".join(offered)
        raise click.BadParameter(
            f"{policy.id} is not announced in {only!r}, but in {known}", param_hint="--language"
        )
    return (only,)


def _write(pages: Mapping[str, Page], target: Path, name: str) -> list[Path]:
    """Write the pages and return their files; the pages of a directory name each other."""
    if target.suffix.lower() in (".html", ".htm") and not target.is_dir():
        if len(pages) > 1:
            raise click.BadParameter(
                f"{target} can hold one language, and there are {', '.join(pages)}; name a directory, or one"
                " with --language",
                param_hint="--html",
            )
        files = dict.fromkeys(pages, target)
    else:
        files = {tag: target / f"{name}.{tag}.html" for tag in pages}
    try:
        for tag, file in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            others = [
                Link(text=wording_of(other).name, href=files[other].name, language=other)
                for other in pages
                if other != tag
            ]
            file.write_text(page_html(pages[tag], others=others), encoding="utf-8")
    except OSError as error:
        raise RequestRefusedError(
            f"the page cannot be written: {error.strerror}", where=str(target), remedy="Name another place"
        ) from error
    return list(files.values())


def _not_ready(
    found: PolicyFile, unreviewed: list[str], languages: tuple[str, ...], texts: Path
) -> list[str]:
    """Say what keeps the pages in these languages from being published as they are."""
    errors = review(found.file, found.content, texts=texts, today=datetime.now(UTC).date()).of(Severity.ERROR)
    lines = []
    if errors:
        count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
        lines.append(f"Not to be published: the policy has {count}, see 'asterisk-consent policy check'.")
    for what, tags in (
        ("the announcement", unreviewed),
        ("the page", [tag for tag in languages if words_of(tag).reviewed_by == UNREVIEWED]),
    ):
        if tags:
            lines.append(f"Nobody has reviewed the wording of {what} yet: {', '.join(tags)}.")
    return lines
