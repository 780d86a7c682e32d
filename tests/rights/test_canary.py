"""After an erasure nothing of the person lies in any file of ours, write-ahead logs of a running service included."""

import asyncio
import random
from pathlib import Path

import pytest

from asterisk_consent.calls.promises import ObjectionList, Promises
from asterisk_consent.ledger import find_call, verifier, verify
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.ledger.watching import Watch
from asterisk_consent.model import Right
from asterisk_consent.rights.access import Places, Wanted, open_entries
from asterisk_consent.vault.identities import identity_path, load_identities
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import KeptCalls, withdrawal

CALLS = 10


class NoMixMonitors:
    async def stop_mixmonitor(self, channel: str, mixmonitor_id: str = "") -> None:
        raise AssertionError("nothing runs")


def number(of: int) -> str:
    return f"+4420794600{of:02d}"


def traces(kept: KeptCalls, of: int) -> tuple[list[bytes], list[bytes]]:
    """What tells who call ``of`` was: what lies nowhere in the clear (number, salts), and what is there before."""
    config, call_id = kept.place.config, hex_id(of)
    call = find_call(config.ledger_path, call_id)
    assert call is not None
    entries, _ = open_entries(
        Wanted(call_id=call_id, kind=Kind.PROOF_OPENED, person="m", reason="what there is to find"),
        places=Places(ledger=config.ledger_path, keys=config.keys),
        identities=load_identities(identity_path(call.controller, config.identities)),
    )
    sealed_salts = [entry.salt for entry in entries if entry.was_sealed]
    other_salts = [entry.salt for entry in entries if entry.salt and not entry.was_sealed]
    key = (config.keys / call_id[:2] / f"{call_id}.audio.age").read_bytes()
    audio = (config.vault / f"{call_id}.flac.age").read_bytes()
    hidden = [number(of).encode(), number(of)[3:].encode(), *sealed_salts]
    return hidden, [call.subject.encode(), call.receipt.encode(), key[-64:], audio[-64:], *other_salts]


async def keep_promises(kept: KeptCalls, ledger: Ledger, keys: ProofKeys) -> None:
    """Do once what the service does all the time."""

    async def scrub() -> bool:
        await ledger.scrub()
        return await asyncio.to_thread(keys.scrub)

    watch = Watch(kept.held.ledger)
    promises = Promises(
        watch=watch,
        requests=kept.requests,
        objections=ObjectionList(keys.blind, region="GB"),
        mixmonitors=NoMixMonitors(),
        scrub=scrub,
        monotonic_s=lambda: 0.0,
    )
    await promises.keep()
    watch.close()


@pytest.mark.parametrize("seed", range(3))
async def test_erasing_any_set_of_calls_leaves_no_trace_of_them_beside_a_running_service(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    keys = ProofKeys(kept.held.keys, checkpoints=True)
    ledger = await Ledger.open(kept.held.ledger, sealer=keys, clock=kept.clock, min_free_bytes=0)
    for of in range(CALLS):
        kept.recorded(of, caller=number(of), receipt=f"9182736450{of:02d}")
    needles = {of: await asyncio.to_thread(traces, kept, of) for of in range(CALLS)}
    gone = set(chance.sample(range(CALLS), chance.randrange(1, CALLS)))
    for hidden, there in needles.values():
        assert kept.holds_bytes(*hidden) == []
        assert all(kept.holds_bytes(each) for each in there)

    for of in gone:
        kept.requests.enter(withdrawal(right=Right.ERASURE), hex_id(of))
    await keep_promises(kept, ledger, keys)

    found = {of: kept.holds_bytes(*needles[of][0], *needles[of][1]) for of in gone}
    assert found == {of: [] for of in gone}
    assert verify(kept.held.ledger).problem is None
    assert verifier.main([str(kept.held.ledger)]) == 0
    for of in set(range(CALLS)) - gone:
        assert await asyncio.to_thread(traces, kept, of)
    await ledger.close()
    keys.close()
