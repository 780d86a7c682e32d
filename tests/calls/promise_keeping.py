"""The loop that keeps promises, at work over calls that were kept for real, by a clock that a test moves."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from asterisk_consent.calls.promises import (
    LOOK_S,
    ObjectionList,
    Promises,
)
from asterisk_consent.errors import KeysError
from asterisk_consent.ledger import Kind, NewEntry, Recording
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.ledger.standing import RequestRow
from asterisk_consent.ledger.watching import Watch
from asterisk_consent.model import Right
from asterisk_consent.rights.requests import Answer, Requests
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.calls.manual_clock import ManualClock
from tests.calls.recording_place import until
from tests.calls.test_guard import FakeMixMonitors
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import KeptCalls, withdrawal


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
