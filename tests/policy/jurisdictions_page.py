"""Makes ``docs/reference/jurisdictions.md`` of the rules: ``python -m tests.policy.jurisdictions_page``.

Rule: the page says what ``policy check`` says, so it cannot grow old unnoticed.
"""

from collections.abc import Iterator
from pathlib import Path

from asterisk_consent.policy.jurisdictions import EVERYWHERE, rules

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/jurisdictions.md"
_HEAD = """# What authorities and the law say

Made from `asterisk_consent/policy/jurisdictions.toml`; `python -m tests.policy.jurisdictions_page` makes it anew.

`policy check` applies the rules for everywhere and those of the policy's `jurisdiction`. They say what was found in the
source named, at its date, in our own words; they are not complete, a country that is not here has none, and **none of
this is legal advice**. An error keeps a policy from being approved; a rule to be signed is approved with
`--sign RULE=REASON` by the role that the policy names.
"""
_NAMES = {
    EVERYWHERE: "Everywhere",
    "BE": "Belgium",
    "DE": "Germany",
    "FR": "France",
    "GB": "Great Britain",
    "NL": "Netherlands",
    "NO": "Norway",
}
_SEVERITIES = {"error": "error", "sign": "must be signed", "warning": "warning"}


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    for code, name in _NAMES.items():
        yield f"\n## {name}\n\n| rule | | says | instead | source |\n|---|---|---|---|---|\n"
        for rule in rules():
            if rule["jurisdiction"] == code:
                source = f"[{rule['source']}]({rule['url']}), {rule['date']}"
                severity = _SEVERITIES[rule["severity"]]
                yield f"| `{rule['id']}` | {severity} | {rule['says']} | {rule['instead']} | {source} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
