"""The consent service beside Asterisk: started, frozen, killed, ended.

Rule: ``start`` returns only when the dialplan would ask a caller, that is when the service renews its
heartbeat in Asterisk; otherwise it says why not with the end of the service's log.
"""

import os
import signal
import subprocess
import time

from tests.pbx.asterisk import Asterisk
from tests.pbx.processes import Program
from tests.pbx.settings import PROJECT, CannotSetUpError, Settings
from tests.pbx.users import as_service

READY_WITHIN_S = 30.0
HEARTBEAT = "CONSENT_HEARTBEAT"


class Service:
    """The one consent service of a development PBX."""

    def __init__(self, settings: Settings, asterisk: Asterisk) -> None:
        self.settings = settings
        self.program = Program("service", run=settings.run, log=settings.log)
        self._asterisk = asterisk

    def start(self, fingerprint: str = "") -> None:
        """Start it, from what it was started from the last time unless told, and wait until it asks callers.

        :raises CannotSetUpError: it ended, or was not ready in time.
        """
        before = self._asterisk.global_variable(HEARTBEAT)
        self.program.start(self._command("serve"), env=self._env(), fingerprint=fingerprint)
        end = time.monotonic() + READY_WITHIN_S
        while self._asterisk.global_variable(HEARTBEAT) in ("", before):
            self._require_hope(end)

    def await_asking(self) -> None:
        """Wait until a running service asks callers, as after a freeze.

        :raises CannotSetUpError: it ended, or did not come back in time.
        """
        end = time.monotonic() + READY_WITHIN_S
        while self._asterisk.global_number(HEARTBEAT) < time.time() - 1.5:
            self._require_hope(end)

    def is_running(self) -> bool:
        """Whether its process is alive, frozen or not."""
        return self.program.running() is not None

    def stop(self) -> None:
        """End it as a service supervisor would (SIGTERM)."""
        self.program.stop()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.program.kill()

    def freeze(self) -> None:
        """Let it hang: its connections stay, nothing is answered (SIGSTOP)."""
        self.program.signal(signal.SIGSTOP)

    def reload(self) -> None:
        """Let it load the policies anew (SIGHUP), and wait until it has.

        :raises CannotSetUpError: it did not take them.
        """
        before = self._reloads()
        self.program.signal(signal.SIGHUP)
        end = time.monotonic() + READY_WITHIN_S
        while self._reloads() == before:
            self._require_hope(end)

    def _reloads(self) -> int:
        return self.program.log_file.read_text(errors="replace").count('"policies.reloaded"')

    def thaw(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        self.program.signal(signal.SIGCONT)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``asterisk-consent`` as the service's user and return when it is done."""
        return subprocess.run(
            self._command(*arguments),
            env=self._env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def run_as_root(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``asterisk-consent`` as root, who may read the identities."""
        return subprocess.run(
            [str(self.settings.program), "--config", str(self.settings.config_file), *arguments],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def _require_hope(self, end: float) -> None:
        if self.program.running() is None:
            raise CannotSetUpError(f"The service ended:\n{self.program.log_tail()}")
        if time.monotonic() > end:
            raise CannotSetUpError(
                f"The service was not ready in {READY_WITHIN_S:.0f} s:\n{self.program.log_tail()}"
            )
        time.sleep(0.05)

    def _command(self, *arguments: str) -> list[str]:
        program = [str(self.settings.program), "--config", str(self.settings.config_file), *arguments]
        return as_service(self.settings, program)

    def _env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "TZ")}
        return {**kept, "HOME": str(self.settings.data), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
