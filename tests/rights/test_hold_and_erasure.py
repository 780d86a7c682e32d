"""Invariant 15: a legal hold and an erasure at one moment never miss each other: one of the two is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from asterisk_consent.errors import ConsentError, KeysError, LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger.erasures import Journal, opened_journal, read_journal
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import HoldRow, legal_holds
from asterisk_consent.model import CopyState, Outcome, Right
from asterisk_consent.rights import erasing, holding
from asterisk_consent.rights.holding import Placing, confirm, place
from asterisk_consent.rights.sweeping import sweep
from tests.rights.kept_calls import BEGAN_AT, KeptCalls, withdrawal

AFTER_THE_TERM = BEGAN_AT + timedelta(days=40)


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    return await KeptCalls.begin(tmp_path, "p5-be")


@pytest.fixture
def call_id(kept: KeptCalls) -> str:
    call_id = kept.recorded(1, policy="p5-be", purposes=("quality", "evidence"), outcome=Outcome.INFORMED)
    kept.clock.now = AFTER_THE_TERM.timestamp()
    return call_id


def placed(kept: KeptCalls, call_id: str) -> HoldRow:
    placing = Placing(call_id=call_id, purpose="evidence", case="C 12", reason="suspicion", person="a.devos")
    return place(placing, kept.held)


def confirmed(kept: KeptCalls, hold: HoldRow) -> HoldRow:
    return confirm(hold.hold_id, person="b.maes", reason="agreed", held=kept.held)


def swept(kept: KeptCalls) -> int:
    return sweep(kept.held, clock_confirmed_by="somebody").recordings


def just_before_it_is_locked(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something once an erasure has looked for holds, and before it has the journal."""
    acted = False

    @contextmanager
    def opened(path: Path) -> Iterator[Journal]:
        nonlocal acted
        if not acted:
            acted = True
            act()
        with opened_journal(path) as journal:
            yield journal

    monkeypatch.setattr(erasing, "opened_journal", opened)


def just_before_destruction(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    destroy = erasing.destroy_audio

    def destroyed(rows: object, held: object) -> None:
        act()
        destroy(rows, held)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(erasing, "destroy_audio", destroyed)


def test_a_hold_that_is_placed_before_an_erasure_has_the_journal_keeps_the_recording(
    kept: KeptCalls, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = placed(kept, call_id)
    just_before_it_is_locked(monkeypatch, lambda: confirmed(kept, hold))
    assert swept(kept) == 0
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    assert read_journal(kept.held.journal).erasures == {}


def test_a_withdrawal_that_meets_such_a_hold_is_answered_with_it(
    kept: KeptCalls, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = placed(kept, call_id)

    def confirm_before_the_request() -> None:
        # The request is entered, and would refuse it; what counts is that the hold was entered first.
        monkeypatch.setattr(holding, "_refuse_asked", lambda *_: None)
        confirmed(kept, hold)

    seq = kept.requests.enter(withdrawal(right=Right.WITHDRAWAL), call_id)
    just_before_it_is_locked(monkeypatch, confirm_before_the_request)
    answer = kept.requests.carry_out(seq)
    assert answer is not None
    assert answer.copies[0].state is CopyState.KEPT
    assert "legal hold for evidence" in answer.copies[0].note
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio


@pytest.mark.parametrize("step", ["place", "confirm"])
def test_no_hold_is_taken_once_an_erasure_has_begun(
    kept: KeptCalls, call_id: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    waiting = placed(kept, call_id)
    refused: list[ConsentError] = []

    def try_to_hold() -> None:
        try:
            placed(kept, call_id) if step == "place" else confirmed(kept, waiting)
        except RequestRefusedError as error:
            refused.append(error)

    just_before_destruction(monkeypatch, try_to_hold)
    assert swept(kept) == 1
    assert [error.what for error in refused] == ["its erasure has begun: nothing holds it any more"]
    assert not any(hold.confirmed_seq for hold in legal_holds(kept.held.ledger))


def test_an_erasure_that_broke_off_is_finished_and_nothing_is_held_meanwhile(
    kept: KeptCalls, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeysError("killed here")

    with monkeypatch.context() as patch:
        just_before_destruction(patch, fail)
        with pytest.raises(ConsentError):
            swept(kept)
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    with pytest.raises(RequestRefusedError, match="its erasure has begun"):
        placed(kept, call_id)
    assert swept(kept) == 1


def test_a_hold_that_cannot_be_noted_is_not_entered(kept: KeptCalls, call_id: str) -> None:
    waiting = placed(kept, call_id)
    kept.held.journal.unlink()
    kept.held.journal.mkdir()
    with pytest.raises(LedgerUnavailableError, match="cannot be written"):
        confirmed(kept, waiting)
    assert not any(hold.confirmed_seq for hold in legal_holds(kept.held.ledger))


def test_where_holds_cannot_be_looked_at_nothing_is_destroyed(
    kept: KeptCalls, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> list[HoldRow]:
        raise LedgerUnavailableError("locked")

    just_before_it_is_locked(monkeypatch, lambda: monkeypatch.setattr(erasing, "legal_holds", unreadable))
    with pytest.raises(LedgerUnavailableError, match="locked"):
        swept(kept)
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    assert (kept.held.keys / call_id[:2] / f"{call_id}.audio.age").exists()
