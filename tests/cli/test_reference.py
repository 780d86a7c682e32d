"""The reference pages say what the program and the dialplan say today."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from asterisk_consent import config as configuration
from asterisk_consent.tables import Problems, Table
from tests.cli.reference import PAGE, reference
from tests.pbx.__main__ import NUMBERS
from tests.pbx.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
DIALPLAN = (PROJECT / "dialplan/asterisk-consent.conf").read_text(encoding="utf-8")
EMERGENCY = (PROJECT / "dialplan/asterisk-consent-emergency.conf").read_text(encoding="utf-8")


def test_the_page_of_the_command_line_is_what_help_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "make it anew: python -m tests.cli.reference"


class Asked(Table):
    """A table that remembers what it was asked for, and with which default."""

    def __init__(self, found: dict[str, str], place: str = "") -> None:
        super().__init__({}, place, Problems("none"))
        self.found = found

    def section(self, key: str) -> Table:
        return Asked(self.found, key)

    def _get(self, key: str, default: object, kind: type | tuple[type, ...], wanted: str) -> object:
        self.found[f"{self._place}.{key}".lstrip(".")] = "" if default is None else str(default)
        return super()._get(key, default, kind, wanted)


def test_the_page_of_the_configuration_has_every_key_with_its_default() -> None:
    read: dict[str, str] = {}
    configuration._read(Asked(read), Path("/etc/asterisk-consent/asterisk-consent.toml"))
    page = (PROJECT / "docs/reference/config.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \| (?:`([^`]*)`|\*\*needed\*\*|–) \|", page, re.MULTILINE)
    assert dict(rows) == read


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (DIALPLAN + EMERGENCY, r"^\[(asterisk-consent[a-z-]*)\]"),
        (DIALPLAN, r"\b(CONSENT_[A-Z]+)"),
        (DIALPLAN.partition("[asterisk-consent]\n")[2], r"^exten => (_\S+?|\w+),1"),
    ],
    ids=["context", "variable", "extension"],
)
def test_the_page_of_the_dialplan_names_every(text: str, pattern: str) -> None:
    page = (PROJECT / "docs/reference/dialplan.md").read_text(encoding="utf-8")
    names = set(re.findall(pattern, text, re.MULTILINE))
    assert len(names) > 2
    assert {name for name in names if f"`{name}" not in page} == set()


def test_every_number_of_the_development_pbx_is_in_the_howto() -> None:
    numbers = (PROJECT / "tests/pbx/extensions-dev.conf").read_text(encoding="utf-8").partition("[sim")[0]
    page = (PROJECT / "docs/howto/try-it.md").read_text(encoding="utf-8")
    wired = set(re.findall(r"^exten => (\d+),1", numbers, re.MULTILINE))
    assert "1001" in wired
    assert {number for number in wired if f"| {number} |" not in page} == set()
    assert {number for number in wired if f"\n  {number} " not in NUMBERS} == set()


def test_every_setting_of_the_development_pbx_is_in_the_howto_with_its_default() -> None:
    defaults = Settings.from_environment({})
    page = (PROJECT / "docs/howto/try-it.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `(PBX_[A-Z_]+)` \| `?([^`|]*)`? \|", page, re.MULTILINE)
    read = {
        f"PBX_{each.name.upper()}": str(getattr(defaults, each.name))
        for each in fields(Settings)
        if each.name != "developer_uid"
    }
    read |= {"PBX_HOME": defaults.home.name, "PBX_MIRROR": "none"}
    assert {name: default.strip() for name, default in names} == read
