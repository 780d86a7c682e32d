"""The desk of the withdrawal line that asks the ledger does what every desk must do, and says what became of it."""

from pathlib import Path

import pytest

from asterisk_consent.calls.withdrawal_desk import LedgerDesk, WithdrawalDesk
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import list_requests
from asterisk_consent.model import Effect, KeptBecause, Outcome
from asterisk_consent.rights.holding import Placing, confirm, place
from asterisk_consent.rights.telephone_desk import TelephoneDesk
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.calls.withdrawal_desk import NUMBER, RECEIPT, DeskContract
from tests.rights.kept_calls import KeptCalls

OTHER_RECEIPT = "999988887777"


def desk_of(kept: KeptCalls) -> LedgerDesk:
    keys = ProofKeys(kept.held.keys)
    sleepless = TelephoneDesk(
        requests=kept.requests, blind=keys.blind, monotonic_s=iter(range(100)).__next__, sleep=lambda _: None
    )
    return LedgerDesk(sleepless)


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    return await KeptCalls.begin(tmp_path, "p1-nl", "p5-be")


class TestLedgerDesk(DeskContract):
    @pytest.fixture(autouse=True)
    def _recorded(self, kept: KeptCalls) -> None:
        assert kept.controller("p1-nl") == "voorbeeld"
        kept.recorded(1, caller=NUMBER, receipt=RECEIPT)
        kept.recorded(2, caller=NUMBER, receipt=OTHER_RECEIPT)
        self.kept = kept

    async def desk(self) -> WithdrawalDesk:
        return desk_of(self.kept)

    async def test_what_is_withdrawn_is_erased_and_what_is_not_is_left(self) -> None:
        desk = desk_of(self.kept)
        found = await desk.find(controller="voorbeeld", number=None, receipt=RECEIPT)
        assert found is not None
        done = await desk.withdraw(found, channel="1.1")
        assert done.effect is Effect.ERASED
        ledger = self.kept.held.ledger
        assert not recordings_of(ledger, found.call_id)[0].has_audio
        (request,) = list_requests(ledger)
        assert (request.reference, request.way, request.call_id) == (
            done.reference,
            "telephone",
            found.call_id,
        )
        other = await desk.find(controller="voorbeeld", number=NUMBER, receipt=OTHER_RECEIPT[-4:])
        assert other is not None
        assert recordings_of(ledger, other.call_id)[0].has_audio


async def test_last_digits_that_two_calls_share_name_neither(kept: KeptCalls) -> None:
    kept.recorded(1, caller=NUMBER, receipt="111111114711")
    kept.recorded(2, caller=NUMBER, receipt="222222224711")
    assert await desk_of(kept).find(controller="voorbeeld", number=NUMBER, receipt="4711") is None


async def test_what_a_legal_hold_keeps_is_said_to_be_kept(kept: KeptCalls) -> None:
    call_id = kept.recorded(
        1, policy="p5-be", purposes=("evidence",), outcome=Outcome.INFORMED, caller=NUMBER, receipt=RECEIPT
    )
    hold = place(
        Placing(call_id=call_id, purpose="evidence", case="C 1", reason="claim", person="a"), kept.held
    )
    confirm(hold.hold_id, person="b", reason="agreed", held=kept.held)
    desk = desk_of(kept)
    found = await desk.find(controller=kept.controller("p5-be"), number=None, receipt=RECEIPT)
    assert found is not None
    done = await desk.withdraw(found, channel="1.1")
    assert (done.effect, done.because) == (Effect.KEPT, KeptBecause.LEGAL_HOLD)
    assert recordings_of(kept.held.ledger, call_id)[0].has_audio


async def test_a_recording_that_runs_is_said_to_be_pending_after_a_while(kept: KeptCalls) -> None:
    kept.decide(1, caller=NUMBER, receipt=RECEIPT)
    desk = desk_of(kept)
    found = await desk.find(controller="voorbeeld", number=None, receipt=RECEIPT)
    assert found is not None
    assert (await desk.withdraw(found, channel="1.1")).effect is Effect.PENDING
