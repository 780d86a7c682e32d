"""A conversation without a telephone comes to what the dialogue comes to, whatever is typed."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.calls.announced import script_of
from asterisk_consent.calls.rehearsal import (
    GO_ON,
    HANG_UP,
    TIME_OUT,
    BrokenOff,
    Happening,
    NoEffect,
    NotUnderstood,
    Rehearsal,
    Result,
    Spoken,
    Waiting,
)
from asterisk_consent.config import load_policy
from asterisk_consent.dialogue.commands import AppendEntry
from asterisk_consent.dialogue.events import (
    CallArrived,
    ChannelHungUp,
    DigitReceived,
    Event,
    Part,
    PartPlayed,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Dialogue
from asterisk_consent.model import DIGITS, Call, CallId, Direction, Outcome, Party
from asterisk_consent.policy import Policy
from asterisk_consent.prompts.review import spoken_announcement

PROJECT = Path(__file__).resolve().parents[2]
FILES = [*sorted((PROJECT / "policies").glob("*.toml")), PROJECT / "tests/pbx/policies/legal-nl.toml"]
POLICIES = {policy.id: policy for policy in (load_policy(file).policy for file in FILES)}
ALIAS = "0123456789abcdef"


def spoken(policy: Policy) -> Mapping[str, Mapping[str, str]]:
    return {tag: spoken_announcement(policy, tag, PROJECT / "sounds")[1] for tag in policy.languages}


SPOKEN = {name: spoken(policy) for name, policy in POLICIES.items()}


def rehearsal(name: str, *, dialled: str = "1001", caller: str | None = "+442079460101") -> Rehearsal:
    call = Call(
        call_id=CallId("0" * 32),
        channel="try",
        party=Party(number=caller, name=None),
        dialled=dialled,
        policy=name,
        language="",
        direction=Direction.INCOMING,
        started_at=0,
        alias=ALIAS,
    )
    return Rehearsal(POLICIES[name], SPOKEN[name], call, region="NL")


def had(conversation: Rehearsal, keys: Iterable[str]) -> list[Happening]:
    happened = conversation.begin()
    for key in keys:
        happened += conversation.take(key)
    return happened


def result_of(conversation: Rehearsal, keys: Iterable[str]) -> Result:
    had(conversation, keys)
    assert conversation.result is not None
    return conversation.result


def played(play: int, part: Part) -> PartPlayed:
    return PartPlayed(play, part, complete=True)


SILENCE, ALL_OVER = TimerFired(Timer.FIRST_DIGIT), TimerFired(Timer.OVERALL)
INFORMED, ASKED = played(1, Part.INFORMATION), played(1, Part.QUESTION)
ASKED_AGAIN = played(2, Part.QUESTION)
MENU = played(1, Part.MENU)
CHOSEN: list[Event] = [MENU, DigitReceived("2"), played(2, Part.INFORMATION), played(2, Part.QUESTION)]
NAMED = GO_ON * 4
"""The menu names four languages."""

OPT_IN: list[tuple[str, list[Event]]] = [
    (f"{GO_ON}1", [INFORMED, DigitReceived("1")]),
    (f"{GO_ON}{GO_ON}1", [INFORMED, ASKED, DigitReceived("1")]),
    ("2", [DigitReceived("2")]),
    (f"{GO_ON}2", [INFORMED, DigitReceived("2")]),
    (f"1{GO_ON}1", [DigitReceived("1"), INFORMED, DigitReceived("1")]),
    (f"1{HANG_UP}", [DigitReceived("1"), ChannelHungUp()]),
    (f"{GO_ON * 3}{GO_ON * 2}", [INFORMED, ASKED, SILENCE, ASKED_AGAIN, SILENCE]),
    (f"{GO_ON * 2}77", [INFORMED, ASKED, DigitReceived("7"), DigitReceived("7")]),
    (f"{GO_ON * 2}31", [INFORMED, ASKED, DigitReceived("3"), DigitReceived("1")]),
    (HANG_UP, [ChannelHungUp()]),
    (f"{GO_ON}{TIME_OUT}", [INFORMED, ALL_OVER]),
]
WAYS: dict[str, list[tuple[str, list[Event]]]] = {
    "p1-nl": OPT_IN,
    "p2-nb": OPT_IN,
    "p4-logging": OPT_IN,
    "p3-nl": [
        (GO_ON, [INFORMED]),
        (f"9{GO_ON}", [DigitReceived("9"), INFORMED]),
        (HANG_UP, [ChannelHungUp()]),
        (TIME_OUT, [ALL_OVER]),
    ],
    "legal-nl": [
        (GO_ON, [INFORMED]),
        (f"9{GO_ON * 2}", [DigitReceived("9"), played(2, Part.NO_REFUSAL), played(2, Part.INFORMATION)]),
        (f"99{HANG_UP}", [DigitReceived("9"), DigitReceived("9"), ChannelHungUp()]),
    ],
    "p5-be": [
        (f"{NAMED}2{GO_ON * 3}", [*CHOSEN, SILENCE]),
        (f"{NAMED}2{GO_ON * 2}9", [*CHOSEN, DigitReceived("9")]),
        ("9", [DigitReceived("9")]),
        (f"{NAMED}29", [*CHOSEN[:2], DigitReceived("9")]),
        (f"{NAMED}{GO_ON}{NAMED}{GO_ON}", [MENU, SILENCE, played(2, Part.MENU), SILENCE]),
        (
            f"{NAMED}2{GO_ON * 2}5{GO_ON * 2}",
            [*CHOSEN, DigitReceived("5"), played(3, Part.QUESTION), SILENCE],
        ),
        (f"{NAMED}{HANG_UP}", [MENU, ChannelHungUp()]),
    ],
}
WAYS_OF_ANSWERING = [
    pytest.param(name, keys, events, id=f"{name}-{keys.replace(GO_ON, '.')}")
    for name, ways in WAYS.items()
    for keys, events in ways
]


def decided(policy: Policy, events: list[Event]) -> AppendEntry:
    """Step the machine through these events; return the one decision it enters."""
    language = policy.language_of(dialled="1001", channel_language="")
    dialogue, entries = Dialogue(script=script_of(policy)), []
    for event in [CallArrived(language), *events]:
        dialogue, commands = step(dialogue, event)
        entries += [command for command in commands if isinstance(command, AppendEntry)]
    (entry,) = entries
    return entry


def test_every_policy_that_asks_is_tried() -> None:
    assert set(WAYS) == set(POLICIES) - {"p4-plain"}


@pytest.mark.parametrize(("name", "keys", "events"), WAYS_OF_ANSWERING)
def test_a_rehearsal_comes_to_what_the_dialogue_comes_to(name: str, keys: str, events: list[Event]) -> None:
    entry = decided(POLICIES[name], events)
    result = result_of(rehearsal(name), keys)
    assert (result.outcome, result.digit, result.reason) == (entry.outcome, entry.digit, entry.reason)


@pytest.mark.parametrize(("name", "keys", "events"), WAYS_OF_ANSWERING)
def test_only_what_allows_it_is_recorded_and_keeps_the_number(
    name: str, keys: str, events: list[Event]
) -> None:
    shown, withheld = result_of(rehearsal(name), keys), result_of(rehearsal(name, caller=None), keys)
    outcome = decided(POLICIES[name], events).outcome
    language = shown.language
    told = tuple(each.name for each in POLICIES[name].announced_purposes(language)) if language else ()
    assert shown.recorded is outcome.allows_recording
    assert shown.caller == ("+442079460101" if outcome.allows_recording else None)
    assert withheld.caller is None
    assert shown.granted == (told if outcome.allows_recording else ())
    assert {*shown.granted, *(name for name, _ in shown.not_granted)} == {
        purpose.name for purpose in POLICIES[name].purposes
    }


@pytest.mark.parametrize(
    ("name", "keys", "outcome", "recorded", "language"),
    [
        ("p1-nl", f"{GO_ON}1", "given", "1", "nl"),
        ("p1-nl", "2", "refused", "0", "nl"),
        ("p3-nl", GO_ON, "informed", "1", "nl"),
        ("p5-be", "9", "objected", "0", ""),
        ("p1-nl", HANG_UP, "", "0", ""),
    ],
)
def test_the_dialplan_reads_what_the_extension_sets(
    name: str, keys: str, outcome: str, recorded: str, language: str
) -> None:
    variables = result_of(rehearsal(name), keys).variables
    assert variables == {
        "CONSENT_OUTCOME": outcome,
        "CONSENT_RECORDED": recorded,
        "CONSENT_LANGUAGE": language,
        "CONSENT_ID": ALIAS,
    }
    dialplan = (PROJECT / "dialplan/asterisk-consent.conf").read_text("utf-8")
    assert set(variables) == set(re.findall(r"^;     (CONSENT_[A-Z]+)  ", dialplan, re.MULTILINE))


def test_a_call_that_is_left_alone_is_not_asked() -> None:
    for conversation in (rehearsal("p4-plain"), rehearsal("p5-be", dialled="1008")):
        assert conversation.begin() == []
        assert conversation.result is not None
        assert conversation.result.outcome is None
        assert conversation.result.variables["CONSENT_OUTCOME"] == "off"
        assert conversation.result.variables["CONSENT_ID"] == ""
        assert conversation.take("1") == []


def test_the_number_dialled_chooses_the_language_and_with_it_the_purposes() -> None:
    english = result_of(rehearsal("p1-nl", dialled="1021"), f"{GO_ON}1")
    dutch = result_of(rehearsal("p1-nl"), f"{GO_ON}1")
    assert (english.language, english.granted, english.not_granted) == ("en", ("training", "quality"), ())
    assert (dutch.language, dutch.granted) == ("nl", ("training",))
    assert dutch.not_granted == (("quality", "not announced in nl"),)


def test_what_is_spoken_is_what_the_texts_say_in_their_order() -> None:
    happened = had(rehearsal("p5-be"), f"{NAMED}3")
    heard = [(each.part, each.language) for each in happened if isinstance(each, Spoken)]
    assert heard == [*((Part.MENU, tag) for tag in ("nl", "fr", "en", "de")), (Part.INFORMATION, "en")]
    assert happened[-1] == Spoken(Part.INFORMATION, "en", SPOKEN["p5-be"]["en"]["information"])
    assert happened[-2] == Waiting(4.0)


def test_a_digit_breaks_off_what_is_spoken_or_says_that_it_has_no_effect() -> None:
    assert had(rehearsal("p1-nl"), "1")[1:] == [NoEffect("1", wrong=False)]
    assert had(rehearsal("p1-nl"), "2")[1:] == [BrokenOff(Part.INFORMATION)]
    assert had(rehearsal("p5-be"), "15")[-1] == NoEffect("5", wrong=True)
    assert had(rehearsal("p1-nl"), "A")[1:] == [NotUnderstood("A")]


def test_a_language_without_an_announcement_ends_unrecorded() -> None:
    name = "p1-nl"
    call = rehearsal(name)._call
    conversation = Rehearsal(POLICIES[name], {}, call, region="NL")
    result = result_of(conversation, "")
    assert result.outcome is Outcome.FAILED
    assert not result.recorded
    assert "nl: information" in result.reason


KEYS = st.one_of(st.sampled_from([*DIGITS, GO_ON, GO_ON, TIME_OUT]), st.text(max_size=2))


@given(name=st.sampled_from(sorted(POLICIES)), keys=st.lists(KEYS, max_size=40))
def test_whatever_is_typed_ends_once_the_caller_hangs_up(name: str, keys: list[str]) -> None:
    conversation = rehearsal(name)
    had(conversation, [*keys, HANG_UP])
    assert conversation.result is not None
    if conversation.result.recorded:
        assert conversation.result.outcome in (Outcome.GIVEN, Outcome.INFORMED)


@given(name=st.sampled_from(sorted(POLICIES)), digits=st.lists(st.sampled_from(DIGITS), max_size=12))
def test_patience_alone_ends_every_conversation(name: str, digits: list[str]) -> None:
    conversation = rehearsal(name)
    had(conversation, [*digits, *GO_ON * 100])
    assert conversation.result is not None
