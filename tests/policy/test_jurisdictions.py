"""Every rule of a jurisdiction speaks when all its conditions hold, and is silent when any one of them does not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from asterisk_consent.model import Basis, Direction, Mode
from asterisk_consent.policy import Policy, Purpose, Term, parse_policy
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.policy.jurisdictions import (
    CONDITIONS,
    EVERYWHERE,
    TextFacts,
    jurisdiction_findings,
    rules,
)
from asterisk_consent.policy.term import parse_term
from tests.policy.example import EXAMPLE
from tests.policy.shipped import changed, shipped

ROLE = "data protection officer"
DIRECTIONS = {
    "incoming": (Direction.INCOMING,),
    "outgoing": (Direction.OUTGOING,),
    "both": (Direction.INCOMING, Direction.OUTGOING),
}
OF_A_PURPOSE = {"purpose", "longer_than", "shorter_than"}
Situation = tuple[Policy, TextFacts]


def quiet() -> Situation:
    """A policy to which no rule of any place has anything to say."""
    return parse_policy(EXAMPLE, file="p.toml"), TextFacts()


def term(text: str, *, days: int = 0) -> Term:
    """The term itself, or so many days more or fewer, as days."""
    found = parse_term(text)
    assert found is not None
    if not days:
        return found
    lengths = {"day": 1, "week": 7, "month": 31, "year": 366 if found.amount == 1 else 365.25}
    return Term(amount=int(found.amount * lengths[found.unit]) + days, unit="day")


def _one_of(options: Any, wanted: list[str], *, holds: bool) -> Any:
    return next(each for each in options if (each in wanted) is holds)


def _mode(situation: Situation, wanted: list[str], holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, mode=_one_of(Mode, wanted, holds=holds)), facts


def _basis(situation: Situation, wanted: list[str], holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, basis=_one_of(Basis, wanted, holds=holds)), facts


def _direction(situation: Situation, wanted: list[str], holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, directions=DIRECTIONS[_one_of(DIRECTIONS, wanted, holds=holds)]), facts


def _special_category(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, special_category=wanted is holds), facts


def _card_data(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, card_data=wanted is holds), facts


def _live_listening(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    first, *others = policy.purposes
    return replace(policy, purposes=(replace(first, live_listening=wanted is holds), *others)), facts


def _pause_code(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, codes=replace(policy.codes, pause="*7" if wanted is holds else "")), facts


def _works_council(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return replace(
        policy, agents=replace(policy.agents, works_council="2026-02" if wanted is holds else "")
    ), facts


def _agents_informed(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, agents=replace(policy.agents, notice="handbook" if wanted is holds else "")), facts


def _assessment(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return replace(policy, assessment="LIA 2026-05" if wanted is holds else ""), facts


def _storage_announced(situation: Situation, wanted: bool, holds: bool) -> Situation:
    policy, facts = situation
    return policy, replace(facts, without_storage=() if wanted is holds else ("nl",))


def _wording(situation: Situation, _: str, holds: bool) -> Situation:
    policy, facts = situation
    return policy, replace(facts, vague_in=("nl",) if holds else ())


def _languages_over(situation: Situation, wanted: int, holds: bool) -> Situation:
    policy, facts = situation
    menu = tuple((str(digit), f"l{digit}") for digit in range(wanted + holds))
    return replace(policy, language=replace(policy.language, menu=menu)), facts


def _purposes(situation: Situation, change: Callable[[Purpose], Purpose]) -> Situation:
    policy, facts = situation
    return replace(policy, purposes=(change(policy.purposes[0]),)), facts


def _purpose(situation: Situation, wanted: list[str], holds: bool) -> Situation:
    return _purposes(situation, lambda each: replace(each, name=wanted[-1] if holds else "something-else"))


def _longer_than(situation: Situation, wanted: str, holds: bool) -> Situation:
    return _purposes(situation, lambda each: replace(each, keep=term(wanted, days=1 if holds else 0)))


def _shorter_than(situation: Situation, wanted: str, holds: bool) -> Situation:
    return _purposes(situation, lambda each: replace(each, keep=term(wanted, days=-1 if holds else 0)))


MAKE: Mapping[str, Callable[[Situation, Any, bool], Situation]] = {
    "mode": _mode,
    "basis": _basis,
    "direction": _direction,
    "special_category": _special_category,
    "card_data": _card_data,
    "live_listening": _live_listening,
    "pause_code": _pause_code,
    "works_council": _works_council,
    "agents_informed": _agents_informed,
    "assessment": _assessment,
    "storage_announced": _storage_announced,
    "wording": _wording,
    "languages_over": _languages_over,
    "purpose": _purpose,
    "longer_than": _longer_than,
    "shorter_than": _shorter_than,
}
"""How a policy, or what is said of its texts, is made to meet a condition, or just not to."""


def situation(rule: Mapping[str, Any], *, without: str = "") -> Situation:
    """Make a policy of the rule's jurisdiction that meets all its conditions, or all but one."""
    made = quiet()
    for name, wanted in rule["when"].items():
        made = MAKE[name](made, wanted, name != without)
    policy, facts = made
    country = "NL" if rule["jurisdiction"] == EVERYWHERE else rule["jurisdiction"]
    return replace(policy, jurisdiction=country), facts


def found_by(rule: Mapping[str, Any], made: Situation) -> list[Finding]:
    policy, facts = made
    findings = jurisdiction_findings(policy, facts, line_of=lambda place: len(place))
    return [finding for finding in findings if finding.rule == rule["id"]]


each_rule = pytest.mark.parametrize("rule", rules(), ids=[rule["id"] for rule in rules()])
EACH_CONDITION = [
    pytest.param(rule, name, id=f"{rule['id']}-{name}") for rule in rules() for name in rule["when"]
]


@each_rule
def test_a_rule_speaks_when_all_its_conditions_hold(rule: Mapping[str, Any]) -> None:
    (finding,) = found_by(rule, situation(rule))

    assert finding.severity == rule["severity"]
    assert (finding.what, finding.instead) == (rule["says"], rule["instead"])
    assert finding.source == f"{rule['source']} ({rule['date']}) {rule['url']}"
    assert finding.signed_by == (ROLE if rule["severity"] == "sign" else "")
    assert finding.line == len(finding.place)


@pytest.mark.parametrize(("rule", "name"), EACH_CONDITION)
def test_a_rule_is_silent_when_one_of_its_conditions_does_not_hold(
    rule: Mapping[str, Any], name: str
) -> None:
    assert found_by(rule, situation(rule, without=name)) == []


@each_rule
def test_a_rule_is_silent_elsewhere_unless_it_holds_everywhere(rule: Mapping[str, Any]) -> None:
    policy, facts = situation(rule)
    elsewhere = found_by(rule, (replace(policy, jurisdiction="ZZ"), facts))

    assert bool(elsewhere) is (rule["jurisdiction"] == EVERYWHERE)


@each_rule
def test_a_rule_of_several_modes_or_bases_holds_for_each_of_them(rule: Mapping[str, Any]) -> None:
    policy, facts = situation(rule)
    for mode in rule["when"].get("mode", []):
        assert found_by(rule, (replace(policy, mode=Mode(mode)), facts)), mode
    for basis in rule["when"].get("basis", []):
        assert found_by(rule, (replace(policy, basis=Basis(basis)), facts)), basis
    for direction in rule["when"].get("direction", []):
        assert found_by(rule, (replace(policy, directions=DIRECTIONS[direction]), facts)), direction


@each_rule
def test_a_rule_is_about_what_sets_it_apart_and_not_about_the_mode_it_shares(rule: Mapping[str, Any]) -> None:
    (finding,) = found_by(rule, situation(rule))
    about = {
        "wording": "announcement",
        "storage_announced": "announcement",
        "agents_informed": "agents.notice",
        "works_council": "agents.works_council",
        "pause_code": "codes.pause",
        "assessment": "assessment",
        "special_category": "special_category",
        "languages_over": "language.menu",
        "longer_than": "purposes[1].keep",
        "shorter_than": "purposes[1].keep",
    }
    special = {about[name] for name in rule["when"] if name in about}
    assert finding.place in (special or {"mode", "basis", "direction", "purposes"})


def test_every_purpose_that_a_rule_is_about_is_told() -> None:
    policy, facts = quiet()
    long = Term(amount=7, unit="month")
    purposes = tuple(
        replace(policy.purposes[0], name=name, keep=long) for name in ("quality", "evidence", "training")
    )
    findings = jurisdiction_findings(
        replace(policy, jurisdiction="FR", purposes=purposes), facts, line_of=lambda _: 1
    )

    assert [each.place for each in findings if each.rule == "fr-six-months"] == [
        "purposes[1].keep",
        "purposes[3].keep",
    ]


def test_four_languages_that_nobody_sits_through_are_not_too_many() -> None:
    policy, facts = quiet()
    addresses = dict.fromkeys(("nl", "fr", "en", "de"), "example")
    findings = jurisdiction_findings(replace(policy, addresses=addresses), facts, line_of=lambda _: 1)

    assert findings == []


@pytest.mark.parametrize("jurisdiction", sorted({rule["jurisdiction"] for rule in rules()} - {EVERYWHERE}))
def test_no_place_has_anything_to_say_to_a_modest_opt_in(jurisdiction: str) -> None:
    policy, facts = quiet()
    assert jurisdiction_findings(replace(policy, jurisdiction=jurisdiction), facts, line_of=lambda _: 1) == []


def test_every_condition_that_can_be_asked_is_asked_by_some_rule() -> None:
    asked = {name for rule in rules() for name in rule["when"]}
    assert asked == set(CONDITIONS) | OF_A_PURPOSE == set(MAKE)


def test_a_country_of_which_nothing_is_known_is_told_and_those_that_are() -> None:
    policy = parse_policy(changed(shipped("p2-nb"), "jurisdiction", 'jurisdiction = "ES"'), file="p.toml")

    (finding,) = jurisdiction_findings(policy, TextFacts(), line_of=lambda place: 9)

    assert (finding.severity, finding.rule, finding.place, finding.line) == (
        Severity.WARNING,
        "jurisdiction-unknown",
        "jurisdiction",
        9,
    )
    assert finding.what == "nothing is known here of the law of ES"
    assert finding.instead == "ask somebody who knows it; known are BE, DE, FR, GB, NL, NO"
