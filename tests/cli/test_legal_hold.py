"""``legal-hold``: for a case, with a second person where the policy wants one, and let go when the case is closed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger import verify
from tests.cli.test_asking import KNOWN, refusal
from tests.cli.typing_commands import Desk

FOR_EVIDENCE = ("--purpose", "evidence", "--case", "C 12", "--reason", "fraud suspected")
CLOSED = ("--case", "C 12", "--reason", "the case is closed")


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await Desk.begin(tmp_path)


def held(desk: Desk, call_id: str, *words: str) -> str:
    """Place a hold as one person and confirm it as another; return its id."""
    hold_id = str(desk.answer("legal-hold", "place", call_id, *FOR_EVIDENCE, *words)["id"])
    desk.person = "b.maes"
    assert desk.answer("legal-hold", "confirm", hold_id)["state"] == "holds"
    return hold_id


def test_a_hold_waits_for_a_second_person_and_says_how_to_confirm_it(desk: Desk) -> None:
    result = desk.type("legal-hold", "place", desk.evidence(1)[:8], *FOR_EVIDENCE)
    assert result.exit_code == 0
    (hold,) = desk.answer("legal-hold", "list")
    assert (hold["state"], hold["placed_by"], hold["confirmed_by"]) == ("waits", "m.jansen", None)
    short = hold["id"][:8]
    assert result.stdout.endswith(f"until a second person confirms it: legal-hold confirm {short}\n")

    assert "second person" in str(refusal(desk, "legal-hold", "confirm", short))
    desk.person = "b.maes"
    assert desk.type("legal-hold", "confirm", short).stdout.startswith(f"{short}: holds until 20")
    (hold,) = desk.answer("legal-hold", "list")
    assert (hold["state"], hold["confirmed_by"]) == ("holds", "b.maes")


@pytest.mark.parametrize("until", ["31-12-2026", "2027-02-30", "tomorrow", ""])
def test_a_last_day_that_is_none_is_wrong_usage(desk: Desk, until: str) -> None:
    result = desk.type("legal-hold", "place", desk.evidence(1), *FOR_EVIDENCE, "--until", until)
    assert result.exit_code == 2
    assert "YYYY-MM-DD" in result.stderr
    assert desk.answer("legal-hold", "list") == []


def test_a_last_day_is_one_at_the_controllers_and_held_to_its_last_hour(desk: Desk) -> None:
    hold = desk.answer("legal-hold", "place", desk.evidence(1), *FOR_EVIDENCE, "--until", "2030-07-31")
    assert hold["until"] == "2030-07-31T22:00:00+00:00"


@pytest.mark.parametrize("until", ["2020-01-01", "2099-01-01"])
def test_a_last_day_that_the_policy_does_not_let_is_refused_with_those_it_lets(
    desk: Desk, until: str
) -> None:
    error = refusal(desk, "legal-hold", "place", desk.evidence(1), *FOR_EVIDENCE, "--until", until)
    assert "is one from today to 20" in str(error)
    assert "at most 10 years" in error.remedy


def test_what_the_policy_does_not_let_be_held_is_refused(desk: Desk) -> None:
    call_id, training = desk.evidence(1), desk.recorded(2)
    refused, running = desk.refused(3), desk.running(4)
    for which, purpose, why in (
        (call_id, "quality", "It does for: evidence"),
        (training, "training", "It does for no purpose"),
        (refused, "training", "no audio"),
        (running, "training", "no audio"),
        ("fffffff0", "evidence", "no such call"),
        ("1000", "evidence", "no such call"),
    ):
        words = ("--purpose", purpose, "--case", "C 12", "--reason", "why")
        assert why in str(refusal(desk, "legal-hold", "place", which, *words))


def test_what_was_withdrawn_is_not_held(desk: Desk) -> None:
    call_id = desk.evidence(1)
    held(desk, call_id)
    answer = desk.answer("withdraw", call_id, *KNOWN)[0]
    assert "legal hold for evidence, case C 12" in answer["copies"][0]["note"]
    assert "nothing extends" in str(refusal(desk, "legal-hold", "place", call_id, *FOR_EVIDENCE))


def test_when_the_case_is_closed_what_was_withdrawn_meanwhile_is_erased(desk: Desk) -> None:
    withdrawn, other = desk.evidence(1), desk.evidence(2)
    for call_id in (withdrawn, other):
        desk.person = "m.jansen"
        held(desk, call_id)
    desk.answer("withdraw", withdrawn, *KNOWN)
    assert desk.has_audio(withdrawn)

    result = desk.type("legal-hold", "release", *CLOSED)

    assert result.exit_code == 0
    assert "since nothing keeps them any more: 1 of 2" in result.stdout
    assert (desk.has_audio(withdrawn), desk.has_audio(other)) == (False, True)
    assert desk.answer("legal-hold", "list") == []
    released = desk.answer("legal-hold", "list", "--all")
    assert {(hold["state"], hold["released_for"]) for hold in released} == {
        ("released", "the case is closed")
    }
    assert verify(desk.kept.held.ledger).problem is None


def test_when_a_hold_is_released_what_has_outlived_its_terms_is_erased(desk: Desk) -> None:
    call_id = desk.evidence(1, days_ago=200)
    hold_id = held(desk, call_id)
    assert desk.answer("retention", "sweep")["recordings"] == 0
    released = desk.answer("legal-hold", "release", hold_id[:8], "--reason", "the case is closed")
    assert released == {"released": [hold_id], "recordings_erased": 1}
    assert not desk.has_audio(call_id)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("release", "--reason", "closed"), 2),
        (("release", "12345678", *CLOSED), 2),
        (("release", "12345678"), 2),
        (("release", "12345678", "--reason", "closed"), 1),
        (("release", *CLOSED), 1),
        (("confirm", "12345678"), 1),
        (("confirm", "1"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_names_no_hold_is_told(desk: Desk, words: tuple[str, ...], status: int) -> None:
    result = desk.type("legal-hold", *words)
    assert result.exit_code == (status if status == 2 else 1)
    assert status == 2 or isinstance(result.exception, RequestRefusedError)


def test_the_list_for_people_says_who_placed_confirmed_and_released_it_and_why(desk: Desk) -> None:
    call_id = desk.evidence(1)
    held(desk, call_id)
    until = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    desk.person = "m.jansen"
    desk.answer("legal-hold", "place", call_id, *FOR_EVIDENCE, "--until", until)
    desk.answer("legal-hold", "release", "--case", "C 12", "--reason", "settled")
    first, second = desk.type("legal-hold", "list", "--all").stdout.splitlines()[1:]
    assert "m.jansen   b.maes" in first
    assert "fraud suspected; released by m.jansen: settled" in first
    assert "released" in second
    assert "There is no legal hold." in desk.type("legal-hold", "list").stdout
