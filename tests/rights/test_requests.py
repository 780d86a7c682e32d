"""Withdrawal, erasure and restriction: at once, everywhere, and the answer says what became of every copy."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError, RequestRefusedError
from asterisk_consent.ledger import Kind, NewEntry, find_call, recordings, verify
from asterisk_consent.ledger.payload import Request
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import calls_of_receipt, calls_of_subject, standing_of
from asterisk_consent.model import CopyState, Outcome, Right
from asterisk_consent.rights.access import Places, Wanted, open_entries, release
from asterisk_consent.rights.holding import Placing, confirm, place
from asterisk_consent.rights.objecting import objector
from asterisk_consent.rights.requests import GRACE_S, Answer
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import identity_path, load_identities
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import BEGAN_AT, NAME, NUMBER, KeptCalls, withdrawal


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl", "p5-be")
    kept.trust_the_clock()
    return kept


def ask(kept: KeptCalls, call_id: str, **asking: object) -> Answer:
    seq = kept.requests.enter(withdrawal(**asking), call_id)  # type: ignore[arg-type]  # as withdrawal takes them
    answer = kept.requests.carry_out(seq)
    assert answer is not None
    return answer


def states(answer: Answer) -> dict[str, CopyState]:
    return {copy.what.split(" ")[0]: copy.state for copy in answer.copies}


def opened(kept: KeptCalls, call_id: str, purpose: str = "") -> None:
    wanted = Wanted(
        call_id=call_id, kind=Kind.PROOF_OPENED, person="m.jansen", reason="complaint", purpose=purpose
    )
    release(wanted, places=places(kept), identities=identities(kept, call_id))


def places(kept: KeptCalls) -> Places:
    return Places(ledger=kept.held.ledger, keys=kept.held.keys)


def identities(kept: KeptCalls, call_id: str) -> tuple[Identity, ...]:
    call = find_call(kept.held.ledger, call_id)
    assert call is not None
    return load_identities(identity_path(call.controller, kept.place.config.identities))


def test_a_withdrawal_erases_the_audio_at_once_and_keeps_the_proof_unshown(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    kept.recorded(2)
    audio = kept.holds_bytes(b"age-encryption.org/v1\n-> X25519")
    assert f"{hex_id(1)}.flac.age" in audio

    answer = ask(kept, call_id)

    assert answer.settled
    assert states(answer) == {
        "recording": CopyState.DONE,
        "backups": CopyState.PENDING,
        "proof": CopyState.DONE,
    }
    config = kept.place.config
    names = {path.name for path in kept.files()}
    assert f"{hex_id(1)}.flac.age" not in names
    assert f"{hex_id(1)}.audio.age" not in names
    assert {f"{hex_id(2)}.flac.age", f"{hex_id(2)}.audio.age"} <= names
    assert [bool(row.erased_seq) for row in recordings(config.ledger_path)] == [True, False]
    with pytest.raises(RequestRefusedError, match="restricted"):
        opened(kept, call_id)
    opened(kept, hex_id(2))
    assert verify(config.ledger_path).problem is None


def test_the_answer_says_until_when_backups_of_the_keys_could_open_it(kept: KeptCalls) -> None:
    notes = {copy.what: copy.note for copy in ask(kept, kept.recorded(1)).copies}
    assert notes["backups of the keys"] == "could still open it until 2027-02-14"
    assert notes["proof"] == "restricted until 2032-01-16, then gone"


def test_a_recording_handed_out_is_named_so_that_its_recipient_can_be_told(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    wanted = Wanted(
        call_id=call_id, kind=Kind.RECORDING_EXPORTED, person="m", reason="court", recipient="A. Lawyer"
    )
    release(wanted, places=places(kept), identities=identities(kept, call_id))
    answer = ask(kept, call_id)
    assert states(answer)["copy"] is CopyState.PENDING
    assert answer.settled
    assert any("art. 19" in copy.note for copy in answer.copies)


def test_by_number_alone_nothing_is_shown_any_more_and_the_audio_goes_after_a_day(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    seq = kept.requests.enter(withdrawal(identified_by=""), call_id)

    waiting = kept.requests.carry_out(seq)
    assert waiting is not None
    assert not waiting.settled
    assert states(waiting)["recording"] is CopyState.PENDING
    with pytest.raises(RequestRefusedError, match="restricted"):
        opened(kept, call_id)
    kept.clock.now += GRACE_S - 1
    still = kept.requests.carry_out(seq)
    assert still is not None
    assert not still.settled
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio

    kept.clock.now += 1
    done = kept.requests.carry_out(seq)
    assert done is not None
    assert done.settled
    assert not recordings_of(kept.held.ledger, call_id)[0].has_audio
    assert kept.requests.unsettled() == []


def test_a_clock_that_jumped_brings_no_moment_that_was_waited_for(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    seq = kept.requests.enter(withdrawal(identified_by=""), call_id)
    kept.clock.now += 3652 * 86400
    waiting = kept.requests.carry_out(seq)
    assert waiting is not None
    assert not waiting.settled
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    kept.trust_the_clock()
    assert not any(row.has_audio for row in recordings_of(kept.held.ledger, call_id))


def test_a_clock_that_jumped_ends_no_legal_hold(kept: KeptCalls) -> None:
    call_id = kept.recorded(1, policy="p5-be", purposes=("evidence",), outcome=Outcome.INFORMED)
    hold = place(Placing(call_id=call_id, purpose="evidence", case="C 1", reason="r", person="a"), kept.held)
    confirm(hold.hold_id, person="b", reason="agreed", held=kept.held)
    kept.clock.now += 20 * 3652 * 86400
    assert states(ask(kept, call_id))["recording"] is CopyState.KEPT
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio


def test_what_is_entered_while_its_call_is_being_erased_goes_too(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    call = find_call(kept.held.ledger, call_id)
    ask(kept, call_id, right=Right.ERASURE)
    assert call is not None
    late = Request(
        right=Right.WITHDRAWAL,
        way="command",
        reference="12345678",
        asked_by="Zoë Laat",
        identified_by="x",
        person="p",
    )
    seq = kept.append(
        NewEntry(stream=call.controller, kind=Kind.REQUEST_ENTERED, call_id=call_id, payload=late)
    )
    assert kept.requests.carry_out(seq) is None
    assert kept.requests.unsettled() == []
    assert verify(kept.held.ledger).problem is None


def test_once_somebody_is_identified_the_audio_goes_at_once(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    kept.requests.enter(withdrawal(identified_by=""), call_id)
    assert ask(kept, call_id).settled
    assert not recordings_of(kept.held.ledger, call_id)[0].has_audio


def test_what_a_legal_hold_keeps_is_kept_and_the_answer_says_by_which_article(kept: KeptCalls) -> None:
    call_id = kept.recorded(1, policy="p5-be", purposes=("quality", "evidence"), outcome=Outcome.INFORMED)
    hold = place(
        Placing(call_id=call_id, purpose="evidence", case="C 12", reason="suspicion", person="a"), kept.held
    )
    assert not hold.confirmed_seq
    confirm(hold.hold_id, person="b", reason="agreed", held=kept.held)

    answer = ask(kept, call_id, right=Right.ERASURE)

    assert states(answer)["recording"] is CopyState.KEPT
    assert "art. 17(3)(e)" in answer.copies[0].note
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    with pytest.raises(RequestRefusedError, match="--purpose evidence"):
        opened(kept, call_id)
    opened(kept, call_id, purpose="evidence")


def test_an_erasure_leaves_no_trace_of_the_person_in_any_file(kept: KeptCalls) -> None:
    call_id = kept.recorded(1, receipt="123456789012")
    other = kept.recorded(2, caller="+442079460999")
    found = objector(NUMBER, region="GB", controller=kept.controller("p1-nl"), held=kept.held)
    assert calls_of_subject(kept.held.ledger, found.subject, controller=found.controller) == [call_id]
    before = open_entries(
        Wanted(call_id=call_id, kind=Kind.PROOF_OPENED, person="m", reason="r"),
        places=places(kept),
        identities=identities(kept, call_id),
    )[0]
    salts = [entry.salt for entry in before if entry.salt]
    key = (kept.place.config.keys / call_id[:2] / f"{call_id}.audio.age").read_bytes()

    answer = ask(kept, call_id, right=Right.ERASURE)

    assert answer.settled
    assert all(copy.state is not CopyState.KEPT for copy in answer.copies)
    needles = (NUMBER.encode(), NAME.encode(), NUMBER[3:].encode(), found.subject.encode(), b"123456789012")
    assert kept.holds_bytes(*needles, *salts, key[40:]) == []
    assert find_call(kept.held.ledger, call_id) is None
    assert recordings_of(kept.held.ledger, call_id) == []
    assert verify(kept.held.ledger).problem is None
    opened(kept, other)


def test_an_erased_call_cannot_be_opened_with_what_was_left_on_disk(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    own = identities(kept, call_id)
    ledger_before = kept.held.ledger.read_bytes()
    ask(kept, call_id, right=Right.ERASURE)
    kept.held.ledger.write_bytes(ledger_before)  # an old backup of the ledger, the keys as they are
    with pytest.raises(KeysError, match="cannot be opened"):
        open_entries(
            Wanted(call_id=call_id, kind=Kind.PROOF_OPENED, person="m", reason="r"),
            places=places(kept),
            identities=own,
        )


def test_a_restriction_keeps_and_hides_and_can_be_lifted(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    assert ask(kept, call_id, right=Right.RESTRICTION).settled
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio
    with pytest.raises(RequestRefusedError, match="restricted"):
        opened(kept, call_id)
    kept.requests.lift(call_id, person="m", reason="settled")
    opened(kept, call_id)


def test_the_proof_of_a_withdrawn_call_is_opened_for_a_legal_claim_and_its_recording_is_not(
    kept: KeptCalls,
) -> None:
    call_id = kept.recorded(1)
    ask(kept, call_id, right=Right.RESTRICTION)
    opened(kept, call_id, purpose="legal-claims")
    export = Wanted(
        call_id=call_id,
        kind=Kind.RECORDING_EXPORTED,
        person="m",
        reason="claim",
        recipient="court",
        purpose="legal-claims",
    )
    with pytest.raises(RequestRefusedError, match="restricted"):
        release(export, places=places(kept), identities=identities(kept, call_id))


def test_a_withdrawal_cannot_be_lifted(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    ask(kept, call_id)
    with pytest.raises(RequestRefusedError, match="no restriction"):
        kept.requests.lift(call_id, person="m", reason="changed my mind")
    assert standing_of(kept.held.ledger, call_id).is_restricted


def test_a_running_recording_waits_for_the_service_and_is_dropped(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    answer = ask(kept, call_id)
    assert not answer.settled
    assert "being recorded" in answer.copies[0].note
    assert kept.requests.stops(call_id)
    assert kept.requests.drops(call_id)


def test_a_receipt_finds_its_call_and_nothing_else(kept: KeptCalls) -> None:
    call_id = kept.recorded(1, receipt="111122223333")
    kept.recorded(2)
    assert calls_of_receipt(kept.held.ledger, "111122223333") == [call_id]
    assert calls_of_receipt(kept.held.ledger, "111122223334") == []
    assert calls_of_receipt(kept.held.ledger, "") == []


@pytest.mark.parametrize("how", ["passport NXR1P2D34", "id card 12345", "BSN 123456782"])
def test_the_number_of_a_document_is_never_stored(kept: KeptCalls, how: str) -> None:
    call_id = kept.recorded(1)
    with pytest.raises(RequestRefusedError, match="never stored"):
        kept.requests.enter(withdrawal(identified_by=how), call_id)
    assert standing_of(kept.held.ledger, call_id).requests == ()


def test_carrying_out_twice_changes_nothing(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    seq = kept.requests.enter(withdrawal(), call_id)
    kept.requests.carry_out(seq)
    entries = verify(kept.held.ledger).entries
    kept.requests.carry_out(seq)
    assert verify(kept.held.ledger).entries == entries


def test_the_moments_of_the_notes_are_those_of_the_clock(kept: KeptCalls) -> None:
    seq = kept.requests.enter(withdrawal(identified_by=""), kept.recorded(1))
    answer = kept.requests.carry_out(seq)
    assert answer is not None
    due = datetime.fromtimestamp(kept.clock.now, UTC) + timedelta(days=1)
    assert f"{due:%Y-%m-%d %H:%M} UTC" in answer.copies[0].note
    assert due > BEGAN_AT


def test_a_restriction_is_not_lifted_without_a_reason(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    ask(kept, call_id, right=Right.RESTRICTION)
    with pytest.raises(RequestRefusedError, match="no reason"):
        kept.requests.lift(call_id, person="m", reason=" ")
    assert standing_of(kept.held.ledger, call_id).is_restricted
