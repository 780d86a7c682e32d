"""What the running Asterisk says of itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_consent.config import AmiConfig, AriConfig, Config
from asterisk_consent.doctor.asterisk import (
    NEEDED,
    Heard,
    ask_asterisk,
    asterisk_findings,
    module_findings,
    version_finding,
)
from asterisk_consent.doctor.finding import Level
from asterisk_consent.errors import PbxRefusedError, PbxUnavailableError
from tests.calls.approved_place import ApprovedPlace
from tests.doctor.levels import levels, only, those
from tests.pbx_client.fake_ami import fake_ami
from tests.pbx_client.fake_ari import PASSWORD, USER, fake_ari

WHERE = "http://127.0.0.1:8088/ari"
ALL = frozenset(NEEDED)
SAID = {
    "GET /asterisk/info?only=system": (200, b'{"system":{"version":"22.10.1","entity_id":"x"}}'),
    "GET /asterisk/modules": (
        200,
        b'[{"name":"func_rand.so","status":"Running","use_count":0},{"name":"res_hep.so","status":"Not Running"}]',
    ),
}


@pytest.fixture
def config(place: ApprovedPlace) -> Config:
    return place.config


def at(config: Config, *, ari: str = "http://127.0.0.1:1/ari", ami: int = 1) -> Config:
    return replace(
        config,
        ari=AriConfig(url=ari, user=USER, password=PASSWORD),
        ami=AmiConfig(host="127.0.0.1", port=ami, user="u", secret="s"),
    )


@pytest.mark.parametrize("version", ["20.20.1", "22.10.1", "22.11.0", "23.4.1", "22.10.1~dfsg+~cs6.16-1"])
def test_a_supported_version_is_right(version: str) -> None:
    assert only([version_finding(version, WHERE)], Level.OK)


@pytest.mark.parametrize(
    "version", ["20.20.0", "22.10.0", "23.4.0", "18.26.4", "21.12.1", "certified/20.7-cert5.0.0"]
)
def test_an_older_version_is_yellow_with_its_flaws(version: str) -> None:
    what = only([version_finding(version, WHERE)], Level.WARN).what
    assert "GHSA-wcvv-g26m-wx5c" in what or "cannot be read" in what
    assert "GHSA-vrfp-mg3q-3959" in what or "cannot be read" in what


@pytest.mark.parametrize("version", ["24.0.0", "GIT-master-0123456", ""])
def test_a_version_that_is_not_known_is_yellow(version: str) -> None:
    assert only([version_finding(version, WHERE)], Level.WARN)


def test_a_module_that_is_missing_is_red_and_says_what_becomes_of_calls() -> None:
    found = those(module_findings(ALL - {"func_rand.so", "app_mixmonitor.so"}, WHERE), Level.ERROR)
    assert ["CONSENT_ID stays empty" in found[0].what, "nothing is recorded" in found[1].what] == [True, True]
    assert "module load func_rand.so" in found[0].remedy


def test_all_modules_are_right() -> None:
    assert only(module_findings(ALL, WHERE), Level.OK)


def test_an_asterisk_that_does_not_answer_is_yellow_and_the_rest_not_known(config: Config) -> None:
    away = PbxUnavailableError("no answer")
    found = list(asterisk_findings(config, Heard(ari_fault=away, ami_fault=away)))
    assert levels(found) == [Level.WARN, Level.WARN, Level.UNKNOWN]


def test_a_password_that_is_not_accepted_is_red(config: Config) -> None:
    refused = PbxRefusedError("not accepted", status=401)
    heard = Heard(ari_fault=refused, ami_fault=refused)
    assert len(those(asterisk_findings(config, heard), Level.ERROR)) == 2


def test_a_password_in_the_address_is_not_shown(config: Config) -> None:
    secret = replace(config, ari=AriConfig(url="http://u:topsecret@pbx:8088/ari", user="u", password="x"))
    found = list(asterisk_findings(secret, Heard(version="22.10.1", modules=ALL)))
    assert levels(found) == [Level.OK] * 4
    assert {finding.where for finding in found} == {"http://pbx:8088/ari", "127.0.0.1:5038"}


async def test_asterisk_is_asked_over_both_ways(config: Config) -> None:
    async with fake_ari() as ari, fake_ami() as ami:
        ari.answers = {asked.partition("?")[0]: answer for asked, answer in SAID.items()}
        heard = await ask_asterisk(at(config, ari=ari.url, ami=ami.port))
        assert heard == Heard(version="22.10.1", modules=frozenset({"func_rand.so"}))
        assert len(ami.logins) == 1


async def test_what_does_not_answer_keeps_nothing_else_from_being_asked(config: Config) -> None:
    async with fake_ami() as ami:
        ami.login_answer = ("Error", "Message: Authentication failed")
        heard = await ask_asterisk(at(config, ami=ami.port))
    assert isinstance(heard.ari_fault, PbxUnavailableError)
    assert isinstance(heard.ami_fault, PbxRefusedError)
    assert heard.modules is None


def test_what_is_said_to_be_needed_is_what_the_dialplan_uses() -> None:
    dialplan = (Path(__file__).resolve().parents[2] / "dialplan/asterisk-consent.conf").read_text()
    for used in ("${RAND(", "${SHA1(", "${CUT(", "${FILTER(", "MixMonitor("):
        assert used in dialplan
