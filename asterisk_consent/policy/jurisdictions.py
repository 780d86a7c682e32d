"""What authorities and the law of a place say to a policy: rules as data, with source and date; pure.

Rule: the data is ``jurisdictions.toml`` beside this file, one table a rule; nothing about a country stands in code.
None of it is legal advice. Source of each rule: in the rule.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from asterisk_consent.model import Mode
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.policy.model import Policy, Purpose
from asterisk_consent.policy.term import Term, parse_term

EVERYWHERE = "EU"
"""The jurisdiction of rules that hold for every policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """What a policy cannot tell by itself: how its announcement is worded, by language."""

    vague_in: tuple[str, ...] = ()
    """Languages whose text says that the call *may be* recorded."""
    without_storage: tuple[str, ...] = ()
    """Languages whose text does not say how long a recording is kept."""


@cache
def rules() -> tuple[Mapping[str, Any], ...]:
    """Return the rules as they stand in the data file."""
    text = resources.files("asterisk_consent.policy").joinpath("jurisdictions.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["rules"])


def jurisdiction_findings(
    policy: Policy, facts: TextFacts, *, line_of: Callable[[str], int]
) -> list[Finding]:
    """Return what the rules of the policy's jurisdiction say to it, and whether any are known."""
    known = {rule["jurisdiction"] for rule in rules()} - {EVERYWHERE}
    unknown = Finding(
        severity=Severity.WARNING,
        rule="jurisdiction-unknown",
        place="jurisdiction",
        what=f"nothing is known here of the law of {policy.jurisdiction}",
        instead=f"ask somebody who knows it; known are {', '.join(sorted(known))}",
        line=line_of("jurisdiction"),
    )
    return ([] if policy.jurisdiction in known or policy.mode is Mode.OFF else [unknown]) + [
        Finding(
            severity=Severity(rule["severity"]),
            rule=rule["id"],
            place=place,
            what=rule["says"],
            instead=rule["instead"],
            line=line_of(place),
            source=f"{rule['source']} ({rule['date']}) {rule['url']}",
            signed_by=(policy.approving_role or "the approving role")
            if rule["severity"] == Severity.SIGN
            else "",
        )
        for rule in rules()
        if rule["jurisdiction"] in (EVERYWHERE, policy.jurisdiction)
        for place in _places(rule["when"], policy, facts)
    ]


def _places(when: Mapping[str, Any], policy: Policy, facts: TextFacts) -> Iterator[str]:
    """Yield the places a rule is about where all its conditions hold: one, or one a purpose."""
    conditions = {name: wanted for name, wanted in when.items() if name not in _OF_A_PURPOSE}
    if not all(CONDITIONS[name](policy, facts, wanted) for name, wanted in conditions.items()):
        return
    if len(conditions) == len(when):
        yield next((place for name, place in _PLACES.items() if name in when), "jurisdiction")
        return
    for number, purpose in enumerate(policy.purposes, 1):
        if all(_OF_A_PURPOSE[name](purpose, when[name]) for name in when if name in _OF_A_PURPOSE):
            yield f"purposes[{number}].keep"


def _term(text: str) -> Term:
    term = parse_term(text)
    if term is None:
        raise ValueError(f"jurisdictions.toml: {text!r} is no term")
    return term


def _direction(policy: Policy) -> str:
    return policy.directions[0] if len(policy.directions) == 1 else "both"


_OF_A_PURPOSE: dict[str, Callable[[Purpose, Any], bool]] = {
    "purpose": lambda purpose, wanted: purpose.name in wanted,
    "longer_than": lambda purpose, wanted: purpose.keep.is_longer_than(_term(wanted)),
    "shorter_than": lambda purpose, wanted: _term(wanted).is_longer_than(purpose.keep),
}
CONDITIONS: dict[str, Callable[[Policy, TextFacts, Any], bool]] = {
    "mode": lambda policy, _, wanted: policy.mode in wanted,
    "basis": lambda policy, _, wanted: policy.basis in wanted,
    "direction": lambda policy, _, wanted: _direction(policy) in wanted,
    "special_category": lambda policy, _, wanted: policy.special_category is wanted,
    "card_data": lambda policy, _, wanted: policy.card_data is wanted,
    "live_listening": lambda policy, _, wanted: policy.live_listening is wanted,
    "pause_code": lambda policy, _, wanted: bool(policy.codes.pause) is wanted,
    "works_council": lambda policy, _, wanted: bool(policy.agents.works_council) is wanted,
    "agents_informed": lambda policy, _, wanted: bool(policy.agents.notice) is wanted,
    "assessment": lambda policy, _, wanted: bool(policy.assessment) is wanted,
    "storage_announced": lambda _, facts, wanted: (not facts.without_storage) is wanted,
    "wording": lambda _, facts, wanted: wanted == "vague" and bool(facts.vague_in),
    "languages_over": lambda policy, _, wanted: len(policy.language.menu) > wanted,
}
"""What a rule may ask; a condition of a purpose is in :data:`_OF_A_PURPOSE`."""
_PLACES = {
    "special_category": "special_category",
    "languages_over": "language.menu",
    "direction": "direction",
    "pause_code": "codes.pause",
    "works_council": "agents.works_council",
    "agents_informed": "agents.notice",
    "assessment": "assessment",
    "storage_announced": "announcement",
    "wording": "announcement",
    "live_listening": "purposes",
    "mode": "mode",
    "basis": "basis",
}
"""Where to look first: the place of the first of these that a rule asks for."""
