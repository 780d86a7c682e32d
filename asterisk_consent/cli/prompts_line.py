"""``prompts render-line``, ``prompts check-line``: what the withdrawal line says, and the digits it reads out.

Rule: no decision rests on what the line says, so it needs no approval; it is made and measured all the same.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.texts import texts_option
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import AudioError, ConfigError
from asterisk_consent.prompts.form import DIGITS, WITHDRAWAL_LINE
from asterisk_consent.prompts.line import (
    TEXT,
    LineWords,
    digits_directory,
    line_directory,
    lines_of,
    spoken_digits_of,
    spoken_line,
)
from asterisk_consent.prompts.rendered import PromptSet, load_prompt_set
from asterisk_consent.prompts.wording import wording_of

controller_option = click.option("--controller", "only", help="Only this controller; by default all.")


@click.command("render-line")
@texts_option
@controller_option
@configured
def render_line(config: Config, texts: Path, only: str | None) -> None:
    """Render what the withdrawal line of each controller says, with a placeholder voice.

    In every language in which one of the controller's policies is announced. It needs no approval.
    """
    from asterisk_consent.prompts.render import render_prompts

    lines = _chosen(config, only)
    render_digits(config, {language for line in lines for language in line.languages})
    for line, language in _in_each_language(lines):
        text, spoken = spoken_line(line, language, texts)
        rendered = render_prompts(
            spoken=spoken,
            language=language,
            name=TEXT,
            reviewed_by=text.reviewed_by,
            directory=_directory(config, line, language),
            voice=wording_of(language).voice,
            form=WITHDRAWAL_LINE,
        )
        click.echo(
            f"{line.controller} ({language}): {len(rendered.parts)} parts; voice {rendered.spoken_by};"
            f" text {rendered.reviewed_by}"
        )


def render_digits(config: Config, languages: Iterable[str]) -> None:
    """Render the digits that are read out, with a placeholder voice."""
    from asterisk_consent.prompts.render import render_prompts

    for language in sorted(set(languages)):
        render_prompts(
            spoken=spoken_digits_of(language),
            language=language,
            name=DIGITS.name,
            reviewed_by="unreviewed",
            directory=Path(digits_directory(config.prompts)) / language,
            voice=wording_of(language).voice,
            form=DIGITS,
        )
        click.echo(f"digits ({language})")


@click.command("check-line")
@texts_option
@controller_option
@configured
def check_line(config: Config, texts: Path, only: str | None) -> None:
    """Check what the withdrawal line says: that it is all there, says what it should, and how it sounds."""
    lines = _chosen(config, only)
    problems = digit_problems(config, {language for line in lines for language in line.languages})
    for line, language in _in_each_language(lines):
        where = f"{line.controller}/{language}"
        try:
            expected = spoken_line(line, language, texts)[1]
            rendered = load_prompt_set(_directory(config, line, language), WITHDRAWAL_LINE)
        except (AudioError, ConfigError) as error:
            problems.append(f"{where}: {error}")
            continue
        problems += _problems(where, rendered, expected)
    if problems:
        raise AudioError("\n".join(problems), remedy="Make it again: asterisk-consent prompts render-line")
    click.echo(f"The lines of {', '.join(line.controller for line in lines)} are as they should be.")


def digit_problems(config: Config, languages: Iterable[str]) -> list[str]:
    """Say what is wrong with the digits that are read out in these languages."""
    problems: list[str] = []
    for language in sorted(set(languages)):
        where = f"digits/{language}"
        try:
            rendered = load_prompt_set(Path(digits_directory(config.prompts)) / language, DIGITS)
        except AudioError as error:
            problems.append(f"{where}: {error}")
            continue
        problems += _problems(where, rendered, spoken_digits_of(language))
    return problems


def _problems(where: str, rendered: PromptSet, expected: dict[str, str]) -> list[str]:
    from asterisk_consent.prompts.measure import audio_problems

    found = audio_problems(rendered)
    if rendered.spoken != expected:
        found.append("it does not say what its text says now")
    return [f"{where}: {each}" for each in found]


def _directory(config: Config, line: LineWords, language: str) -> Path:
    return Path(line_directory(config.prompts, line.controller)) / language


def _in_each_language(lines: Iterable[LineWords]) -> Iterator[tuple[LineWords, str]]:
    for line in lines:
        for language in line.languages:
            yield line, language


def _chosen(config: Config, only: str | None) -> list[LineWords]:
    lines = lines_of(each.policy for each in load_policies(config.policies).values())
    if only is None:
        return list(lines.values())
    if only not in lines:
        raise click.BadParameter(f"no policy of a controller {only} is announced", param_hint="--controller")
    return [lines[only]]
