"""Keeps, while the service runs, what was promised to people: carries out what they ask, and knows who objects.

Rule: a request is carried out whoever entered it, a command beside the service included, and again until it is done. A
recording that runs is stopped first, within half a second of the entry (GDPR art. 7(3)). Once payloads were erased the
write-ahead logs are emptied, which hold what was overwritten. Nothing of it runs on the event loop.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from asterisk_consent.errors import ConsentError, KeysError, LedgerError, PbxError
from asterisk_consent.ledger.standing import Objections, RequestRow
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.ledger.watching import Watch
from asterisk_consent.model import Call, CopyState
from asterisk_consent.policy import Policy
from asterisk_consent.rights.requests import Requests
from asterisk_consent.telephone import e164
from asterisk_consent.vault.proof_keys import ProofKeys

log = structlog.get_logger(__name__)

LOOK_S = 0.1
"""How often the ledger is asked whether anything was entered."""
AGAIN_S = 5.0
"""How often what could not be done yet is tried again, and what was due at a moment is looked for."""
STOP_AGAIN_S = 0.25


class MixMonitors(Protocol):
    """What stops a recording."""

    async def stop_mixmonitor(self, channel: str, mixmonitor_id: str = "") -> None:
        """Stop the recording that runs on a channel, named by its name or its id."""
        ...


async def scrub_logs(ledger: Ledger, proof_keys: ProofKeys) -> bool:
    """Empty the write-ahead logs of the ledger and of the keys; tell whether nobody was in the way."""
    try:
        await ledger.scrub()
        return await asyncio.to_thread(proof_keys.scrub)
    except (LedgerError, KeysError) as error:
        log.info("promises.not_scrubbed", error=str(error))
        return False


class ObjectionList:
    """Who objects, as the service knows it between two looks.

    :param blind: returns the blind index of an E.164 number for a controller.
    """

    def __init__(self, blind: Callable[..., str], *, region: str, known: Objections = frozenset()) -> None:
        self._blind = blind
        self._region = region
        self.known = known

    def covers(self, call: Call, policy: Policy) -> bool:
        """Tell whether the caller is on the list of the policy's controller; a withheld number is on none."""
        controller = policy.controller.id
        if call.party.number is None or all(each != controller for each, _ in self.known):
            return False
        try:
            subject = self._blind(e164(call.party.number, call.region or self._region), controller=controller)
        except ConsentError as error:
            log.error("objections.unknown", call_id=call.call_id, error=str(error))
            return True
        return (controller, subject) in self.known


class Promises:
    """The loop that keeps them.

    :param scrub: empties the write-ahead logs; tells whether nobody was in the way.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        *,
        watch: Watch,
        requests: Requests,
        objections: ObjectionList,
        mixmonitors: MixMonitors,
        scrub: Callable[[], Awaitable[bool]],
        monotonic_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._watch = watch
        self._requests = requests
        self._objections = objections
        self._mixmonitors = mixmonitors
        self._scrub = scrub
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._scrub_at_s = math.inf
        self._again_at_s: dict[int, float] = {}
        self._not_carried_out: set[int] = set()

    async def run(self) -> None:
        """Keep them until cancelled; a fault is logged, and everything looked at again a little later."""
        again_at_s = 0.0
        try:
            while True:
                try:
                    changed = await asyncio.to_thread(self._watch.has_changed)
                    if changed or self._monotonic_s() >= again_at_s:
                        waits = await self.keep()
                        again_at_s = self._monotonic_s() + (STOP_AGAIN_S if waits else AGAIN_S)
                except ConsentError as error:
                    log.error("promises.not_kept", error=str(error))
                    self._watch.close()
                    await self._sleep(AGAIN_S)
                await self._sleep(LOOK_S)
        finally:
            self._watch.close()

    async def keep(self) -> bool:
        """Look at everything once, and do what is to be done; return whether a recording has to end first.

        :raises LedgerError: the ledger cannot be read or written now.
        """
        found = await asyncio.to_thread(self._watch.look, int(self._requests.held.clock()))
        self._objections.known = found.objections
        waits = [await self._stop(*running) for running in found.running]
        for request in found.due:
            if self._monotonic_s() >= self._again_at_s.get(request.seq, 0.0):
                await self._carry_out(
                    request, runs=(request.call_id in {call_id for call_id, _ in found.running})
                )
        if await asyncio.to_thread(self._watch.has_erased):
            self._scrub_at_s = 0.0
        if self._monotonic_s() >= self._scrub_at_s:
            # A reader in the way stays for a while, and who commits waits for the trying.
            done = await self._scrub()
            self._scrub_at_s = math.inf if done else self._monotonic_s() + AGAIN_S
        return any(waits)

    async def _carry_out(self, request: RequestRow, *, runs: bool) -> None:
        try:
            answer = await asyncio.to_thread(self._requests.carry_out, request.seq)
        except KeysError as error:
            self._complain(request, str(error))
            return
        if answer is not None and not answer.settled and not runs:
            self._again_at_s[request.seq] = self._monotonic_s() + AGAIN_S
        if answer is not None and answer.settled:
            log.info("promises.carried_out", call_id=request.call_id, right=request.right)
        for copy in answer.copies if answer is not None else ():
            if copy.state is CopyState.FAILED:
                self._complain(request, copy.note)

    def _complain(self, request: RequestRow, why: str) -> None:
        """Log, once for each request, that it cannot be carried out; it is tried again, and not at every entry."""
        self._again_at_s[request.seq] = self._monotonic_s() + AGAIN_S
        if request.seq not in self._not_carried_out:
            self._not_carried_out.add(request.seq)
            log.error("promises.not_carried_out", call_id=request.call_id, right=request.right, error=why)

    async def _stop(self, call_id: str, channel: str) -> bool:
        """Stop a recording unless a law demands it; tell whether it has to end."""
        if not await asyncio.to_thread(self._requests.stops, call_id):
            return False
        try:
            await self._mixmonitors.stop_mixmonitor(channel)
        except PbxError as error:
            # Not begun yet, or over already: the next look tells.
            log.info("promises.not_stopped", call_id=call_id, error=str(error))
        else:
            log.warning("promises.stopped", call_id=call_id)
        return True
