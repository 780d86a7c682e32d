"""Every way in which a policy contradicts itself, as a data protection officer reads it.

Each case changes a line of a shipped policy, which has no such finding as it is.
"""

import ast
import inspect
from collections import Counter
from dataclasses import dataclass
from datetime import date

import pytest

from asterisk_consent.policy import contradictions as module
from asterisk_consent.policy.contradictions import RULES, contradictions
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.policy.read import read_policy
from asterisk_consent.tables import Problems
from tests.policy.shipped import FILES, TODAY, changed, shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change to a shipped policy and what is said to it.

    :param at: how the line begins that is pointed at.
    """

    rule: str
    policy: str
    old: str
    new: str
    place: str
    at: str
    what: str
    instead: str
    severity: Severity = Severity.ERROR
    today: date = TODAY


AGENTS_OF_P2 = """[agents]
basis = "legitimate-interests"
notice = "Personalhåndboken, kapittel 7: opptak av samtaler"
works_council = "Drøftet med de tillitsvalgte, 2026-02\""""

CASES = {
    "opt-in without a digit to agree": Case(
        rule="digits-needed",
        policy="p1-nl",
        old='agree = "1"',
        new="",
        place="digits.agree",
        at="[digits]",
        what="opt-in needs a digit to agree",
        instead='write agree = "…"',
    ),
    "opt-in without a digit to refuse": Case(
        rule="digits-needed",
        policy="p1-nl",
        old='refuse = "2"',
        new="",
        place="digits.refuse",
        at="[digits]",
        what="opt-in needs a digit to refuse",
        instead='write refuse = "…"',
    ),
    "opt-out with a digit to agree": Case(
        rule="digits-needed",
        policy="p5-be",
        old='refuse = "9"',
        new='refuse = "9"\nagree = "5"',
        place="digits.agree",
        at='agree = "5"',
        what="nobody is asked to agree with mode 'opt-out'",
        instead="take it out",
    ),
    "opt-out without a digit to object": Case(
        rule="digits-needed",
        policy="p5-be",
        old='refuse = "9"',
        new="",
        place="digits.refuse",
        at="[digits]",
        what="opt-out needs a digit to object",
        instead='write refuse = "9"',
    ),
    "a notice with a digit to object": Case(
        rule="digits-needed",
        policy="p3-nl",
        old="[codes]",
        new='[digits]\nrefuse = "9"\n[codes]',
        place="digits.refuse",
        at='refuse = "9"',
        what="a notice takes no digit: who objects tells the agent",
        instead="take it out, or write mode = 'opt-out'",
    ),
    "a notice that is repeated": Case(
        rule="digits-needed",
        policy="p3-nl",
        old="[codes]",
        new='[digits]\nrepeat = "3"\n[codes]',
        place="digits.repeat",
        at='repeat = "3"',
        what="a notice is not repeated: nothing is asked",
        instead="take it out",
    ),
    "one digit for two answers": Case(
        rule="digit-two-meanings",
        policy="p1-nl",
        old='refuse = "2"',
        new='refuse = "1"',
        place="digits.refuse",
        at='refuse = "1"',
        what="'1' means both agree and refuse",
        instead="give each meaning a digit of its own",
    ),
    "one digit for a language and an objection": Case(
        rule="digit-two-meanings",
        policy="p5-be",
        old='1 = "nl"',
        new='9 = "nl"',
        place="language.menu.9",
        at='9 = "nl"',
        what="'9' means both nl and refuse, which counts in the menu already",
        instead="give the language another digit",
    ),
    "a repetition that never comes": Case(
        rule="repeat-kept",
        policy="p1-nl",
        old="repeats = 2",
        new="repeats = 0",
        place="timing.repeats",
        at="repeats = 0",
        what="'3' is to repeat everything, and nothing is ever repeated",
        instead="write at least 1, or take digits.repeat out",
    ),
    "a language of the menu without an announcement": Case(
        rule="language-announced",
        policy="p5-be",
        old='4 = "de"',
        new='4 = "es"',
        place="language.menu.4",
        at='4 = "es"',
        what="'es' has no announcement",
        instead="write a section [announcement.es], or one of nl, fr, en, de",
    ),
    "a language chosen by star without an announcement": Case(
        rule="language-announced",
        policy="p5-be",
        old='4 = "de"',
        new='"*" = "es"',
        place='language.menu."*"',
        at='"*" = "es"',
        what="'es' has no announcement",
        instead="write a section [announcement.es], or one of nl, fr, en, de",
    ),
    "a number dialled for a language without an announcement": Case(
        rule="language-announced",
        policy="p1-nl",
        old='1021 = "en"',
        new='1021 = "en"\n"+32" = "fr"',
        place='language.dialled."+32"',
        at='"+32" = "fr"',
        what="'fr' has no announcement",
        instead="write a section [announcement.fr], or one of nl, en",
    ),
    "another language without an announcement": Case(
        rule="language-announced",
        policy="p1-nl",
        old='otherwise = "nl"',
        new='otherwise = "fr"',
        place="language.otherwise",
        at='otherwise = "fr"',
        what="'fr' has no announcement",
        instead="write a section [announcement.fr], or one of nl, en",
    ),
    "a language that nobody can choose": Case(
        rule="language-announced",
        policy="p5-be",
        old='4 = "de"',
        new="",
        place="announcement.de",
        at="[announcement.de]",
        what="nobody can choose 'de'",
        instead="take it out, or offer it",
        severity=Severity.WARNING,
    ),
    "a menu of one language": Case(
        rule="menu",
        policy="p5-be",
        old='1 = "nl"\n2 = "fr"\n3 = "en"\n4 = "de"',
        new='1 = "nl"',
        place="language.menu",
        at="[language.menu]",
        what="a menu of one language is no choice",
        instead="write chosen_by = 'fixed'",
    ),
    "a language offered twice": Case(
        rule="menu",
        policy="p5-be",
        old='4 = "de"',
        new='4 = "fr"',
        place="language.menu.2",
        at='2 = "fr"',
        what="'fr' is offered twice",
        instead="keep one digit a language",
    ),
    "a menu that need not be answered": Case(
        rule="menu",
        policy="p5-be",
        old='chosen_by = "menu"',
        new='chosen_by = "menu"\notherwise = "nl"',
        place="language.otherwise",
        at='otherwise = "nl"',
        what="a caller who chose no language was not informed in one",
        instead="write otherwise = 'unrecorded', or leave it out",
    ),
    "a purpose that is announced nowhere": Case(
        rule="purpose-announced",
        policy="p2-nb",
        old='nb = "opplæring',
        new="",
        place="purposes[1].announced",
        at="[purposes.announced]",
        what="'training' is announced in no language, so no call is ever recorded for it",
        instead="write the words that name it to the caller, or take the purpose out",
    ),
    "a purpose that is not announced in a language": Case(
        rule="purpose-announced",
        policy="p5-be",
        old='de = "Beweiszwecke"',
        new="",
        place="purposes[2].announced",
        at="[purposes.announced]",
        what="'evidence' is not announced in de and not granted for calls in it",
        instead="write its words, and have the text reviewed anew",
        severity=Severity.WARNING,
    ),
    "a purpose announced in a language that is not": Case(
        rule="purpose-announced",
        policy="p2-nb",
        old='nb = "opplæring',
        new='nb = "opplæring"\nsv = "utbildning"',
        place="purposes[1].announced.sv",
        at='sv = "utbildning"',
        what="'sv' is not announced",
        instead="write a section [announcement.sv]",
    ),
    "a language in which no purpose is announced": Case(
        rule="purpose-announced",
        policy="p1-nl",
        old='nl = "de training',
        new="",
        place="announcement.nl",
        at="[announcement.nl]",
        what="no purpose is announced in nl: nothing could be recorded",
        instead="write the words of at least one purpose",
    ),
    "a purpose with two terms": Case(
        rule="purpose-once",
        policy="p1-nl",
        old='name = "quality"',
        new='name = "training"',
        place="purposes[2].name",
        at='name = "training"',
        what="'training' is there twice",
        instead="keep one, with one term",
    ),
    "an extension that extends nothing": Case(
        rule="extension-longer",
        policy="p3-nl",
        old='at_most = "5 years"',
        new='at_most = "30 days"',
        place="purposes[1].extension.at_most",
        at='at_most = "30 days"',
        what="extended to 30 days, but kept 30 days anyway",
        instead="write a longer term, or no extension",
    ),
    "a proof that goes before the recording": Case(
        rule="proof-outlives",
        policy="p2-nb",
        old='proof_term = "5 years"',
        new='proof_term = "1 month"',
        place="proof_term",
        at='proof_term = "1 month"',
        what="the proof goes after 1 month, a recording for 'training' after 90 days",
        instead="write '90 days' or longer",
    ),
    "a proof that goes before the recording in February": Case(
        rule="proof-outlives",
        policy="p2-nb",
        old='proof_term = "5 years"',
        new='proof_term = "3 months"',
        place="proof_term",
        at='proof_term = "3 months"',
        what="the proof goes after 3 months, a recording for 'training' after 90 days",
        instead="write '90 days' or longer",
    ),
    "a proof that goes before the extended recording": Case(
        rule="proof-outlives",
        policy="p5-be",
        old='proof_term = "10 years"',
        new='proof_term = "9 years"',
        place="proof_term",
        at='proof_term = "9 years"',
        what="the proof goes after 9 years, a recording for 'evidence' after 10 years",
        instead="write '10 years' or longer",
    ),
    "an agreement that nothing rests on": Case(
        rule="opt-in-is-consent",
        policy="p1-nl",
        old='basis = "consent"',
        new='basis = "contract"',
        place="basis",
        at='basis = "contract"',
        what="opt-in asks for consent, but the basis is 'contract'",
        instead="write basis = 'consent', or mode = 'opt-out' or 'notice'",
    ),
    "an objection to the law": Case(
        rule="opt-in-is-consent",
        policy="p5-be",
        old='basis = "legitimate-interests"',
        new='basis = "legal-obligation"',
        place="mode",
        at='mode = "opt-out"',
        what="what the law demands cannot be objected to",
        instead="write mode = 'notice'",
    ),
    "access for a purpose that there is not": Case(
        rule="access-fits",
        policy="p1-nl",
        old='purposes = ["training", "quality"]',
        new='purposes = ["training", "marketing"]',
        place="access.roles[1].purposes",
        at='purposes = ["training", "marketing"]',
        what="'marketing' is no purpose of this policy",
        instead="write one of training, quality",
    ),
    "access where nothing is recorded": Case(
        rule="access-fits",
        policy="p4-plain",
        old="[approval]",
        new='[[access.roles]]\nname = "manager"\npurposes = ["training"]\n[approval]',
        place="access.roles[1].purposes",
        at='purposes = ["training"]',
        what="'training' is no purpose of this policy",
        instead="take it out",
    ),
    "listening live for a purpose without it": Case(
        rule="access-fits",
        policy="p2-nb",
        old='purposes = ["training"]',
        new='purposes = ["training"]\nways = ["live"]',
        place="access.roles[1].purposes",
        at='purposes = ["training"]',
        what="'line manager' may only listen live, and 'training' does not allow that",
        instead="write live_listening = true at the purpose, or ways = ['recording']",
    ),
    "access that nobody grants": Case(
        rule="access-fits",
        policy="p2-nb",
        old='granted_by = "security officer"',
        new="",
        place="access.granted_by",
        at="[access]",
        what="nobody grants the access",
        instead="name the role that does",
    ),
    "a recipient for a purpose that there is not": Case(
        rule="access-fits",
        policy="p5-be",
        old='purpose = "evidence"',
        new='purpose = "proof"',
        place="recipients[1].purpose",
        at='purpose = "proof"',
        what="'proof' is no purpose of this policy",
        instead="write one of quality, evidence",
    ),
    "a code that begins like another": Case(
        rule="codes-differ",
        policy="p5-be",
        old='agent_stop = "*8"',
        new='agent_stop = "*98"',
        place="codes.agent_stop",
        at='agent_stop = "*98"',
        what="'*98' cannot be told from '*9' (withdraw)",
        instead="write codes of which none begins like another",
    ),
    "a review that was not held": Case(
        rule="review-due",
        policy="p1-nl",
        old="next_review",
        new="next_review = 2026-11-23",
        place="next_review",
        at="next_review",
        what="the review was due on 2026-11-23",
        instead="review the policy, write a new version and the next date",
    ),
    "a review that comes near": Case(
        rule="review-due",
        policy="p1-nl",
        old="next_review",
        new="next_review = 2026-12-24",
        place="next_review",
        at="next_review",
        what="the review is due on 2026-12-24",
        instead="plan it",
        severity=Severity.WARNING,
    ),
    "agents of whom nothing is said": Case(
        rule="agents-informed",
        policy="p2-nb",
        old=AGENTS_OF_P2,
        new="",
        place="agents",
        at="# Opt-in in Norwegian",
        what="the agents are recorded too, and nothing says on what basis",
        instead="write a section [agents] with basis and notice",
    ),
    "half a copy without a reason": Case(
        rule="copy-reasoned",
        policy="p5-be",
        old='copy_holds = "both sides"',
        new='copy_holds = "own side"',
        place="rights.copy_reason",
        at="[rights]",
        what="a copy of one's own side only, without a reason",
        instead="write why, or copy_holds = 'both sides'",
    ),
    "a receipt that erases nothing": Case(
        rule="receipt-useful",
        policy="p3-nl",
        old='basis = "legitimate-interests"',
        new='basis = "legal-obligation"\nreceipt.read_out = true',
        place="receipt.read_out",
        at="receipt.read_out",
        what="the receipt is read out to withdraw with, and the law demands that the recording is kept",
        instead="take it out, or tell what else the receipt is for",
        severity=Severity.WARNING,
    ),
}


def found_in(text: str, today: date) -> list[Finding]:
    problems = Problems("p.toml")
    policy = read_policy(text, problems)
    problems.raise_any()
    return contradictions(policy, today=today, line_of=problems.line_of)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_contradiction_is_told_with_what_where_and_what_to_write_instead(case: Case) -> None:
    text = changed(shipped(case.policy), case.old, case.new)
    found = [
        each for each in found_in(text, case.today) if (each.place, each.what) == (case.place, case.what)
    ]

    (finding,) = found
    assert (finding.severity, finding.rule, finding.instead) == (case.severity, case.rule, case.instead)
    assert text.splitlines()[finding.line - 1].startswith(case.at)
    assert (finding.source, finding.signed_by) == ("", "")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_policy_without_the_change_has_no_such_finding(case: Case) -> None:
    assert case.what not in [each.what for each in found_in(shipped(case.policy), case.today)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_shipped_policy_contradicts_itself(file: object) -> None:
    errors = [
        each
        for each in found_in(shipped(getattr(file, "stem", "")), TODAY)
        if each.severity is Severity.ERROR
    ]
    assert errors == []


def test_every_rule_has_a_case_and_every_finding_it_can_yield_too() -> None:
    cases = Counter(case.rule for case in CASES.values())
    yields = {
        name: sum(isinstance(node, ast.Yield) for node in ast.walk(ast.parse(inspect.getsource(rule))))
        for name, rule in RULES.items()
    }

    assert set(cases) == set(RULES)
    assert {name: count for name, count in yields.items() if cases[name] < count} == {}


def test_every_rule_of_the_module_is_in_the_table() -> None:
    written = {
        name
        for name, each in inspect.getmembers(module, inspect.isfunction)
        if inspect.isgeneratorfunction(each) and each.__module__ == module.__name__
    }
    assert written == {rule.__name__ for rule in RULES.values()}


def test_a_policy_with_several_contradictions_tells_all_of_them() -> None:
    text = shipped("p1-nl")
    for old, new in (
        ('refuse = "2"', 'refuse = "1"'),
        ("repeats = 2", "repeats = 0"),
        ('proof_term = "5', 'proof_term = "5 days"'),
    ):
        text = changed(text, old, new)

    errors = {each.rule for each in found_in(text, TODAY) if each.severity is Severity.ERROR}
    assert errors == {"digit-two-meanings", "repeat-kept", "proof-outlives"}
