"""In which language a call begins: the one that the policy says, never one that it does not announce."""

from dataclasses import replace

import pytest

from asterisk_consent.policy import ChosenBy, Policy, parse_policy
from tests.policy.shipped import shipped

P1 = parse_policy(shipped("p1-nl"), file="p1-nl.toml")
P5 = parse_policy(shipped("p5-be"), file="p5-be.toml")


def by_channel(*announced: str, otherwise: str = "unrecorded") -> Policy:
    language = replace(P1.language, chosen_by=ChosenBy.CHANNEL, otherwise=otherwise)
    return replace(P1, language=language, addresses=dict.fromkeys(announced, "example"))


@pytest.mark.parametrize(("dialled", "language"), [("1021", "en"), ("1020", "nl"), ("", "nl")])
def test_the_number_dialled_chooses_and_every_other_number_has_the_other_language(
    dialled: str, language: str
) -> None:
    assert P1.language_of(dialled=dialled, channel_language="fr") == language


def test_a_number_without_a_language_is_not_asked_where_the_policy_says_so() -> None:
    policy = replace(P1, language=replace(P1.language, otherwise="unrecorded"))
    assert policy.language_of(dialled="1020", channel_language="nl") == ""


@pytest.mark.parametrize(
    ("channel", "language"),
    [
        ("nl", "nl"),
        ("nl_BE", "nl-BE"),
        ("NL-be", "nl-BE"),
        ("nl_NL", "nl"),
        ("nl-BE-x-old", "nl-BE"),
        ("en_GB", "en"),
        ("fr", ""),
        ("n", ""),
        ("nld", ""),
        ("", ""),
    ],
)
def test_the_channel_chooses_the_language_that_fits_it_best(channel: str, language: str) -> None:
    policy = by_channel("nl", "nl-BE", "en")
    assert policy.language_of(dialled="1", channel_language=channel) == language


def test_a_channel_in_no_language_that_is_announced_has_the_other_one() -> None:
    assert by_channel("nl", otherwise="nl").language_of(dialled="1", channel_language="fr") == "nl"


def test_a_menu_leaves_the_choice_to_the_caller() -> None:
    assert P5.language_of(dialled="1021", channel_language="nl") == ""


def test_a_fixed_language_is_the_only_one() -> None:
    policy = parse_policy(shipped("p2-nb"), file="p2-nb.toml")
    assert policy.language_of(dialled="1021", channel_language="en") == "nb"


@pytest.mark.parametrize("dialled", ["1008", "1009"])
def test_an_excluded_entity_is_known_by_the_number_it_is_called_on(dialled: str) -> None:
    assert P5.excludes(dialled) is (dialled == "1008")


def test_only_what_a_caller_is_told_is_announced() -> None:
    assert [each.name for each in P1.announced_purposes("nl")] == ["training"]
    assert [each.name for each in P1.announced_purposes("en")] == ["training", "quality"]
    assert P1.announced_purposes("") == ()
