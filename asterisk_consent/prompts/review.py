"""Reviews a policy as a whole: its file, what contradicts itself, the law of the place, and what callers are told.

Rule: every problem at once, each with its place and what to write instead. A policy is reviewed together with its
texts, since what is not said to the caller is not agreed to. Nothing here is legal advice.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from asterisk_consent.errors import ConfigError
from asterisk_consent.model import Mode
from asterisk_consent.policy import Policy, Term
from asterisk_consent.policy.contradictions import contradictions
from asterisk_consent.policy.duties import announcement_duties
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.policy.jurisdictions import TextFacts, jurisdiction_findings
from asterisk_consent.policy.read import read_policy
from asterisk_consent.prompts.lint import TextProblem, is_reviewed, lint_text
from asterisk_consent.prompts.text import AnnouncementText, fill_text, load_text
from asterisk_consent.prompts.wording import spoken_digit, spoken_list, spoken_term
from asterisk_consent.tables import Problem, Problems

VAGUE = "vague"
"""The lint rule about a text that says a call *may be* recorded; what it means is for the law of the place."""


_DECISIVE = frozenset({"mode", "basis", "jurisdiction", "language.chosen_by"})
"""Keys without which nothing else can be judged."""
_SPOKEN_FROM = frozenset({"announcement", "controller", "digits", "language", "purposes"})
"""Sections that are spoken to the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a review found.

    :param policy: ``None`` where the file cannot be read as one.
    :param spoken: by language, the text of each part, filled in; only of languages whose text is complete.
    """

    file: Path
    policy: Policy | None
    spoken: Mapping[str, Mapping[str, str]]
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> list[Finding]:
        """Return the findings of one severity."""
        return [finding for finding in self.findings if finding.severity is severity]


def review(file: Path, content: bytes, *, texts: Path, today: date) -> Review:
    """Review a policy file with the texts below ``texts``.

    :raises ConfigError: the file is no UTF-8 text.
    """
    try:
        source = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", where=str(file), remedy="Save it as UTF-8") from error
    problems = Problems(str(file))
    policy: Policy | None = None
    with contextlib.suppress(ConfigError):  # not TOML at all: noted in ``problems``
        policy = read_policy(source, problems)
    if policy is None:
        return Review(file=file, policy=None, spoken={}, findings=tuple(map(_of_file, problems.found)))
    spoken, judged = _judged(policy, texts, today=today, line_of=problems.line_of)
    if not problems.found:
        return Review(file=file, policy=policy, spoken=spoken, findings=tuple(judged))
    misread = {problem.place for problem in problems.found}
    independent = [] if misread & _DECISIVE else [each for each in judged if not _rests_on(each, misread)]
    findings = (*map(_of_file, problems.found), *independent)
    return Review(file=file, policy=None, spoken={}, findings=findings)


def _judged(
    policy: Policy, texts: Path, *, today: date, line_of: Callable[[str], int]
) -> tuple[dict[str, dict[str, str]], list[Finding]]:
    """Return what is spoken, and what is wrong with a policy that can be read."""
    written, unreadable = _texts(policy, texts)
    linted = {language: _linted(policy, text) for language, text in written.items()}
    facts = TextFacts(
        vague_in=tuple(tag for tag, found in linted.items() if any(each.rule == VAGUE for each in found)),
        without_storage=tuple(
            tag for tag, text in written.items() if "storage" not in text.parts.get("information", {})
        ),
    )
    text_findings = [_finding(each) for found in linted.values() for each in found if each.rule != VAGUE]
    broken = {finding.place.partition("/")[0] for finding in text_findings}
    sound = {tag: text for tag, text in written.items() if tag not in broken}
    spoken, unspeakable = _spoken(policy, sound)
    return spoken, [
        *contradictions(policy, today=today, line_of=line_of),
        *jurisdiction_findings(policy, facts, line_of=line_of),
        *unreadable,
        *text_findings,
        *unspeakable,
        *(_unreviewed(text) for text in written.values() if not is_reviewed(text)),
    ]


def _of_file(problem: Problem) -> Finding:
    what, instead = _advice_apart(problem.what)
    return Finding(
        severity=Severity.ERROR,
        rule="file",
        place=problem.place,
        what=what,
        instead=instead or "correct this line",
        line=problem.line,
    )


def _rests_on(finding: Finding, misread: set[str]) -> bool:
    """Tell whether a finding may only come of a key that could not be read: the key's own section, or a text."""
    if finding.rule.startswith("text"):
        return any(place.partition(".")[0] in _SPOKEN_FROM for place in misread)
    section = finding.place.partition(".")[0]
    return any(place.partition(".")[0] == section for place in misread)


def wording_problems(policy: Policy, texts: Path) -> list[str]:
    """Return what is wrong with the words of a policy's announcements, one sentence each."""
    written, unreadable = _texts(policy, texts)
    return [
        *(f"{finding.place}: {finding.what}. {finding.instead}" for finding in unreadable),
        *(str(each) for text in written.values() for each in _linted(policy, text)),
    ]


def spoken_values(policy: Policy, language: str) -> dict[str, str]:
    """Return what the places of a policy's announcement are filled with; a digit that there is not is empty."""
    purposes = policy.announced_purposes(language)
    digits = {
        "agree_digit": policy.digits.agree,
        "refuse_digit": policy.digits.refuse,
        "repeat_digit": policy.digits.repeat,
        "language_digit": next((digit for digit, tag in policy.language.menu if tag == language), ""),
    }
    return {
        "controller": policy.spoken_names.get(language, policy.controller.name),
        "purposes": spoken_list([purpose.announced[language] for purpose in purposes], language),
        "storage_time": _storage_time([purpose.keep for purpose in purposes], language),
        "address": policy.addresses[language],
        **{place: spoken_digit(digit, language) if digit else "" for place, digit in digits.items()},
    }


def spoken_announcement(
    policy: Policy, language: str, texts: Path
) -> tuple[AnnouncementText, dict[str, str]]:
    """Return the policy's text in a language, and each part as it is spoken.

    :raises ConfigError: it cannot be read, or not be filled in.
    """
    text = load_text(texts / language / f"{policy.text}.toml")
    return text, fill_text(text, spoken_values(policy, language), announcement_duties(policy))


def _storage_time(terms: list[Term], language: str) -> str:
    """Say the longest term; nothing where no purpose is announced."""
    longest: Term | None = None
    for term in terms:
        if longest is None or term.is_longer_than(longest):
            longest = term
    if longest is None:
        return ""
    amount, unit = (longest.amount * 7, "day") if longest.unit == "week" else (longest.amount, longest.unit)
    return spoken_term(amount, unit, language)


def _texts(policy: Policy, texts: Path) -> tuple[dict[str, AnnouncementText], list[Finding]]:
    written, findings = {}, []
    for language in policy.languages if policy.mode is not Mode.OFF else ():
        try:
            written[language] = load_text(texts / language / f"{policy.text}.toml")
        except ConfigError as error:
            findings.append(
                Finding(
                    severity=Severity.ERROR,
                    rule="text",
                    place=f"{language}/{policy.text}.toml",
                    what=str(error).replace("\n", "; "),
                    instead=f"write the announcement in sounds/{language}/{policy.text}.toml",
                )
            )
    return written, findings


def _linted(policy: Policy, text: AnnouncementText) -> list[TextProblem]:
    try:
        values = spoken_values(policy, text.language)
    except ConfigError as error:
        return [TextProblem(rule="language", place=text.file, what=error.what, instead=error.remedy)]
    return lint_text(text, duties=announcement_duties(policy), spoken_values=values)


def _spoken(
    policy: Policy, texts: Mapping[str, AnnouncementText]
) -> tuple[dict[str, dict[str, str]], list[Finding]]:
    """Fill in the texts; one that names no purpose is left out, which ``contradictions`` tells already."""
    spoken, findings = {}, []
    for language, text in texts.items():
        if not policy.announced_purposes(language):
            continue
        try:
            spoken[language] = fill_text(text, spoken_values(policy, language), announcement_duties(policy))
        except ConfigError as error:
            findings.append(
                Finding(
                    severity=Severity.ERROR,
                    rule="text-value",
                    place=text.file,
                    what=error.what.replace("\n", "; "),
                    instead="write in the policy what can be spoken there",
                )
            )
    return spoken, findings


def _advice_apart(problem: str) -> tuple[str, str]:
    """Tell what is wrong from what to write, which a problem of a file has after its last semicolon."""
    what, separator, instead = problem.rpartition("; ")
    return (what, instead) if separator else (problem, "")


def _unreviewed(text: AnnouncementText) -> Finding:
    return Finding(
        severity=Severity.WARNING,
        rule="text-unreviewed",
        place=text.file,
        what="nobody has reviewed the text",
        instead="have it read by whoever answers for it, and write their name as reviewed_by",
    )


def _finding(problem: TextProblem) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        rule=f"text-{problem.rule}",
        place=problem.place,
        what=problem.what,
        instead=problem.instead,
    )
