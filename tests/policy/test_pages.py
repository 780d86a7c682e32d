"""The reference pages about policies say what the program knows."""

import re

from asterisk_consent.policy.contradictions import RULES
from asterisk_consent.policy.jurisdictions import rules
from asterisk_consent.policy.read import read_policy
from asterisk_consent.tables import Problems
from tests.policy.jurisdictions_page import PAGE, page

POLICY_PAGE = PAGE.with_name("policy.md").read_text(encoding="utf-8")
EVERYTHING = """
id = "a"
[controller]
[processor]
[approval]
[language]
chosen_by = "menu"
[language.menu]
[digits]
[timing]
[codes]
[announcement]
text = "a"
[announcement.nl]
[[purposes]]
[purposes.extension]
[access]
[[access.roles]]
[[recipients]]
[[excluded]]
[agents]
[rights]
[reports]
unheard_of = 1
"""


def test_the_page_of_the_rules_is_what_the_data_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "make it anew: python -m tests.policy.jurisdictions_page"
    )
    assert page().count("\n| `") == len(rules())


def test_the_page_names_every_rule_about_contradictions() -> None:
    assert {name for name in RULES if f"| `{name}` |" not in POLICY_PAGE} == set()


def test_the_page_names_every_key_that_a_policy_may_have() -> None:
    """Every table says which keys it knows when it meets one that it does not."""
    unknown = re.sub(r"(\[[^\n]*\]\n)", r"\1unheard_of = 1\n", EVERYTHING.removesuffix("unheard_of = 1\n"))
    problems = Problems("p.toml")
    read_policy(f"unheard_of = 1\n{unknown}", problems)
    known = {
        problem.place.removesuffix("unheard_of"): problem.what.partition("known are: ")[2].split(", ")
        for problem in problems.found
        if "known are: " in problem.what
    }
    assert len(known) >= 15
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([a-z_.<>]+)`", POLICY_PAGE))))
    named = {key for keys in known.values() for key in keys} - {"unheard_of", "nl"}
    assert named - words == set()
