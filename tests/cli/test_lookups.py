"""A look by number: who looked, why, and how much it led to is entered before anything is told; the number is not."""

from pathlib import Path

import click
import pytest

from asterisk_consent.errors import ConsentError, LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger import verify
from asterisk_consent.ledger.apart import entries_apart
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.rights import erasing
from tests.cli.test_asking import KNOWN, STRANGER
from tests.cli.test_objecting import LIFT, opened
from tests.cli.typing_commands import Desk
from tests.rights.kept_calls import NUMBER

WHY = ("--reason", "a complaint of 3 May")
LOOK = ("calls", "list", "--number", NUMBER, *WHY)


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await Desk.begin(tmp_path)


def looks(desk: Desk) -> list[tuple[str, str, int]]:
    """The looks that were entered: to whose calls, among what, and how much was found."""
    return [(row["controller"], row["among"], row["found"]) for row in desk.answer("calls", "lookups")]


def test_who_looked_why_and_how_many_calls_were_found_is_entered_for_each_controller(desk: Desk) -> None:
    desk.recorded(1)
    desk.recorded(2)
    desk.evidence(3)
    assert len(desk.answer(*LOOK)) == 3
    first, second = (desk.kept.controller(name) for name in ("p1-nl", "p5-be"))
    assert sorted(looks(desk)) == sorted([(first, "calls", 2), (second, "calls", 1)])
    entry = desk.answer("calls", "lookups")[0]["entry"]
    look = opened(desk, entry)
    assert (look["person"], look["reason"]) == (desk.person, WHY[1])
    assert NUMBER[1:] not in str(look)
    assert verify(desk.kept.held.ledger).problem is None


def test_a_look_that_finds_nothing_is_entered_too(desk: Desk) -> None:
    desk.recorded(1)
    error = desk.type("calls", "list", "--number", STRANGER, *WHY).exception
    assert isinstance(error, RequestRefusedError)
    assert looks(desk) == [(desk.kept.controller("p1-nl"), "calls", 0)]


@pytest.mark.parametrize(
    "reason", [(), ("--reason", ""), ("--reason", " \t")], ids=["none", "empty", "blank"]
)
def test_without_a_reason_nobody_is_looked_up_and_nothing_is_entered(
    desk: Desk, reason: tuple[str, ...]
) -> None:
    desk.recorded(1)
    before = verify(desk.kept.held.ledger).entries
    result = desk.type("calls", "list", "--number", NUMBER, *reason)
    assert isinstance(result.exception, RequestRefusedError)
    assert "Say why with --reason" in str(result.exception)
    assert (result.output, verify(desk.kept.held.ledger).entries) == ("", before)


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["table", "json"])
def test_a_look_by_number_is_entered_before_anything_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, as_json: tuple[str, ...]
) -> None:
    desk.recorded(1)
    told: list[int] = []

    def shown(*_: object, **__: object) -> None:
        rows = entries_apart(desk.kept.held.ledger)
        told.append(sum(row.kind is Kind.NUMBER_LOOKED_UP for row in rows))

    monkeypatch.setattr("asterisk_consent.cli.listing.Console.print", shown)
    monkeypatch.setattr(click, "echo", shown)
    desk.type(*LOOK, *as_json)
    assert told, "nothing was shown"
    assert set(told) == {1}, "it was shown before it was entered"


LOOKING = [
    LOOK,
    ("calls", "list", "--number", STRANGER, *WHY),
    ("withdraw", "--number", STRANGER, *KNOWN),
    ("restrict", "--lift", "--number", NUMBER, *WHY),
    ("object", "--number", NUMBER, *KNOWN),
    ("object", "--number", NUMBER, *LIFT),
]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_where_it_cannot_be_entered_nothing_is_told_of_a_number(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    desk.recorded(1)
    desk.answer("object", "--number", STRANGER, *KNOWN)

    def unavailable(*_: object, **__: object) -> None:
        raise LedgerUnavailableError("disk full")

    monkeypatch.setattr(erasing, "append_from_outside", unavailable)
    result = desk.type(*words)
    assert isinstance(result.exception, LedgerUnavailableError), result.exception
    assert result.output == ""


@pytest.mark.parametrize(
    ("words", "among"),
    [
        (("withdraw", "--number", STRANGER, "--asked-by", "somebody"), "calls"),
        (("erase", "--number", STRANGER, *KNOWN), "calls"),
        (("restrict", "--lift", "--number", NUMBER, *WHY), "calls"),
        (("object", "--number", NUMBER, *LIFT), "objections"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_request_by_number_that_comes_to_nothing_is_entered_as_a_look(
    desk: Desk, words: tuple[str, ...], among: str
) -> None:
    desk.recorded(1)
    controller = desk.kept.controller("p1-nl")
    desk.answer("object", "--number", STRANGER, "--controller", controller, *KNOWN)
    assert isinstance(desk.type(*words).exception, ConsentError)
    found = 1 if "restrict" in words else 0
    assert looks(desk) == [(controller, among, found)]


@pytest.mark.parametrize("words", [("withdraw", *KNOWN), ("erase", *KNOWN), ("restrict", *KNOWN)])
def test_a_request_by_number_needs_no_second_entry(desk: Desk, words: tuple[str, ...]) -> None:
    desk.recorded(1)
    desk.answer(*words, "--number", NUMBER)
    assert looks(desk) == []


def test_lists_that_find_nobody_need_no_reason_and_enter_nothing(desk: Desk) -> None:
    desk.recorded(1, receipt="111122223333")
    before = verify(desk.kept.held.ledger).entries
    for words in (
        ("calls", "list"),
        ("calls", "list", "--receipt", "111122223333"),
        ("calls", "show", "10000000"),
        ("calls", "lookups"),
        ("requests", "list"),
        ("recordings", "list"),
        ("legal-hold", "list"),
        ("retention", "plan"),
    ):
        result = desk.type(*words)
        assert result.exit_code == 0, words
        assert NUMBER[1:] not in result.output
    assert verify(desk.kept.held.ledger).entries == before


def test_a_reason_that_would_not_be_entered_is_not_taken(desk: Desk) -> None:
    assert desk.type("calls", "list", *WHY).exit_code == 2
