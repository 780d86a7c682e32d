"""The way of a recording through the real recorder, in processes that are going to be killed.

Forks one process for each line of standard input: the directory of a :class:`~tests.calls.doomed.Doomed`. What can be
imported is there already, so that one costs little. The process brings what it finds to its end, as the service does
after its start; before that it says its threads and waits for a letter, so that a tracer can attach. It may be told to
live for so many seconds at most.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from asterisk_consent.calls.leftovers import settle_leftovers
from asterisk_consent.calls.recorder import GRACE_S, Recorder
from asterisk_consent.errors import LedgerError
from asterisk_consent.ledger import Ledger
from asterisk_consent.vault.names import SIDES, side_path
from tests.calls.doomed import RECORDING, Doomed
from tests.calls.recording_place import FakeCodes

CLOSED, RESTARTED = "closed", "restarted"
"""Whether Asterisk closes the files just now, or did while nobody was there."""


async def _run(directory: Path, what: str, life_s: float) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="worker"))
    places = Doomed(directory).places
    ledger = await Ledger.open(places.ledger, min_free_bytes=0)
    later_s = 0.0
    recorder = Recorder(
        spool=places.spool,
        vault=places.vault,
        keys=places.keys,
        ledger=ledger,
        channels=_none,
        monotonic_s=lambda: time.monotonic() + later_s,
        now=lambda: int(time.time()),
        codes=FakeCodes(),
        sleep=lambda _: asyncio.sleep(0.001),
    )
    await asyncio.to_thread(_wait_for_the_tracer)
    # Nobody handles the signal: it is the end at once, as any kill.
    signal.setitimer(signal.ITIMER_REAL, life_s)
    await recorder.adopt()
    await settle_leftovers(recorder, ledger, places)
    if what == CLOSED:
        for created in (True, False):
            for side in SIDES:
                name = side_path(RECORDING, side, places.spool).name
                recorder.take_file_event(name, created=created)
    while recorder.depth or recorder.spool.depth:
        await recorder.spool.empty_again()
        await recorder.sweep_once()
        later_s += 0 if recorder.spool.depth else GRACE_S
        await asyncio.sleep(0.001)
    await recorder.close()
    await ledger.close()


async def _none() -> set[str]:
    return set()


def _wait_for_the_tracer() -> None:
    threads = {thread.name.partition("_")[0]: thread.native_id for thread in threading.enumerate()}
    threads["MainThread"] = os.getpid()  # a fork does not tell the thread its new number
    os.write(1, f"{json.dumps(threads)}\n".encode())
    os.read(0, 1)


def _serve() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    while line := _read_line():
        directory, what, life_s = line.split("\t")
        child = os.fork()
        if not child:
            try:
                asyncio.run(_run(Path(directory), what, float(life_s)))
            except LedgerError:  # as the service does, which is started again then
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        os.write(1, f"{json.dumps(os.waitstatus_to_exitcode(status))}\n".encode())


def _read_line() -> str:
    line = b""
    while not line.endswith(b"\n"):
        letter = os.read(0, 1)
        if not letter:
            return ""
        line += letter
    return line.decode().rstrip("\n")


if __name__ == "__main__":
    sys.setswitchinterval(0.001)
    _serve()
