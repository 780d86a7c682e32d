"""The service's part of an installation: enters calls, and for each number on standard input one more."""

import asyncio
import sys
from pathlib import Path

from asterisk_consent.ledger import Ledger
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.keyholder.place import Place
from tests.ledger.entries import decision


async def _main(place: Place, *, again: bool) -> None:
    sealer = ProofKeys(place.keys)
    ledger = await Ledger.open(place.ledger, sealer=sealer, min_free_bytes=0)
    for entry in [decision(3)] if again else place.calls():
        await ledger.append(entry)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await ledger.append(decision(int(line)))
        print("entered", flush=True)
    await ledger.close()
    sealer.close()


if __name__ == "__main__":
    asyncio.run(_main(Place(Path(sys.argv[1])), again=len(sys.argv) > 2))
