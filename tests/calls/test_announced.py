"""With what a call is asked: only what is whole and unchanged; the rest has a fault, or is none of ours."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_consent.calls.announced import (
    CHANGED,
    STOP,
    UNKNOWN_POLICY,
    WITHDRAW,
    Announced,
    Policies,
    Segment,
    fault_of,
    feature,
    script_of,
)
from asterisk_consent.dialogue.events import Part
from asterisk_consent.model import Basis, Direction, Mode, Outcome
from asterisk_consent.policy import Policy, parse_policy
from tests.policy.shipped import TEXTS, shipped
from tests.prompts.made_announcement import DURATION_MS, make_announcements


def policy_named(name: str) -> Policy:
    return parse_policy(shipped(name), file=f"{name}.toml")


def announced(directory: Path, name: str = "p2-nb") -> Announced:
    policy = policy_named(name)
    prompts = make_announcements(directory / name, policy, texts=TEXTS)
    return Announced(policy=policy, prompts=prompts, path=f"/prompts/{name}")


@pytest.fixture
def policies(tmp_path: Path) -> Policies:
    """The Norwegian and the Belgian policy, and one that is off."""
    off = Announced(policy=policy_named("p4-plain"))
    return Policies({name: announced(tmp_path, name) for name in ("p2-nb", "p5-be")} | {"p4-plain": off})


def test_a_policy_that_nobody_knows_has_a_fault(policies: Policies) -> None:
    assert policies.find("p9") is UNKNOWN_POLICY
    assert fault_of(policies.find("p9"), Direction.INCOMING) == "unknown policy"


def test_a_call_is_asked_with_what_was_loaded(policies: Policies) -> None:
    found = policies.find("p2-nb")

    assert fault_of(found, Direction.INCOMING) == ""
    assert found.segments(Part.QUESTION, "nb") == (
        Segment(path="/prompts/p2-nb/nb/question", duration_ms=DURATION_MS),
    )


def test_the_menu_is_one_file_a_language_in_the_order_of_the_menu(policies: Policies) -> None:
    segments = policies.find("p5-be").segments(Part.MENU, "")
    assert [segment.path for segment in segments] == [
        f"/prompts/p5-be/{tag}/menu" for tag in ("nl", "fr", "en", "de")
    ]


@pytest.mark.parametrize("change", ["other bytes", "shorter", "gone"])
def test_an_announcement_that_is_changed_is_noticed_at_the_next_call(
    policies: Policies, tmp_path: Path, change: str
) -> None:
    assert policies.asked() == ["p2-nb", "p5-be"]
    file = tmp_path / "p2-nb/nb/information.alaw"
    content = file.read_bytes()
    match change:
        case "other bytes":
            file.write_bytes(content[::-1])
        case "shorter":
            file.write_bytes(content[:-1])
        case "gone":
            file.unlink()

    found = policies.find("p2-nb")

    assert (
        fault_of(found, Direction.INCOMING) == CHANGED == "the announcement was changed after it was approved"
    )
    assert policies.asked() == ["p5-be"]
    assert not policies.find("p5-be").fault


def test_a_changed_announcement_stays_a_fault_when_it_is_put_back_until_it_is_loaded_anew(
    policies: Policies, tmp_path: Path
) -> None:
    file = tmp_path / "p2-nb/nb/information.alaw"
    content = file.read_bytes()
    file.write_bytes(b"other")
    assert policies.find("p2-nb").fault == CHANGED

    file.write_bytes(content)
    assert policies.find("p2-nb").fault == CHANGED

    policies.replace({"p2-nb": announced(tmp_path)})
    assert policies.find("p2-nb").fault == ""


def test_the_same_bytes_written_again_are_no_change(policies: Policies, tmp_path: Path) -> None:
    file = tmp_path / "p2-nb/nb/information.alaw"
    file.write_bytes(file.read_bytes())
    os.utime(file, (0, 0))

    assert policies.find("p2-nb").fault == ""


def test_a_call_that_is_being_asked_keeps_what_it_began_with(policies: Policies) -> None:
    begun = policies.find("p2-nb")
    policies.replace({})

    assert begun.policy is not None
    assert (begun.fault, begun.policy.id) == ("", "p2-nb")
    assert policies.find("p2-nb") is UNKNOWN_POLICY


def test_what_is_exchanged_is_not_what_was_handed_over(tmp_path: Path) -> None:
    given = {"p2-nb": announced(tmp_path)}
    policies = Policies(given)
    given.clear()
    assert policies.asked() == ["p2-nb"]


@pytest.mark.parametrize(
    ("name", "dialled", "alone"),
    [
        ("p4-plain", "1001", True),
        ("p5-be", "1008", True),
        ("p5-be", "1001", False),
        ("p5-be", "", False),
        ("p2-nb", "1008", False),
        ("p9", "1008", False),
    ],
)
def test_a_call_to_whom_nothing_is_recorded_is_left_alone(
    policies: Policies, name: str, dialled: str, alone: bool
) -> None:
    assert policies.find(name).leaves_alone(dialled) is alone


def test_the_dialplan_looks_up_the_codes_after_the_policy_and_only_of_policies_that_have_some_and_are_asked(
    policies: Policies, tmp_path: Path
) -> None:
    p5 = "voorbeeld-groep:consent-withdraw-star-9:consent-stop-star-8"
    assert list(policies.codes()) == ["p2-nb", "eksempel:consent-withdraw-star-9:", "p5-be", p5]
    policies.replace(
        {
            "p3-nl": announced(tmp_path, "p3-nl"),
            "p5-be": replace(announced(tmp_path, "p5-be"), fault="no keys"),
        }
    )
    assert list(policies.codes()) == ["p3-nl", "voorbeeld-advies::consent-stop-star-8"]


def test_nobody_ends_by_a_code_what_a_law_demands(tmp_path: Path) -> None:
    asked = announced(tmp_path, "p5-be")
    assert asked.policy is not None
    by_law = replace(asked.policy, basis=Basis.LEGAL_OBLIGATION)
    assert list(Policies({"p5-be": replace(asked, policy=by_law)}).codes()) == []


def test_a_feature_is_named_after_its_code() -> None:
    assert (feature(STOP, "#12*"), feature(WITHDRAW, "")) == ("consent-stop-hash-1-2-star", "")


def test_an_excluded_entity_is_left_alone_whatever_else_is_wrong(policies: Policies, tmp_path: Path) -> None:
    (tmp_path / "p5-be/fr/menu.wav").unlink()

    found = policies.find("p5-be")

    assert found.fault == CHANGED
    assert found.leaves_alone("1008")
    assert list(policies.left_alone()) == ["p5-be=1008", "p4-plain"]


def test_what_the_dialplan_compares_names_policies_that_are_off_and_numbers_of_excluded_entities(
    policies: Policies,
) -> None:
    assert list(policies.left_alone()) == ["p5-be=1008", "p4-plain"]
    assert list(Policies({"p9": UNKNOWN_POLICY}).left_alone()) == []


@pytest.mark.parametrize(
    ("name", "direction", "fault"),
    [
        ("p2-nb", Direction.INCOMING, ""),
        ("p2-nb", Direction.OUTGOING, "the policy is not for outgoing calls"),
        ("p3-nl", Direction.OUTGOING, ""),
        ("p3-nl", Direction.INCOMING, ""),
    ],
)
def test_a_policy_asks_in_its_own_direction_only(name: str, direction: Direction, fault: str) -> None:
    assert fault_of(Announced(policy=policy_named(name)), direction) == fault


def test_what_is_wrong_already_is_what_is_entered() -> None:
    found = Announced(policy=policy_named("p2-nb"), fault="the policy is not approved")
    assert fault_of(found, Direction.OUTGOING) == "the policy is not approved"


def test_the_script_is_what_the_policy_says() -> None:
    script = script_of(policy_named("p5-be"))

    assert (script.mode, script.agree_digit, script.refuse_digit, script.repeat_digit) == (
        Mode.OPT_OUT,
        "",
        "9",
        "",
    )
    assert script.menu == (("1", "nl"), ("2", "fr"), ("3", "en"), ("4", "de"))
    assert (script.attempts, script.repeats, script.first_digit_s, script.overall_s) == (2, 2, 4.0, 120.0)


@pytest.mark.parametrize(
    ("basis", "refusal", "taken"),
    [
        (Basis.CONSENT, Outcome.REFUSED, True),
        (Basis.LEGITIMATE_INTERESTS, Outcome.OBJECTED, True),
        (Basis.LEGAL_OBLIGATION, Outcome.OBJECTED, False),
    ],
)
def test_what_a_refusal_comes_to_follows_from_the_basis(basis: Basis, refusal: Outcome, taken: bool) -> None:
    script = script_of(replace(policy_named("p2-nb"), basis=basis))
    assert (script.refusal, script.takes_refusal) == (refusal, taken)


def test_without_a_policy_no_digit_counts() -> None:
    script = script_of(None)
    assert (script.mode, script.agree_digit, script.refuse_digit, script.menu) == (Mode.OFF, "", "", ())
