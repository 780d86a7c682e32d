"""Legal holds: only what the policy lets be extended, never past its limit, with a second person where it says so."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger import find_call, verify
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import HoldRow, legal_holds
from asterisk_consent.model import Outcome, Right
from asterisk_consent.rights.holding import Placing, confirm, find_hold, holds_of_case, place, release
from asterisk_consent.rights.retention import plan
from asterisk_consent.rights.sweeping import sweep
from tests.rights.kept_calls import BEGAN_AT, KeptCalls, withdrawal

AFTER_THE_TERM = BEGAN_AT + timedelta(days=40)
TODAY, LAST_DAY = BEGAN_AT.date(), date(2037, 1, 15)


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    return await KeptCalls.begin(tmp_path, "p1-nl", "p5-be")


@pytest.fixture
def call_id(kept: KeptCalls) -> str:
    return kept.recorded(1, policy="p5-be", purposes=("quality", "evidence"), outcome=Outcome.INFORMED)


def placed(kept: KeptCalls, call_id: str, *, purpose: str = "evidence", until: date | None = None) -> HoldRow:
    placing = Placing(
        call_id=call_id, purpose=purpose, case="C 12", reason="suspicion", person="a.devos", until=until
    )
    return place(placing, kept.held)


def confirmed(kept: KeptCalls, call_id: str) -> HoldRow:
    hold = placed(kept, call_id)
    return confirm(hold.hold_id, person="b.maes", reason="agreed", held=kept.held)


def sweep_at(kept: KeptCalls, moment: datetime) -> int:
    kept.clock.now = moment.timestamp()
    return sweep(kept.held, clock_confirmed_by="somebody").recordings


def test_a_confirmed_hold_keeps_a_recording_past_its_term_and_its_release_lets_it_go(
    kept: KeptCalls, call_id: str
) -> None:
    hold = confirmed(kept, call_id)
    assert sweep_at(kept, AFTER_THE_TERM) == 0
    release(hold, person="a.devos", reason="the case is closed", held=kept.held)
    assert sweep_at(kept, AFTER_THE_TERM) == 1
    assert not recordings_of(kept.held.ledger, call_id)[0].has_audio


def test_a_hold_that_waits_for_a_second_person_keeps_nothing(kept: KeptCalls, call_id: str) -> None:
    hold = placed(kept, call_id)
    assert not hold.confirmed_seq
    assert sweep_at(kept, AFTER_THE_TERM) == 1


def test_who_placed_it_is_no_second_person(kept: KeptCalls, call_id: str) -> None:
    hold = placed(kept, call_id)
    with pytest.raises(RequestRefusedError, match="second person"):
        confirm(hold.hold_id, person="a.devos", reason="", held=kept.held)
    assert not find_hold(hold.hold_id, kept.held).confirmed_seq


def test_a_hold_ends_by_itself_with_the_last_hour_of_its_last_day_at_the_controllers(
    kept: KeptCalls, call_id: str
) -> None:
    hold = placed(kept, call_id, until=date(2027, 2, 24))
    confirm(hold.hold_id, person="b.maes", reason="", held=kept.held)
    over = datetime(2027, 2, 25, tzinfo=ZoneInfo("Europe/Brussels"))
    assert sweep_at(kept, over - timedelta(seconds=1)) == 0
    assert sweep_at(kept, over) == 1


@pytest.mark.parametrize(
    ("purpose", "until", "why"),
    [
        ("quality", None, "no recording be kept longer for 'quality'"),
        ("marketing", None, "no recording be kept longer for 'marketing'"),
        ("evidence", LAST_DAY + timedelta(days=1), "one from today to 2037-01-15"),
        ("evidence", TODAY - timedelta(days=1), "one from today to 2037-01-15"),
    ],
)
def test_what_the_policy_does_not_let_be_held_is_refused(
    kept: KeptCalls, call_id: str, purpose: str, until: date | None, why: str
) -> None:
    with pytest.raises(RequestRefusedError, match=why):
        placed(kept, call_id, purpose=purpose, until=until)


def test_a_purpose_that_was_not_granted_for_the_call_is_refused(kept: KeptCalls) -> None:
    other = kept.recorded(2, policy="p5-be", purposes=("quality",), outcome=Outcome.INFORMED)
    with pytest.raises(RequestRefusedError, match="no recording be kept longer"):
        placed(kept, other)


def test_without_an_until_it_holds_as_long_as_the_policy_lets_it(kept: KeptCalls, call_id: str) -> None:
    until = datetime.fromtimestamp(placed(kept, call_id).until, UTC)
    assert until == datetime(2037, 1, 15, 23, 0, tzinfo=UTC)
    assert placed(kept, call_id, until=LAST_DAY).until == int(until.timestamp())
    assert placed(kept, call_id, until=TODAY).until > kept.clock.now


def test_a_closed_case_names_all_its_holds_and_no_other(kept: KeptCalls, call_id: str) -> None:
    hold = confirmed(kept, call_id)
    assert [each.hold_id for each in holds_of_case("C 12", kept.held)] == [hold.hold_id]
    release(hold, person="a", reason="closed", held=kept.held)
    with pytest.raises(RequestRefusedError, match="no legal hold"):
        holds_of_case("C 12", kept.held)


def test_a_released_hold_is_not_released_again(kept: KeptCalls, call_id: str) -> None:
    release(confirmed(kept, call_id), person="a", reason="closed", held=kept.held)
    with pytest.raises(RequestRefusedError, match="already"):
        release(legal_holds(kept.held.ledger)[0], person="a", reason="closed", held=kept.held)


def test_what_was_asked_to_go_is_not_held_and_a_hold_that_waited_is_not_confirmed(
    kept: KeptCalls, call_id: str
) -> None:
    waiting = placed(kept, call_id)
    kept.requests.enter(withdrawal(identified_by=""), call_id)
    with pytest.raises(RequestRefusedError, match="a withdrawal was entered"):
        placed(kept, call_id)
    with pytest.raises(RequestRefusedError, match="a withdrawal was entered"):
        confirm(waiting.hold_id, person="b.maes", reason="agreed", held=kept.held)


def test_what_is_only_restricted_can_be_held_for_a_claim(kept: KeptCalls, call_id: str) -> None:
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    assert confirmed(kept, call_id).holds(int(kept.clock.now))


def test_who_confirmed_and_who_released_it_and_why_is_told(kept: KeptCalls, call_id: str) -> None:
    release(confirmed(kept, call_id), person="c.wouters", reason="the case is closed", held=kept.held)
    (hold,) = legal_holds(kept.held.ledger)
    assert (hold.person, hold.confirmed_by) == ("a.devos", "b.maes")
    assert (hold.released_by, hold.released_for) == ("c.wouters", "the case is closed")


@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.ERASURE])
def test_what_a_hold_kept_of_a_withdrawn_call_goes_with_the_release(
    kept: KeptCalls, call_id: str, right: Right
) -> None:
    hold = confirmed(kept, call_id)
    kept.requests.carry_out(kept.requests.enter(withdrawal(right=right), call_id))
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    release(hold, person="a.devos", reason="the case is closed", held=kept.held)

    assert (
        sweep(kept.held, clock_confirmed_by="somebody", only=frozenset({hold.recording_id})).recordings == 1
    )

    assert not any(row.has_audio for row in recordings_of(kept.held.ledger, call_id))
    assert (find_call(kept.held.ledger, call_id) is None) == (right is Right.ERASURE)
    assert verify(kept.held.ledger).problem is None


def test_what_a_hold_kept_of_a_withdrawn_call_goes_when_the_hold_has_ended_by_itself(
    kept: KeptCalls, call_id: str
) -> None:
    hold = placed(kept, call_id, until=date(2027, 1, 20))
    confirm(hold.hold_id, person="b.maes", reason="", held=kept.held)
    kept.requests.carry_out(kept.requests.enter(withdrawal(), call_id))
    assert sweep_at(kept, BEGAN_AT + timedelta(days=5)) == 0
    assert sweep_at(kept, BEGAN_AT + timedelta(days=6)) == 1


def test_the_plan_tells_the_end_of_the_hold_and_not_that_of_the_term(kept: KeptCalls, call_id: str) -> None:
    now = datetime.fromtimestamp(kept.clock.now, UTC)
    hold = confirmed(kept, call_id)
    (planned,) = plan(kept.held.ledger).recordings
    assert planned.kept_until(now) == datetime.fromtimestamp(hold.until, UTC)
    kept.requests.carry_out(kept.requests.enter(withdrawal(), call_id))
    release(hold, person="a.devos", reason="closed", held=kept.held)
    (planned,) = plan(kept.held.ledger).recordings
    assert planned.kept_until(now) == now
    assert planned.is_due(now)
