"""Invariants 14, 15: what was objected to, held and asked since the backup stands in the ledger that is restored."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger import find_call, verify
from asterisk_consent.ledger.erasure_parts import ErasureParts
from asterisk_consent.ledger.erasures import read_journal
from asterisk_consent.ledger.history import ledger_id
from asterisk_consent.ledger.noted import What
from asterisk_consent.ledger.payload import Restored
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import legal_holds, list_requests, objections, standing_of
from asterisk_consent.model import Outcome, Right
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.holding import Placing, confirm, place, release
from asterisk_consent.rights.objecting import Objector, lift_objection, object_to, objector
from asterisk_consent.rights.reentering import CASE
from asterisk_consent.rights.requests import GRACE_S, Asking
from asterisk_consent.rights.restoring import RestoreReport
from asterisk_consent.rights.sweeping import sweep
from asterisk_consent.vault.proof_keys import blind_path
from tests.rights.backed_up import BackedUp, back_up_all, entered, erase, restored
from tests.rights.kept_calls import BEGAN_AT, NUMBER, KeptCalls, withdrawal

AFTER_THE_TERM = BEGAN_AT + timedelta(days=40)


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    place = tmp_path / "place"
    place.mkdir()
    kept = await KeptCalls.begin(place, "p1-nl", "p5-be")
    kept.trust_the_clock()
    return kept


@pytest.fixture
def call_id(kept: KeptCalls) -> str:
    return kept.recorded(1, policy="p5-be", purposes=("quality", "evidence"), outcome=Outcome.INFORMED)


@pytest.fixture
def saved(kept: KeptCalls, call_id: str, elsewhere: Path) -> BackedUp:
    return back_up_all(kept, elsewhere)


def objection() -> Asking:
    return Asking(
        right=Right.OBJECTION,
        asked_by="the caller",
        identified_by="called back",
        person="m.jansen",
        reason="asked",
    )


def who(kept: KeptCalls) -> Objector:
    return objector(NUMBER, region="NL", controller=kept.controller("p1-nl"), held=kept.held)


def held(kept: KeptCalls, call_id: str) -> str:
    placing = Placing(call_id=call_id, purpose="evidence", case="C 12", reason="suspicion", person="a.devos")
    hold_id = place(placing, kept.held).hold_id
    confirm(hold_id, person="b.maes", reason="agreed", held=kept.held)
    return hold_id


def lost_and_restored(kept: KeptCalls, saved: BackedUp) -> RestoreReport:
    """Lose the ledger, restore the backup; what is restored verifies."""
    kept.held.ledger.unlink()
    report = restored(kept, saved.ledger)
    assert verify(kept.held.ledger).problem is None
    return report


def swept_at_the_end(kept: KeptCalls) -> int:
    kept.clock.now = AFTER_THE_TERM.timestamp()
    return sweep(kept.held, clock_confirmed_by="somebody").recordings


def test_who_objected_since_the_backup_is_on_the_list_of_the_restored_ledger(
    kept: KeptCalls, saved: BackedUp
) -> None:
    objecting = who(kept)
    object_to(objecting, objection(), kept.held)
    report = lost_and_restored(kept, saved)
    assert objections(kept.held.ledger) == {(objecting.controller, objecting.subject)}
    assert report.reentered.entries == 1
    assert [each.replayed for each in entered(kept.held.ledger) if isinstance(each, Restored)] == [1]


@pytest.mark.parametrize("entered_before", [True, False])
def test_without_the_key_that_recognises_who_objected_a_restore_needs_a_reason(
    kept: KeptCalls, call_id: str, elsewhere: Path, entered_before: bool
) -> None:
    without_objection = back_up_all(kept, elsewhere)
    object_to(who(kept), objection(), kept.held)
    saved = back_up_all(kept, elsewhere / "later")
    backup = saved.ledger if entered_before else without_objection.ledger
    key = blind_path(kept.controller("p1-nl"), kept.held.keys)
    before = key.read_bytes()
    key.unlink()
    with pytest.raises(RequestRefusedError, match="nobody who objected to 'voorbeeld' would be recognised"):
        restored(kept, backup)
    restored(kept, backup, keys=saved.keys)
    assert key.read_bytes() == before
    assert objections(kept.held.ledger) == {(who(kept).controller, who(kept).subject)}


def test_who_was_taken_off_the_list_since_is_off_it(kept: KeptCalls, call_id: str, elsewhere: Path) -> None:
    object_to(who(kept), objection(), kept.held)
    saved = back_up_all(kept, elsewhere)
    kept.clock.now += 60
    lift_objection(who(kept), objection(), kept.held)
    lost_and_restored(kept, saved)
    assert objections(kept.held.ledger) == frozenset()


def test_who_objected_again_is_on_the_list_whatever_was_noted_before(
    kept: KeptCalls, call_id: str, elsewhere: Path
) -> None:
    object_to(who(kept), objection(), kept.held)
    lift_objection(who(kept), objection(), kept.held)
    shutil.copy(kept.held.journal, elsewhere.with_suffix(".old"))
    kept.clock.now += 60
    object_to(who(kept), objection(), kept.held)
    saved = back_up_all(kept, elsewhere)
    kept.held.ledger.unlink()
    kept.held.journal.unlink()
    restored(kept, saved.ledger, erasures=(elsewhere.with_suffix(".old"),))
    assert len(objections(kept.held.ledger)) == 1


def test_a_hold_that_was_placed_since_keeps_the_recording_and_a_release_since_lets_it_go(
    kept: KeptCalls, call_id: str, saved: BackedUp
) -> None:
    hold_id = held(kept, call_id)
    lost_and_restored(kept, saved)
    holds = legal_holds(kept.held.ledger)
    assert [(hold.hold_id, hold.purpose, hold.case) for hold in holds] == [(hold_id, "evidence", CASE)]
    assert swept_at_the_end(kept) == 0
    release(holds[0], person="c", reason="closed", held=kept.held)
    lost_and_restored(kept, saved)
    assert swept_at_the_end(kept) == 1


def test_a_hold_that_waited_in_the_backup_and_was_confirmed_since_holds(
    kept: KeptCalls, call_id: str, elsewhere: Path
) -> None:
    placing = Placing(call_id=call_id, purpose="evidence", case="C 12", reason="suspicion", person="a.devos")
    hold_id = place(placing, kept.held).hold_id
    saved = back_up_all(kept, elsewhere)
    confirm(hold_id, person="b.maes", reason="agreed", held=kept.held)
    lost_and_restored(kept, saved)
    assert swept_at_the_end(kept) == 0
    assert [hold.case for hold in legal_holds(kept.held.ledger)] == ["C 12"]


def test_a_hold_that_waits_for_its_second_person_is_not_entered_again(
    kept: KeptCalls, call_id: str, saved: BackedUp
) -> None:
    placing = Placing(call_id=call_id, purpose="evidence", case="C 12", reason="suspicion", person="a.devos")
    place(placing, kept.held)
    lost_and_restored(kept, saved)
    assert legal_holds(kept.held.ledger) == []


def test_a_withdrawal_that_waited_hides_the_call_and_is_carried_out_at_its_moment(
    kept: KeptCalls, call_id: str, saved: BackedUp
) -> None:
    kept.requests.enter(withdrawal(identified_by=""), call_id)
    lost_and_restored(kept, saved)
    assert standing_of(kept.held.ledger, call_id).is_restricted
    (request,) = list_requests(kept.held.ledger)
    assert request.way == "restore"
    kept.requests.carry_out_again()
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    kept.clock.now += GRACE_S
    kept.requests.carry_out_again()
    assert not recordings_of(kept.held.ledger, call_id)[0].has_audio


def test_a_restriction_stands_and_a_lifted_one_does_not(
    kept: KeptCalls, call_id: str, saved: BackedUp
) -> None:
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    lost_and_restored(kept, saved)
    assert standing_of(kept.held.ledger, call_id).is_restricted
    kept.requests.lift(call_id, person="m", reason="settled")
    lost_and_restored(kept, saved)
    assert not standing_of(kept.held.ledger, call_id).is_restricted


def test_a_restriction_of_the_backup_that_was_lifted_since_is_lifted_and_a_later_one_stands(
    kept: KeptCalls, call_id: str, elsewhere: Path
) -> None:
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    saved = back_up_all(kept, elsewhere)
    kept.requests.lift(call_id, person="m", reason="settled")
    lost_and_restored(kept, saved)
    assert not standing_of(kept.held.ledger, call_id).is_restricted
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    lost_and_restored(kept, saved)
    assert [bool(each.lifted_seq) for each in list_requests(kept.held.ledger)] == [True, False]


def test_what_was_asked_about_a_call_that_is_erased_is_not_entered_again(
    kept: KeptCalls, call_id: str, saved: BackedUp
) -> None:
    erase(kept, call_id)
    report = lost_and_restored(kept, saved)
    assert (report.reentered.entries, report.reentered.about_lost_calls) == (0, 0)
    assert find_call(kept.held.ledger, call_id) is None


def test_what_stood_about_calls_that_are_lost_is_told(kept: KeptCalls, saved: BackedUp) -> None:
    later = kept.recorded(2, policy="p5-be", purposes=("evidence",), outcome=Outcome.INFORMED)
    held(kept, later)
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), later)
    assert lost_and_restored(kept, saved).reentered.about_lost_calls == 1


def test_the_parts_that_went_elsewhere_tell_it_too_where_ledger_and_journal_are_lost(
    kept: KeptCalls, call_id: str, saved: BackedUp, elsewhere: Path
) -> None:
    object_to(who(kept), objection(), kept.held)
    held(kept, call_id)
    ErasureParts(kept.held.journal).bring(elsewhere, ledger_id(kept.held.ledger))
    kept.held.ledger.unlink()
    kept.held.journal.unlink()
    report = restored(kept, saved.ledger, erasures=(elsewhere,))
    assert report.reentered.entries == 2
    assert len(objections(kept.held.ledger)) == len(legal_holds(kept.held.ledger)) == 1
    assert {each.what for each in read_journal(kept.held.journal).notes} == {What.OBJECTED, What.HELD}
    assert lost_and_restored(kept, saved).reentered.entries == 2


def test_the_ledger_in_its_place_tells_it_where_the_journal_is_lost(
    kept: KeptCalls, call_id: str, saved: BackedUp
) -> None:
    object_to(who(kept), objection(), kept.held)
    hold_id = held(kept, call_id)
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    kept.held.journal.unlink()
    assert restored(kept, saved.ledger).reentered.entries == 3
    assert [hold.hold_id for hold in legal_holds(kept.held.ledger)] == [hold_id]
    assert standing_of(kept.held.ledger, call_id).is_restricted


def test_a_newest_backup_needs_nothing_entered_again(kept: KeptCalls, call_id: str, elsewhere: Path) -> None:
    object_to(who(kept), objection(), kept.held)
    held(kept, call_id)
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    saved = back_up_all(kept, elsewhere)
    assert restored(kept, saved.ledger).reentered.entries == 0


def test_without_any_journal_or_ledger_nothing_tells(kept: KeptCalls, saved: BackedUp) -> None:
    assert not lost_and_restored(kept, saved).told
    object_to(who(kept), objection(), kept.held)
    assert lost_and_restored(kept, saved).told


def refuse(*_: object) -> int:
    """Take no entry."""
    raise LedgerUnavailableError("the disk is full")


def noted(kept: KeptCalls) -> list[What]:
    return [each.what for each in read_journal(kept.held.journal).notes] if kept.held.journal.exists() else []


def test_what_protects_is_noted_before_it_is_entered(
    kept: KeptCalls, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Holdings, "append", refuse)
    with pytest.raises(LedgerUnavailableError):
        object_to(who(kept), objection(), kept.held)
    with pytest.raises(LedgerUnavailableError):
        kept.requests.enter(withdrawal(), call_id)
    assert noted(kept) == [What.OBJECTED, What.ASKED]


def test_what_takes_protection_back_is_noted_only_once_it_is_entered(kept: KeptCalls, call_id: str) -> None:
    object_to(who(kept), objection(), kept.held)
    held(kept, call_id)
    kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    before = noted(kept)
    (hold,) = legal_holds(kept.held.ledger)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Holdings, "append", refuse)
        with pytest.raises(LedgerUnavailableError):
            lift_objection(who(kept), objection(), kept.held)
        with pytest.raises(LedgerUnavailableError):
            release(hold, person="m", reason="closed", held=kept.held)
        with pytest.raises(LedgerUnavailableError):
            kept.requests.lift(call_id, person="m", reason="settled")
    assert noted(kept) == before


def test_what_cannot_be_noted_is_entered_all_the_same_and_does_not_count_as_done(
    kept: KeptCalls, call_id: str
) -> None:
    kept.held.journal.unlink(missing_ok=True)
    kept.held.journal.mkdir()
    with pytest.raises(LedgerUnavailableError, match="cannot be written"):
        object_to(who(kept), objection(), kept.held)
    with pytest.raises(LedgerUnavailableError, match="cannot be written"):
        kept.requests.enter(withdrawal(right=Right.RESTRICTION), call_id)
    assert len(objections(kept.held.ledger)) == len(list_requests(kept.held.ledger)) == 1
    kept.held.journal.rmdir()
    assert not object_to(who(kept), objection(), kept.held)
    assert noted(kept) == [What.OBJECTED]
    assert not object_to(who(kept), objection(), kept.held)
    assert noted(kept) == [What.OBJECTED]


def test_the_journal_names_nobody(kept: KeptCalls, call_id: str) -> None:
    object_to(who(kept), objection(), kept.held)
    held(kept, call_id)
    kept.requests.enter(withdrawal(), call_id)
    content = kept.held.journal.read_text()
    for name in (NUMBER, NUMBER[3:], "m.jansen", "a.devos", "b.maes", "the caller", "C 12", "suspicion"):
        assert name not in content
