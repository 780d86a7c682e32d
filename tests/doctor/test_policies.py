"""Which policies are asked, why the others are not, and whose voice speaks."""

from collections.abc import Iterable
from datetime import date

from asterisk_consent.config import load_policies, load_policy
from asterisk_consent.doctor.finding import Finding, Level
from asterisk_consent.doctor.policies import live_policies, policy_findings
from asterisk_consent.prompts.rendered import PLACEHOLDER
from asterisk_consent.vault.recipients import recipients_path
from tests.calls.approved_place import ApprovedPlace
from tests.doctor.levels import levels, only, those

TODAY = date(2026, 11, 24)


def found(place: ApprovedPlace, today: date = TODAY) -> Iterable[Finding]:
    return policy_findings(place.config, load_policies(place.config.policies), today=today)


def test_an_approved_policy_is_asked(place: ApprovedPlace) -> None:
    assert only(found(place), Level.OK).what == "p2-nb: is asked"


def test_a_draft_is_yellow_and_says_what_it_lacks(place: ApprovedPlace) -> None:
    place.put("p4-logging")
    place.speak("p4-logging")
    (draft,) = those(found(place), Level.WARN)
    assert draft.what.startswith("p4-logging: not live")
    assert "policy approve" in draft.remedy
    assert set(live_policies(place.config, load_policies(place.config.policies))) == {"p2-nb"}


def test_a_live_policy_that_is_not_asked_any_more_is_red(place: ApprovedPlace) -> None:
    place.put("p2-nb", place.file_of("p2-nb").read_text() + "\n# changed\n")
    finding = only(found(place), Level.ERROR)
    assert "changed after it was approved" in finding.what
    assert finding.remedy == "Give it a new version and approve that"


def test_a_live_policy_whose_controller_has_no_keys_is_red(place: ApprovedPlace) -> None:
    recipients_path(load_policy(place.file_of("p2-nb")).policy.controller.id, place.config.keys).unlink()
    assert "no keys for the controller" in only(found(place), Level.ERROR).what


def test_a_policy_that_is_off_is_right(place: ApprovedPlace) -> None:
    place.put("p4-plain")
    assert levels(found(place)) == [Level.OK, Level.OK]


def test_a_placeholder_voice_is_yellow_while_the_policy_is_live(place: ApprovedPlace) -> None:
    place.approve("p2-nb", place.speak("p2-nb", voice=f"{PLACEHOLDER}nb"))
    (finding,) = those(found(place), Level.WARN)
    assert "placeholder voice" in finding.what
    assert "prompts import" in finding.remedy


def test_a_review_that_is_overdue_is_yellow(place: ApprovedPlace) -> None:
    due = load_policy(place.file_of("p2-nb")).policy.next_review
    assert due is not None
    (finding,) = those(found(place, due.replace(year=due.year + 1)), Level.WARN)
    assert str(due) in finding.what
