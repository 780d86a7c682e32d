"""What an announcement must say follows from the policy: no less, and nothing that the policy does not have."""

import pytest

from asterisk_consent.policy import parse_policy
from asterisk_consent.policy.duties import announcement_duties
from asterisk_consent.prompts.text import DUTIES
from tests.policy.shipped import FILES, PROJECT, changed, shipped

LEGAL = (PROJECT / "tests/pbx/policies/legal-nl.toml").read_text(encoding="utf-8")
ALWAYS = {"controller", "recording", "purposes", "address"}


def duties_of(text: str) -> dict[str, set[str]]:
    duties = announcement_duties(parse_policy(text, file="p.toml"))
    return {part: set(each) for part, each in duties.items()}


def test_who_is_asked_for_consent_hears_what_is_in_it_how_to_withdraw_and_every_digit() -> None:
    assert duties_of(shipped("p2-nb")) == {
        "information": ALWAYS | {"content", "withdrawal"},
        "question": {"agree", "refuse", "repeat"},
    }


def test_a_digit_that_there_is_not_need_not_be_named() -> None:
    assert duties_of(changed(shipped("p2-nb"), 'repeat = "3"', ""))["question"] == {"agree", "refuse"}


def test_a_notice_says_that_one_may_object_and_asks_nothing() -> None:
    assert duties_of(shipped("p3-nl")) == {"information": ALWAYS | {"objection", "monitoring"}}


def test_listening_is_told_only_where_some_purpose_allows_it() -> None:
    text = changed(shipped("p3-nl"), "live_listening = true", "live_listening = false")
    assert "monitoring" not in duties_of(text)["information"]


def test_an_opt_out_names_the_languages_and_the_digit_that_objects() -> None:
    assert duties_of(shipped("p5-be")) == {
        "menu": {"choose"},
        "information": ALWAYS | {"objection", "monitoring"},
        "question": {"object"},
    }


def test_what_the_law_demands_is_said_and_so_is_that_it_cannot_be_refused() -> None:
    assert duties_of(LEGAL) == {
        "information": ALWAYS | {"legal_obligation"},
        "no_refusal": {"no_refusal"},
    }


def test_without_a_digit_to_refuse_there_is_no_refusal_to_explain() -> None:
    assert set(duties_of(changed(LEGAL, '[digits]\nrefuse = "9"', ""))) == {"information"}


def test_a_receipt_that_is_read_out_is_announced() -> None:
    text = shipped("p2-nb") + "\n[receipt]\nread_out = true\n"
    assert duties_of(text)["receipt"] == {"receipt"}


def test_where_nothing_is_recorded_nothing_is_said() -> None:
    assert duties_of(shipped("p4-plain")) == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_duty_is_one_that_a_text_can_fulfil_and_has_its_reason(file: object) -> None:
    policy = parse_policy(shipped(getattr(file, "stem", "")), file="p.toml")
    for part, duties in announcement_duties(policy).items():
        assert set(duties) <= set(DUTIES[part])
        assert all(duties.values())
