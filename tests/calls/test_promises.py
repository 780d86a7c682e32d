"""What people ask for is carried out whoever entered it, again until it is done, and never at the calls' expense."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.promises import (
    AGAIN_S,
    LOOK_S,
    STOP_AGAIN_S,
    ObjectionList,
    Promises,
    scrub_logs,
)
from asterisk_consent.errors import KeysError, PbxRefusedError
from asterisk_consent.ledger import Kind, NewEntry, Recording, find_call, verify
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import RequestRow, standing_of
from asterisk_consent.ledger.watching import Watch
from asterisk_consent.model import Right
from asterisk_consent.rights.erasing import is_scrubbed
from asterisk_consent.rights.objecting import object_to, objector
from asterisk_consent.rights.requests import GRACE_S, Answer, Requests
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.calls.manual_clock import ManualClock
from tests.calls.recording_place import until
from tests.calls.test_guard import FakeMixMonitors
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import NUMBER, KeptCalls, withdrawal


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    return await KeptCalls.begin(tmp_path, "p1-nl")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedRequests(Requests):
    """Requests that note in which threads they are worked on, and fail where they are told to."""

    threads: set[int] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)

    def unsettled(self) -> list[RequestRow]:
        self.threads.add(threading.get_ident())
        return Requests.unsettled(self)

    def carry_out(self, request_seq: int) -> Answer | None:
        self.threads.add(threading.get_ident())
        for request in Requests.unsettled(self):
            if request.seq == request_seq and request.call_id in self.failing:
                raise KeysError("the keys of the calls cannot be used: database is locked")
        return Requests.carry_out(self, request_seq)


@dataclass
class Keeping:
    """The loop at work, by a clock that a test moves."""

    kept: KeptCalls
    clock: ManualClock
    mixmonitors: FakeMixMonitors
    requests: NotedRequests
    objections: ObjectionList
    task: "asyncio.Task[None]"
    scrubbed: list[bool]

    async def look(self, seconds: float = LOOK_S) -> None:
        """Let so much time pass, and the loop do what is due then."""
        await self.clock.advance(seconds)
        await until(lambda: self.clock.sleepers == 1 or self.task.done())

    def ask(self, call_id: str, *, right: Right = Right.WITHDRAWAL, identified_by: str = "known") -> None:
        """Enter a request as a command beside the service does."""
        self.kept.requests.enter(withdrawal(right=right, identified_by=identified_by), call_id)

    def end(self, number: int) -> None:
        """Let the recorder enter the end of a recording that was withdrawn."""
        end = Recording(recording_id=hex_id(number), reason="withdrawn while it was recorded")
        controller = self.kept.controller("p1-nl")
        self.kept.append(
            NewEntry(stream=controller, kind=Kind.RECORDING_FAILED, call_id=hex_id(number), payload=end)
        )

    def has_audio(self, call_id: str) -> bool:
        """Tell whether there is audio of a call."""
        return any(row.has_audio for row in recordings_of(self.kept.held.ledger, call_id))


@asynccontextmanager
async def keeping(
    kept: KeptCalls, *, mixmonitors: FakeMixMonitors | None = None, in_the_way: int = 0
) -> AsyncIterator[Keeping]:
    """Run the loop; ``in_the_way`` is how often a reader keeps the logs from being emptied."""
    clock = ManualClock()
    scrubbed: list[bool] = []

    async def scrub() -> bool:
        scrubbed.append(len(scrubbed) >= in_the_way)
        return scrubbed[-1]

    requests = NotedRequests(held=kept.held)
    objections = ObjectionList(ProofKeys(kept.held.keys).blind, region="GB")
    stopping = mixmonitors or FakeMixMonitors()
    promises = Promises(
        watch=Watch(kept.held.ledger),
        requests=requests,
        objections=objections,
        mixmonitors=stopping,
        scrub=scrub,
        monotonic_s=clock.monotonic_s,
        sleep=clock.sleep,
    )
    task = asyncio.create_task(promises.run())
    at_work = Keeping(
        kept=kept,
        clock=clock,
        mixmonitors=stopping,
        requests=requests,
        objections=objections,
        task=task,
        scrubbed=scrubbed,
    )
    try:
        await at_work.look(0)
        yield at_work
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
        object_to(
            objector(NUMBER, region="GB", controller=controller, held=kept.held), person="m", held=kept.held
        )
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
