"""A writer that is going to be killed: says on standard output what was acknowledged, as soon as it was."""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from asterisk_consent.ledger import Ledger
from asterisk_consent.model import Outcome
from tests.ledger.entries import decision
from tests.ledger.open_sealing import OpenSealer


async def _append_for_ever(ledger: Ledger, numbers: "count[int]") -> None:
    while True:
        number = next(numbers)
        committed = await ledger.append(decision(number, Outcome.GIVEN, recording=number))
        os.write(sys.stdout.fileno(), f"{committed.seq} {committed.hash.hex()}\n".encode())


async def _main(path: Path, first: int) -> None:
    ledger = await Ledger.open(path, sealer=OpenSealer(), min_free_bytes=0)
    numbers = count(first)
    await asyncio.gather(*(_append_for_ever(ledger, numbers) for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
