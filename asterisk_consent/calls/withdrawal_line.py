"""The withdrawal lines, one a controller: what each says, in which languages.

Rule: a line of which anything that it may have to say is missing says nothing, and is reported when it is loaded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import structlog

from asterisk_consent.calls.announced import Segment
from asterisk_consent.config import Config, PolicyFile
from asterisk_consent.dialogue.withdrawal.script import LineScript, Saying, SpokenDigit, Word
from asterisk_consent.errors import AudioError
from asterisk_consent.prompts.form import DIGITS, WITHDRAWAL_LINE
from asterisk_consent.prompts.line import (
    AGAIN_DIGIT,
    CONFIRM_DIGIT,
    DECLINE_DIGIT,
    END_DIGIT,
    LineWords,
    digits_directory,
    line_directory,
    lines_of,
    parts_of_line,
)
from asterisk_consent.prompts.rendered import PromptSet, load_prompt_set

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the line of one controller says.

    :param menu: digit and language, where there are several.
    :param sayings: by language, what it says; empty where it cannot speak.
    :param digits: by language, the digits that it reads out.
    :param path: the directory of its sayings as Asterisk sees it; ``digits_path`` that of the digits.
    :param fault: why it cannot speak; empty where it can.
    """

    controller: str
    menu: tuple[tuple[str, str], ...] = ()
    sayings: Mapping[str, PromptSet] = field(default_factory=dict)
    digits: Mapping[str, PromptSet] = field(default_factory=dict)
    path: str = ""
    digits_path: str = ""
    fault: str = ""

    @property
    def script(self) -> LineScript:
        """What the conversation on it is."""
        return LineScript(
            languages=tuple(self.sayings),
            menu=self.menu,
            confirm_digit=CONFIRM_DIGIT,
            decline_digit=DECLINE_DIGIT,
            end_digit=END_DIGIT,
            again_digit=AGAIN_DIGIT,
        )

    def files(self, words: Iterable[Word], language: str) -> list[tuple[StrEnum, Segment]]:
        """Return the files of these words as one part: the first word stands for all."""
        said = list(words)
        spoken = [
            self._segment(word, tag)
            for word in said
            for tag in ([each for _, each in self.menu] if word is Saying.MENU else [language])
        ]
        return [(said[0], segment) for segment in spoken]

    def _segment(self, word: Word, language: str) -> Segment:
        is_digit = isinstance(word, SpokenDigit)
        path, prompts = (self.digits_path, self.digits) if is_digit else (self.path, self.sayings)
        return Segment(
            path=f"{path}/{language}/{word}", duration_ms=prompts[language].parts[word].duration_ms
        )


class Lines:
    """All lines of one service, by the controller that the dialplan names."""

    def __init__(self, lines: Mapping[str, Line] | None = None) -> None:
        self._lines = dict(lines or {})

    def replace(self, lines: Mapping[str, Line]) -> None:
        """Exchange all of them at once; calls on a line keep theirs."""
        self._lines = dict(lines)

    def find(self, controller: str) -> Line:
        """Return the line of this controller."""
        return self._lines.get(controller) or Line(controller=controller, fault="no such controller")


def load_lines(files: Mapping[str, PolicyFile], config: Config) -> dict[str, Line]:
    """Load the line of each controller that has policies, by its id."""
    lines = lines_of(found.policy for found in files.values())
    return {controller: _load(words, config) for controller, words in lines.items()}


def load_digits(config: Config, languages: Iterable[str]) -> dict[str, PromptSet]:
    """Load the digits that are read out, by language.

    :raises AudioError: one is missing, or not what was rendered.
    """
    directory = Path(digits_directory(config.prompts))
    return {tag: load_prompt_set(directory / tag, DIGITS) for tag in languages}


def log_lines(lines: Mapping[str, Line]) -> None:
    """Log which lines cannot speak, and why: whoever has no such number need not have them."""
    for controller, line in lines.items():
        if line.fault:
            log.warning("withdrawal_line.silent", controller=controller, fault=line.fault)


def _load(words: LineWords, config: Config) -> Line:
    directory = Path(line_directory(config.prompts, words.controller))
    try:
        sayings = {tag: load_prompt_set(directory / tag, WITHDRAWAL_LINE) for tag in words.languages}
        digits = load_digits(config, words.languages)
    except AudioError as error:
        return Line(
            controller=words.controller, fault=f"{error}. Make it: asterisk-consent prompts render-line"
        )
    missing = [tag for tag, prompts in sayings.items() if not parts_of_line(words) <= set(prompts.parts)]
    if missing:
        return Line(
            controller=words.controller,
            fault=f"no menu in {', '.join(missing)}. Make it again: asterisk-consent prompts render-line",
        )
    return Line(
        controller=words.controller,
        menu=words.menu,
        sayings=sayings,
        digits=digits,
        path=line_directory(config.prompts_in_asterisk, words.controller),
        digits_path=digits_directory(config.prompts_in_asterisk),
    )
