"""What people asked for and what became of it is counted once, also where an erasure took it away before the count."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asterisk_consent.model import Right
from asterisk_consent.rights.figures import FiguresOfRights
from asterisk_consent.rights.holding import Placing, confirm, place
from asterisk_consent.rights.objecting import lift_objection, object_to, objector
from asterisk_consent.rights.requests import Asking, Way
from asterisk_consent.rights.sweeping import sweep
from tests.rights.kept_calls import BEGAN_AT, NUMBER, KeptCalls, withdrawal

TERM_OVER = BEGAN_AT + timedelta(days=92)


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl", "p5-be")
    sweep(kept.held, clock_confirmed_by="somebody")
    return kept


@pytest.fixture
def figures(kept: KeptCalls) -> FiguresOfRights:
    return FiguresOfRights(kept.held.ledger, clock=kept.clock)


def ask(kept: KeptCalls, call_id: str, asking: Asking) -> None:
    kept.requests.carry_out(kept.requests.enter(asking, call_id))


def test_requests_are_counted_by_right_and_way_and_by_how_they_ended(
    kept: KeptCalls, figures: FiguresOfRights
) -> None:
    ask(kept, kept.recorded(1), withdrawal())
    telephone = Asking(
        right=Right.WITHDRAWAL, asked_by="a", identified_by="b", person="the line", way=Way.TELEPHONE
    )
    ask(kept, kept.recorded(2), telephone)
    restricted = kept.recorded(3)
    ask(kept, restricted, withdrawal(right=Right.RESTRICTION))
    kept.requests.lift(restricted, person="m", reason="settled")
    found = figures.read()
    assert found.requests == {
        ("withdrawal", "command"): 1,
        ("withdrawal", "telephone"): 1,
        ("restriction", "command"): 1,
    }
    assert found.ended == {
        ("withdrawal", "done"): 2,
        ("restriction", "done"): 1,
        ("restriction", "lifted"): 1,
    }
    assert (found.waiting, found.waiting_oldest_s, found.erased) == (0, 0.0, 2)
    assert figures.read() == found, "counted twice"


def test_what_is_kept_is_told_from_what_is_done(kept: KeptCalls, figures: FiguresOfRights) -> None:
    call_id = kept.recorded(1, policy="p5-be", purposes=("quality", "evidence"))
    placing = Placing(call_id=call_id, purpose="evidence", case="C 12", reason="fraud", person="m.jansen")
    hold = place(placing, kept.held)
    confirm(hold.hold_id, person="b.maes", reason="seen", held=kept.held)
    ask(kept, call_id, withdrawal())
    assert figures.read().ended == {("withdrawal", "kept"): 1}


def test_an_erasure_is_counted_though_it_took_its_request_away(
    kept: KeptCalls, figures: FiguresOfRights
) -> None:
    ask(kept, kept.recorded(1), withdrawal(right=Right.ERASURE))
    found = figures.read()
    assert found.requests == {("erasure", "command"): 1}
    assert found.ended == {("erasure", "done"): 1}


def test_objections_are_counted(kept: KeptCalls, figures: FiguresOfRights) -> None:
    who = objector(NUMBER, region="GB", controller=kept.controller("p1-nl"), held=kept.held)
    asking = Asking(right=Right.OBJECTION, asked_by="a", identified_by="b", person="m", reason="moved")
    object_to(who, asking, kept.held)
    lift_objection(who, asking, kept.held)
    found = figures.read()
    assert found.requests == {("objection", "command"): 1}
    assert found.ended == {("objection", "done"): 1, ("objection", "lifted"): 1}


def test_what_waits_is_told_with_how_long_the_oldest_has_and_from_whenever_it_was(kept: KeptCalls) -> None:
    first, second = kept.recorded(1), kept.recorded(2)
    kept.requests.enter(withdrawal(identified_by=""), first)
    figures = FiguresOfRights(kept.held.ledger, clock=kept.clock)
    kept.clock.now += 3600
    kept.requests.enter(withdrawal(identified_by=""), second)
    kept.clock.now += 60
    found = figures.read()
    assert (found.waiting, found.waiting_oldest_s) == (2, 3660.0)


def test_the_last_sweep_is_known_after_a_restart_and_what_sweeps_erased_is_counted(kept: KeptCalls) -> None:
    begun = FiguresOfRights(kept.held.ledger, clock=kept.clock).read()
    assert (begun.swept_at, begun.erased) == (int(kept.clock.now), 0)
    figures = FiguresOfRights(kept.held.ledger, clock=kept.clock)
    ask(kept, kept.recorded(1), withdrawal())
    kept.recorded(2)
    kept.clock.now = TERM_OVER.timestamp()
    sweep(kept.held, clock_confirmed_by="somebody")
    found = figures.read()
    assert datetime.fromtimestamp(found.swept_at, UTC) == TERM_OVER
    assert (found.erased, found.erased_by_sweeps) == (2, 1)
