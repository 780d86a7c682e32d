"""What people ask for is carried out whoever entered it, again until it is done, and never at the calls' expense."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.promises import (
    AGAIN_S,
    STOP_AGAIN_S,
    scrub_logs,
)
from asterisk_consent.errors import PbxRefusedError
from asterisk_consent.ledger import find_call, verify
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import standing_of
from asterisk_consent.model import Right
from asterisk_consent.rights.erasing import is_scrubbed
from asterisk_consent.rights.objecting import object_to, objector
from asterisk_consent.rights.requests import GRACE_S
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.calls.promise_keeping import keeping
from tests.calls.test_guard import FakeMixMonitors
from tests.rights.kept_calls import NUMBER, KeptCalls, withdrawal


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    kept.trust_the_clock()
    return kept


async def test_what_another_process_enters_is_carried_out_within_half_a_second(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    async with keeping(kept) as at_work:
        began_s = at_work.clock.now_s
        at_work.ask(call_id)
        await at_work.look()
        assert not at_work.has_audio(call_id)
        assert at_work.clock.now_s - began_s <= 0.5
    assert kept.requests.unsettled() == []
    assert verify(kept.held.ledger).problem is None


async def test_a_running_recording_is_stopped_first_and_again_until_it_has_ended(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    (row,) = recordings_of(kept.held.ledger, call_id)
    async with keeping(kept) as at_work:
        at_work.ask(call_id)
        await at_work.look()
        assert at_work.mixmonitors.stopped == [row.channel]
        for _ in range(3):
            await at_work.look(STOP_AGAIN_S)
        assert at_work.mixmonitors.stopped == [row.channel] * 4
        at_work.end(1)
        await at_work.look(STOP_AGAIN_S)
        assert len(at_work.mixmonitors.stopped) == 4
        assert kept.requests.unsettled() == []
        await at_work.look(AGAIN_S)
        assert len(at_work.mixmonitors.stopped) == 4


async def test_a_recording_that_asterisk_does_not_stop_is_tried_again(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    refusing = FakeMixMonitors(PbxRefusedError("no such channel"), times=2)
    async with keeping(kept, mixmonitors=refusing) as at_work:
        at_work.ask(call_id)
        for _ in range(3):
            await at_work.look(STOP_AGAIN_S)
        assert len(refusing.stopped) == 3
        assert not at_work.task.done()


async def test_the_erasure_of_a_call_that_is_being_recorded_erases_all_of_it_once_it_has_ended(
    kept: KeptCalls,
) -> None:
    call_id = kept.decide(1)
    async with keeping(kept) as at_work:
        at_work.ask(call_id, right=Right.ERASURE)
        await at_work.look()
        assert find_call(kept.held.ledger, call_id) is not None
        at_work.end(1)
        await at_work.look(STOP_AGAIN_S)
    assert find_call(kept.held.ledger, call_id) is None
    assert kept.holds_bytes(NUMBER.encode()) == []
    assert verify(kept.held.ledger).problem is None


async def test_while_a_recording_waits_for_its_end_everything_else_is_kept_too(kept: KeptCalls) -> None:
    running, other = kept.decide(1), kept.recorded(2)
    controller = kept.controller("p1-nl")
    async with keeping(kept) as at_work:
        at_work.ask(running)
        await at_work.look()
        at_work.ask(other)
        who = objector(NUMBER, region="GB", controller=controller, held=kept.held)
        object_to(who, withdrawal(right=Right.OBJECTION), kept.held)
        await at_work.look()
        assert not at_work.has_audio(other)
        assert [who for who, _ in at_work.objections.known] == [controller]


async def test_a_restart_finishes_what_is_left(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    kept.requests.enter(withdrawal(), call_id)
    async with keeping(kept) as at_work:
        assert not at_work.has_audio(call_id)
    assert kept.requests.unsettled() == []


async def test_what_waits_for_somebody_to_be_identified_goes_at_its_moment(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    async with keeping(kept) as at_work:
        at_work.ask(call_id, identified_by="")
        await at_work.look()
        kept.clock.now += GRACE_S - 1
        await at_work.look(AGAIN_S)
        assert at_work.has_audio(call_id)
        kept.clock.now += 1
        await at_work.look(AGAIN_S)
        assert not at_work.has_audio(call_id)


async def test_a_ledger_that_cannot_be_read_is_tried_again_and_never_ends_the_service(
    kept: KeptCalls,
) -> None:
    call_id = kept.recorded(1)
    ledger = kept.held.ledger
    async with keeping(kept) as at_work:
        at_work.ask(call_id)
        away = ledger.rename(ledger.with_name("away"))
        with capture_logs() as said:
            await at_work.look()
        assert [entry["event"] for entry in said] == ["promises.not_kept"]
        assert not at_work.task.done()
        away.rename(ledger)
        await at_work.look(AGAIN_S)
        await at_work.look()
        assert not at_work.has_audio(call_id)


async def test_a_request_that_fails_is_told_once_tried_again_and_keeps_no_other_from_being_carried_out(
    kept: KeptCalls,
) -> None:
    failing, other = kept.recorded(1), kept.recorded(2)
    async with keeping(kept) as at_work:
        at_work.requests.failing.add(failing)
        at_work.ask(failing)
        at_work.ask(other)
        with capture_logs() as said:
            await at_work.look()
            await at_work.look(AGAIN_S)
        assert [entry["event"] for entry in said] == ["promises.not_carried_out", "promises.carried_out"]
        assert (at_work.has_audio(failing), at_work.has_audio(other)) == (True, False)
        at_work.requests.failing.clear()
        await at_work.look(AGAIN_S)
        assert not at_work.has_audio(failing)


async def test_the_logs_are_emptied_after_an_erasure_and_again_while_somebody_reads(kept: KeptCalls) -> None:
    call_id, other = kept.recorded(1), kept.recorded(2)
    async with keeping(kept, in_the_way=3) as at_work:
        for _ in range(3):
            await at_work.look(AGAIN_S)
        assert at_work.scrubbed == [False, False, False, True]
        at_work.ask(other)
        await at_work.look()
        assert len(at_work.scrubbed) == 4
        at_work.ask(call_id, right=Right.ERASURE)
        await at_work.look()
        assert len(at_work.scrubbed) == 5
        await at_work.look(AGAIN_S)
        assert len(at_work.scrubbed) == 5


async def test_nothing_of_an_erased_call_is_left_in_the_logs_of_a_running_service(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    ledger, proof_keys = await kept.service(), ProofKeys(kept.held.keys)
    assert await scrub_logs(ledger, proof_keys)
    kept.requests.carry_out(kept.requests.enter(withdrawal(right=Right.ERASURE), call_id))
    assert not is_scrubbed(kept.held)

    with closing(sqlite3.connect(kept.held.ledger)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM chain").fetchone()
        assert not await scrub_logs(ledger, proof_keys)
    assert await scrub_logs(ledger, proof_keys)

    assert is_scrubbed(kept.held)
    assert kept.holds_bytes(NUMBER.encode()) == []
    await ledger.close()
    proof_keys.close()


async def test_nothing_of_it_is_done_on_the_event_loop(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    async with keeping(kept) as at_work:
        at_work.ask(call_id)
        await at_work.look()
        assert at_work.requests.threads
        assert threading.get_ident() not in at_work.requests.threads


async def test_what_only_was_restricted_is_stopped_and_kept(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    async with keeping(kept) as at_work:
        at_work.ask(call_id, right=Right.RESTRICTION)
        await at_work.look()
        assert len(at_work.mixmonitors.stopped) == 1
        kept.record(1)
        await at_work.look(STOP_AGAIN_S)
        assert at_work.has_audio(call_id)
        assert standing_of(kept.held.ledger, call_id).is_restricted
