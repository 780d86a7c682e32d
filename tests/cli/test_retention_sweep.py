"""``retention plan`` and ``retention sweep``: what goes when, as somebody types it, and never on a doubtful clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerError, RequestRefusedError
from asterisk_consent.ledger import NewEntry, verify
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind
from asterisk_consent.ledger.payload import Service
from asterisk_consent.model import Right
from asterisk_consent.rights.requests import Asking
from tests.cli.test_asking import KNOWN, refusal
from tests.cli.test_legal_hold import held
from tests.cli.typing_commands import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    desk = await Desk.begin(tmp_path)
    assert desk.type("retention", "sweep", "--clock-is-right").exit_code == 0
    return desk


def entered_at(desk: Desk, moment: datetime) -> None:
    desk.kept.clock.now = moment.timestamp()
    desk.kept.append(NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0")))
    desk.kept.clock.now = datetime.now(UTC).timestamp()


def test_the_sweep_says_how_many_went_and_a_second_one_finds_nothing(desk: Desk) -> None:
    old, new = desk.recorded(1, days_ago=200), desk.recorded(2)
    result = desk.type("retention", "sweep")
    assert result.exit_code == 0
    assert result.stdout == "Recordings erased: 1. Calls of which the proof was erased: 0.\n"
    assert (desk.has_audio(old), desk.has_audio(new)) == (False, True)
    assert desk.answer("retention", "sweep") == {"recordings": 0, "proofs": 0}
    assert verify(desk.kept.held.ledger).problem is None


def test_the_proof_of_a_call_whose_term_ended_goes_too(desk: Desk) -> None:
    call_id = desk.recorded(1, days_ago=3000)
    assert "Calls of which the proof has outlived its term" not in desk.type("retention", "plan").stdout
    desk.answer("retention", "sweep")
    assert "Calls of which the proof has outlived its term, and goes too: 1." in (
        desk.type("retention", "plan").stdout
    )
    assert desk.answer("retention", "sweep") == {"recordings": 0, "proofs": 1}
    assert not desk.is_known(call_id)


@pytest.mark.parametrize("jump", [timedelta(days=-30), timedelta(hours=1)])
def test_a_doubtful_clock_lets_nothing_go_until_somebody_vouches_for_it(desk: Desk, jump: timedelta) -> None:
    call_id = desk.recorded(1, days_ago=200)
    entered_at(desk, datetime.now(UTC) + jump)
    error = refusal(desk, "retention", "sweep")
    assert "the clock" in str(error)
    assert "--clock-is-right" in error.remedy
    assert desk.has_audio(call_id)
    assert desk.answer("retention", "sweep", "--clock-is-right")["recordings"] == 1
    assert desk.answer("retention", "sweep") == {"recordings": 0, "proofs": 0}


def test_a_hold_is_released_on_a_doubtful_clock_but_nothing_is_erased(desk: Desk) -> None:
    call_id = desk.evidence(1, days_ago=200)
    hold_id = held(desk, call_id)
    entered_at(desk, datetime.now(UTC) - timedelta(days=30))
    result = desk.type("legal-hold", "release", hold_id, "--reason", "closed")
    assert isinstance(result.exception, RequestRefusedError)
    assert "released." in result.stdout
    assert desk.has_audio(call_id)
    assert desk.answer("retention", "sweep", "--clock-is-right")["recordings"] == 1


def test_a_withdrawal_that_waited_is_carried_out_by_a_sweep_without_the_service(desk: Desk) -> None:
    call_id = desk.recorded(1)
    desk.kept.clock.now -= 25 * 3600
    seq = desk.kept.requests.enter(waiting(), call_id)
    desk.kept.clock.now += 25 * 3600
    assert desk.answer("retention", "sweep", "--clock-is-right")["recordings"] == 1
    assert desk.kept.requests.unsettled() == []
    assert seq


def waiting() -> Asking:
    return Asking(right=Right.WITHDRAWAL, asked_by="somebody", identified_by="", person="m.jansen")


def test_the_plan_says_who_holds_it_and_who_asked_and_when_it_really_goes(desk: Desk) -> None:
    call_id = desk.evidence(1)
    held(desk, call_id, "--until", "2030-07-31")
    desk.answer("withdraw", call_id, *KNOWN)
    (planned,) = desk.answer("retention", "plan")
    assert planned["kept_until"] == "2030-08-01T00:00:00+02:00"
    assert planned["asked"] == ["withdrawal"]
    assert [(hold["case"], hold["until"]) for hold in planned["holds"]] == [
        ("C 12", "2030-07-31T22:00:00+00:00")
    ]
    assert not planned["due"]
    line = " ".join(desk.type("retention", "plan").stdout.splitlines()[1].split())
    assert "2030-08-01 00:00 CEST kept withdrawal asked; quality, evidence until" in line
    assert "held for evidence, case C 12" in line


def test_a_hold_that_waits_is_told_as_waiting(desk: Desk) -> None:
    words = ("--purpose", "evidence", "--case", "C 12", "--reason", "why")
    desk.answer("legal-hold", "place", desk.evidence(1), *words)
    assert "case C 12 waits for a second person" in desk.type("retention", "plan").stdout


def test_an_empty_plan_says_so(desk: Desk) -> None:
    assert "There is no recording." in desk.type("retention", "plan").stdout
    assert "No recording has outlived its terms." in desk.type("retention", "plan", "--due").stdout


def test_a_sweep_while_the_service_runs_leaves_emptying_the_logs_to_it(desk: Desk) -> None:
    desk.recorded(1, days_ago=200)
    with desk.service_there():
        assert desk.answer("retention", "sweep") == {"recordings": 1, "proofs": 0}


def test_without_a_ledger_both_say_why_not(desk: Desk) -> None:
    desk.kept.held.ledger.unlink()
    for command in ("plan", "sweep"):
        error = desk.type("retention", command).exception
        assert isinstance(error, LedgerError)
        assert "service" in error.remedy
