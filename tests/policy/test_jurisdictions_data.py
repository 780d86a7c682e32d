"""The rules of the jurisdictions, as data: whole, named alike, and in a form that can be evaluated."""

import re
import tomllib
from collections import Counter
from configparser import ConfigParser
from datetime import date
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2] / "asterisk_consent" / "policy" / "jurisdictions.toml"
LATEST = date(2026, 11, 24)
"""The day the sources were last looked at: move it when they are looked at again."""

RULES: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["rules"]

TEXTS = {"id", "jurisdiction", "severity", "says", "instead", "source", "url"}
FIELDS = TEXTS | {"date", "when"}
OPTIONAL = {"seen"}
SEVERITIES = {"error", "warning", "sign"}
MODES = {"opt-in", "opt-out", "notice", "off"}
BASES = {"consent", "contract", "legal-obligation", "vital-interests", "public-task", "legitimate-interests"}

LISTS = {
    "mode": MODES,
    "basis": BASES,
    "direction": {"incoming", "outgoing", "both"},
}
VALUES: dict[str, object] = {
    "special_category": True,
    "live_listening": True,
    "card_data": True,
    "pause_code": False,
    "works_council": False,
    "agents_informed": False,
    "storage_announced": False,
    "assessment": False,
    "wording": "vague",
}
TERMS = {"longer_than", "shorter_than"}
TERM = re.compile(r"1 (day|month|year)|([2-9]|[1-9][0-9]+) (days|months|years)")

NAMES = {"Belgian", "British", "Dutch", "French", "German", "Norwegian", "Belgium", "DSS", "PCI"}
"""Every name that a sentence may hold within it: no firm and no product is among them."""


def _ids(rules: list[dict[str, Any]]) -> list[str]:
    return [str(rule.get("id", number)) for number, rule in enumerate(rules)]


each_rule = pytest.mark.parametrize("rule", RULES, ids=_ids(RULES))


@each_rule
def test_a_rule_has_every_field_and_no_other(rule: dict[str, Any]) -> None:
    assert set(rule) - OPTIONAL == FIELDS
    assert all(isinstance(rule[name], str) and rule[name].strip() == rule[name] != "" for name in TEXTS)
    assert rule.get("seen", True) is True


def test_no_two_rules_share_an_id() -> None:
    assert [name for name, times in Counter(rule["id"] for rule in RULES).items() if times > 1] == []


def test_no_two_rules_of_a_jurisdiction_hold_under_the_same_conditions() -> None:
    conditions = Counter((rule["jurisdiction"], repr(sorted(rule["when"].items()))) for rule in RULES)
    assert [which for which, times in conditions.items() if times > 1] == []


@each_rule
def test_an_id_is_kebab_case_and_begins_with_its_jurisdiction(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z]{2}", rule["jurisdiction"])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule["id"])
    assert rule["id"].startswith(rule["jurisdiction"].lower() + "-")


@each_rule
def test_a_severity_is_known(rule: dict[str, Any]) -> None:
    assert rule["severity"] in SEVERITIES


@each_rule
def test_conditions_are_those_that_can_be_evaluated(rule: dict[str, Any]) -> None:
    when = rule["when"]
    assert when
    assert set(when) <= set(LISTS) | set(VALUES) | TERMS | {"purpose", "languages_over"}
    for name, known in LISTS.items():
        if name in when:
            assert when[name]
            assert set(when[name]) <= known
            assert len(when[name]) == len(set(when[name]))
    for name, value in VALUES.items():
        if name in when:
            assert when[name] == value
            assert type(when[name]) is type(value)
    if "languages_over" in when:
        assert type(when["languages_over"]) is int
        assert when["languages_over"] >= 1


@each_rule
def test_a_term_is_one_length_of_time_and_a_purpose_comes_with_it(rule: dict[str, Any]) -> None:
    terms = TERMS & set(rule["when"])
    assert len(terms) <= 1
    for name in terms:
        assert TERM.fullmatch(rule["when"][name])
    if "purpose" in rule["when"]:
        assert terms
        assert rule["when"]["purpose"]
        assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", purpose) for purpose in rule["when"]["purpose"])


@each_rule
def test_a_rule_about_recordings_is_silent_where_nothing_is_recorded(rule: dict[str, Any]) -> None:
    """Listening and the basis itself matter without a recording; all else names the modes that record."""
    when = rule["when"]
    if "live_listening" not in when and "basis" not in when:
        assert "mode" in when
    assert "off" not in when.get("mode", [])


@each_rule
def test_the_url_is_an_address_with_https(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]{2,}/[^\s#]*", rule["url"])


@each_rule
def test_the_date_is_not_in_the_future(rule: dict[str, Any]) -> None:
    assert type(rule["date"]) is date
    assert rule["date"] <= LATEST


@each_rule
@pytest.mark.parametrize("field", ["says", "instead"])
def test_what_it_says_is_a_sentence_with_a_full_stop_and_without_a_name_of_a_firm(
    rule: dict[str, Any], field: str
) -> None:
    sentence = rule[field]
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    assert not re.search(r"https?:|www\.", sentence)
    within = re.findall(r"(?<!^)\b[^\W\d_]*[A-Z][^\W_]*", sentence)
    assert set(within) <= NAMES


@each_rule
def test_what_it_says_is_one_sentence(rule: dict[str, Any]) -> None:
    assert not re.search(r"[.!?] [A-Z]", rule["says"])


@pytest.mark.parametrize("jurisdiction", ["EU", "NO", "DE", "BE", "NL", "FR", "GB"])
def test_every_promised_jurisdiction_has_rules(jurisdiction: str) -> None:
    assert [rule for rule in RULES if rule["jurisdiction"] == jurisdiction]


def test_the_data_is_installed_with_the_package() -> None:
    setup = ConfigParser()
    setup.read(FILE.parents[2] / "setup.cfg", encoding="utf-8")
    assert setup["options.package_data"]["asterisk_consent.policy"].split() == [FILE.name]
