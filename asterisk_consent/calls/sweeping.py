"""Has the retention sweep done once a day while the service runs, by a process of its own.

Rule: planning over a hundred thousand recordings takes seconds of a processor, which calls that are being asked must
not feel: it runs beside the service, at the lowest priority, as ``retention sweep`` does by hand.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

FIRST_S = 600.0
"""After the service has started: a machine that is switched off at night sweeps all the same."""
EVERY_S = 24 * 3600.0
AGAIN_S = 3600.0
"""After one that failed: nothing may go more than a day late."""
_NICE = 19


class Sweeping:
    """Runs the sweep, for ever.

    :param config: the configuration's file.
    :param sleep: waits for so many seconds.
    """

    def __init__(self, config: Path, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._config = config
        self._sleep = sleep

    async def run(self) -> None:
        """Sweep a little after the start, and then once a day."""
        await self._sleep(FIRST_S)
        while True:
            done = await self.sweep()
            await self._sleep(EVERY_S if done else AGAIN_S)

    async def sweep(self) -> bool:
        """Sweep once; what keeps it from it is logged. Returns whether it was done."""
        command = ("-m", "asterisk_consent", "--config", str(self._config), "retention", "sweep", "--json")
        try:
            process = await asyncio.create_subprocess_exec(
                "nice",
                "-n",
                str(_NICE),
                sys.executable,
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            log.error("sweeping.not_begun", error=str(error))
            return False
        try:
            said, complained = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            raise
        if process.returncode:
            log.error("sweeping.refused", why=complained.decode("utf-8", "replace").strip()[-1000:])
            return False
        log.info("sweeping.done", went=said.decode("utf-8", "replace").strip())
        return True
