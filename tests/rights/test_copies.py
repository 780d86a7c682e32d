"""The answer to a request names every copy of a call, and what was asked goes wherever it lies."""

from pathlib import Path

import pytest

from asterisk_consent.ledger import Kind, NewEntry, Recording, find_call, verify
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.model import CopyState, Outcome, RecordingId, Right
from asterisk_consent.rights.access import Wanted, handed_out, release
from asterisk_consent.rights.holding import Placing, confirm, place
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import KeptCalls
from tests.rights.test_requests import ask, identities, places, states
from tests.vault.tones import write_call


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    return await KeptCalls.begin(tmp_path, "p1-nl", "p5-be")


def test_the_proof_of_what_is_kept_is_named_too(kept: KeptCalls) -> None:
    call_id = kept.recorded(1, policy="p5-be", purposes=("quality", "evidence"), outcome=Outcome.INFORMED)
    hold = place(
        Placing(call_id=call_id, purpose="evidence", case="C 12", reason="suspicion", person="a"), kept.held
    )
    confirm(hold.hold_id, person="b", reason="agreed", held=kept.held)
    assert states(ask(kept, call_id, right=Right.ERASURE))["proof"] is CopyState.KEPT
    assert find_call(kept.held.ledger, call_id) is not None


def test_the_withdrawal_of_a_call_that_was_refused_says_that_nothing_was_recorded(kept: KeptCalls) -> None:
    answer = ask(kept, kept.decide(1, outcome=Outcome.REFUSED))
    assert answer.settled
    assert {copy.what: copy.note for copy in answer.copies}["recording"] == "nothing was recorded"


def test_asked_again_the_answer_says_when_it_was_erased_and_backups_live_from_then_on(
    kept: KeptCalls,
) -> None:
    call_id = kept.recorded(1)
    ask(kept, call_id)
    kept.clock.now += 10 * 24 * 3600
    notes = {copy.what.split(" ")[0]: copy.note for copy in ask(kept, call_id).copies}
    assert notes["recording"] == "erased on 2027-01-15"
    assert notes["backups"] == "could still open it until 2027-02-14"
    kept.clock.now += 21 * 24 * 3600
    assert "backups" not in states(ask(kept, call_id))


def test_what_could_not_be_sealed_and_lies_in_the_spool_goes_too(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    spool = kept.place.config.spool
    write_call(spool, recording=RecordingId(hex_id(1)))
    end = Recording(recording_id=hex_id(1), reason="No space left on device")
    kept.append(
        NewEntry(stream=kept.controller("p1-nl"), kind=Kind.RECORDING_FAILED, call_id=call_id, payload=end)
    )
    assert list(spool.iterdir())

    answer = ask(kept, call_id)

    assert states(answer)["recording"] is CopyState.DONE
    assert list(spool.iterdir()) == []
    assert recordings_of(kept.held.ledger, call_id)[0].erased_seq


def test_an_erasure_that_waits_for_a_recording_says_so_of_the_proof(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    answer = ask(kept, call_id, right=Right.ERASURE)
    assert not answer.settled
    assert states(answer) == {"recording": CopyState.PENDING, "proof": CopyState.PENDING}


def test_to_whom_it_was_handed_out_is_told_though_the_call_is_restricted_and_that_is_entered(
    kept: KeptCalls,
) -> None:
    call_id = kept.recorded(1)
    wanted = Wanted(
        call_id=call_id, kind=Kind.RECORDING_EXPORTED, person="m", reason="court", recipient="A. Lawyer"
    )
    release(wanted, places=places(kept), identities=identities(kept, call_id))
    ask(kept, call_id)
    call = find_call(kept.held.ledger, call_id)
    assert call is not None
    before = verify(kept.held.ledger).entries

    told = handed_out(call, person="m", places=places(kept), identities=identities(kept, call_id))

    assert [each.recipient for each in told] == ["A. Lawyer"]
    assert verify(kept.held.ledger).entries == before + 1
