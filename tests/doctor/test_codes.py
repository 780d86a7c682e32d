"""A code that a policy promises and Asterisk does not know is red, and the line that is missing is told."""

import shutil
from pathlib import Path

import pytest

from asterisk_consent.config import load_policies
from asterisk_consent.doctor.codes import code_findings
from asterisk_consent.doctor.elsewhere import AsteriskPlace
from asterisk_consent.doctor.finding import Finding, Level
from tests.calls.approved_place import ApprovedPlace
from tests.doctor.levels import only, those

SHIPPED = Path(__file__).parents[2] / "dialplan" / "asterisk-consent-features.conf"


@pytest.fixture
async def place(tmp_path: Path) -> ApprovedPlace:
    place = await ApprovedPlace(tmp_path).begin()
    (tmp_path / "etc").mkdir()
    return place


def findings(place: ApprovedPlace, features: str = "") -> list[Finding]:
    etc = place.config.ledger_path.parent / "etc"
    shutil.copy(SHIPPED, etc)
    if features:
        (etc / "features.conf").write_text(features)
    asterisk = AsteriskPlace(etc=etc, log=etc)
    return list(code_findings(place.config, load_policies(place.config.policies), asterisk))


def test_with_the_shipped_file_included_the_codes_of_the_example_policies_are_known(
    place: ApprovedPlace,
) -> None:
    for name in ("p1-nl", "p2-nb", "p3-nl", "p5-be"):
        place.put_approved(name)
    included = "[general]\n[applicationmap]\n#include asterisk-consent-features.conf\n"
    only(findings(place, included), Level.OK)


def test_each_missing_code_is_red_with_the_line_that_it_wants(place: ApprovedPlace) -> None:
    place.put_approved("p5-be")
    caller, agent = those(findings(place), Level.ERROR)
    assert "*9" in caller.what
    assert "consent-withdraw-star-9 => *9,self,Gosub(asterisk-consent-code,s,1(withdraw))" in caller.remedy
    assert "consent-stop-star-8 => *8,peer,Gosub(asterisk-consent-code,s,1(stop))" in agent.remedy
    for finding, line in ((caller, "self"), (agent, "peer")):
        wanted = finding.remedy.partition("'")[2].rstrip("'")
        assert f",{line}," in wanted
        assert wanted in SHIPPED.read_text()


def test_a_feature_on_other_digits_is_red(place: ApprovedPlace) -> None:
    place.put_approved("p2-nb")
    features = (
        "[applicationmap]\nconsent-withdraw-star-9 => *7,self,Gosub(asterisk-consent-code,s,1(withdraw))\n"
    )
    assert "*9" in only(findings(place, features), Level.ERROR).what


def test_a_policy_that_is_not_asked_wants_no_feature(place: ApprovedPlace) -> None:
    place.put("p5-be")
    only(findings(place), Level.OK)
