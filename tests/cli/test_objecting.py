"""``object``: one list for each controller, which outlives every call and names no number."""

import json
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger import verify
from asterisk_consent.vault.recipients import recipients_path
from tests.cli.test_asking import KNOWN, STRANGER
from tests.cli.typing_commands import Desk
from tests.rights.kept_calls import NUMBER

LIFT = ("--lift", "--reason", "moved", *KNOWN)


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await Desk.begin(tmp_path)


def test_an_objection_is_entered_once_for_each_controller_and_lifted_where_it_is(desk: Desk) -> None:
    first, second = sorted(desk.kept.controller(name) for name in ("p1-nl", "p5-be"))
    assert desk.answer("object", "--number", NUMBER, "--controller", first, *KNOWN)[0]["changed"]
    both = desk.answer("object", "--number", NUMBER, *KNOWN)
    assert [(row["controller"], row["objects"], row["changed"]) for row in both] == [
        (first, True, False),
        (second, True, True),
    ]
    desk.answer("object", "--number", STRANGER, "--controller", second, *KNOWN)
    desk.answer("object", "--number", NUMBER, "--controller", second, *LIFT)
    printed = desk.type("object", "--number", NUMBER, *LIFT).stdout
    assert printed.splitlines() == [
        f"{first}: no longer on the list of objections.",
        f"{second}: not on the list of objections.",
    ]


def test_who_asked_how_that_is_known_and_who_took_it_is_entered_sealed(desk: Desk) -> None:
    controller = desk.kept.controller("p1-nl")
    typed = ("object", "--number", "-", "--asked-by", "-", *KNOWN[2:], "--controller", controller)
    assert desk.type(*typed, keys=f"{NUMBER}\nAnna Voorbeeld\n").exit_code == 0
    assert desk.type(*typed, "--lift", "--reason", "moved", keys=f"{NUMBER}\nAnna\n").exit_code == 0
    entered, lifted = desk.answer("requests", "list")
    assert [(row["right"], row["state"]) for row in (entered, lifted)] == [
        ("objection", "carried out"),
        ("objection", "lifted"),
    ]
    first, second = (opened(desk, row["entry"]) for row in (entered, lifted))
    assert first | {"subject": ""} == {
        "type": "objection",
        "subject": "",
        "asked_by": "Anna Voorbeeld",
        "identified_by": KNOWN[3],
        "person": desk.person,
        "reason": "",
    }
    assert (second["asked_by"], second["reason"]) == ("Anna", "moved")
    assert desk.kept.holds_bytes(b"Anna", NUMBER.encode(), NUMBER[1:].encode()) == []


def test_an_objection_that_changes_nothing_is_entered_all_the_same(desk: Desk) -> None:
    for who in ("Anna", "Bert"):
        desk.answer("object", "--number", NUMBER, "--asked-by", who, *KNOWN[2:])
    rows = [row for row in desk.answer("requests", "list") if row["controller"] == rows_of(desk)]
    assert [opened(desk, row["entry"])["asked_by"] for row in rows] == ["Anna", "Bert"]


def test_who_objects_to_a_controller_without_keys_is_on_its_list_and_named_nowhere(desk: Desk) -> None:
    recipients_path(rows_of(desk), desk.kept.held.keys).unlink()
    assert desk.answer("object", "--number", NUMBER, "--controller", rows_of(desk), *KNOWN)[0]["objects"]
    (row,) = desk.answer("requests", "list")
    refused = desk.type("requests", "show", str(row["entry"]), "--reason", "a complaint").exception
    assert isinstance(refused, RequestRefusedError)
    lifted = desk.type("object", "--number", NUMBER, *LIFT).exception
    assert isinstance(lifted, LedgerUnavailableError), (
        "calls may be recorded again, and nobody would be named"
    )


def test_an_entry_about_no_call_is_opened_with_a_reason_that_is_entered_first(desk: Desk) -> None:
    desk.answer("object", "--number", NUMBER, *KNOWN)
    entry = desk.answer("requests", "list")[0]["entry"]
    before = verify(desk.kept.held.ledger).entries
    refused = desk.type("requests", "show", str(entry))
    assert isinstance(refused.exception, RequestRefusedError)
    assert (refused.output, verify(desk.kept.held.ledger).entries) == ("", before)
    assert opened(desk, entry)["asked_by"] == "the caller"
    assert opened(desk, before + 1) == {
        "type": "access",
        "what": f"entry {entry}",
        "person": desk.person,
        "reason": "a complaint",
        "purpose": "",
    }


@pytest.mark.parametrize("entry", ["1", "2", "9999"])
def test_an_entry_that_is_no_objection_and_no_look_is_not_opened(desk: Desk, entry: str) -> None:
    before = verify(desk.kept.held.ledger).entries
    refused = desk.type("requests", "show", entry, "--reason", "a complaint").exception
    assert isinstance(refused, RequestRefusedError)
    assert "calls lookups" in refused.remedy
    assert verify(desk.kept.held.ledger).entries == before


def opened(desk: Desk, entry: int) -> dict[str, str]:
    """What was sealed in an entry."""
    result = desk.type("requests", "show", str(entry), "--reason", "a complaint")
    assert result.exit_code == 0, result.exception
    payload: dict[str, str] = json.loads(result.stdout)["payload"]
    return payload


def rows_of(desk: Desk) -> str:
    """The controller that these tests look at."""
    return desk.kept.controller("p1-nl")


def test_an_objection_outlives_the_erasure_of_every_call(desk: Desk) -> None:
    call_id = desk.recorded(1)
    desk.answer("object", "--number", NUMBER, *KNOWN)
    desk.answer("erase", call_id, *KNOWN)
    assert not any(row["changed"] for row in desk.answer("object", "--number", NUMBER, *KNOWN))


def test_a_policy_file_that_cannot_be_read_keeps_nobody_from_objecting(desk: Desk) -> None:
    desk.kept.place.file_of("p5-be").write_text("no policy")
    assert len(desk.answer("object", "--number", NUMBER, *KNOWN)) == 2


def test_what_is_recorded_by_law_is_said_to_who_objects(desk: Desk) -> None:
    desk.kept.place.change("p1-nl", "version = 1", "version = 2")
    desk.kept.place.change("p1-nl", 'basis = "consent"', 'basis = "legal-obligation"')
    desk.kept.place.change("p1-nl", 'mode = "opt-in"', 'mode = "notice"')
    desk.kept.place.approve("p1-nl")
    printed = desk.type("object", "--number", NUMBER, *KNOWN).stdout
    assert "a law demands recordings under p1-nl all the same" in printed
