"""A second consent service on the same Asterisk, with a ledger of its own.

Rule: it is the same program under the same user; only its configuration names another ledger, and no FastAGI.
"""

import time
from pathlib import Path
from typing import Self

from tests.pbx.development import DevelopmentPbx
from tests.pbx.processes import Program
from tests.pbx.service import HEARTBEAT
from tests.pbx.users import as_service

READY_WITHIN_S = 20.0


class BesideService:
    """Runs while the ``with`` block does, unless it ends itself before."""

    def __init__(self, pbx: DevelopmentPbx, ledger: Path) -> None:
        settings = pbx.settings
        self._pbx = pbx
        self._config = settings.home / "beside.toml"
        self._ledger = ledger
        self.program = Program("beside", run=settings.run, log=settings.log)

    def __enter__(self) -> Self:
        settings = self._pbx.settings
        own = settings.config_file.read_text()
        other = own.replace(str(settings.data / "ledger.sqlite"), str(self._ledger))
        self._config.write_text(other.replace(f"agi_port = {settings.fastagi_port}", "agi_port = 0"))
        self._config.chmod(0o644)
        self.program.log_file.unlink(missing_ok=True)
        command = [str(settings.program), "--config", str(self._config), "serve"]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self._ledger.parent), "LANG": "C.UTF-8"}
        self.program.start(as_service(settings, command), env=env, fingerprint="beside")
        return self

    def __exit__(self, *_: object) -> None:
        self.program.stop()
        self._config.unlink()

    def wait_until_asking(self) -> None:
        """Wait until the heartbeat is renewed.

        :raises AssertionError: that does not happen in time.
        """
        give_up_at = time.monotonic() + READY_WITHIN_S
        before = self._pbx.asterisk.global_variable(HEARTBEAT)
        while self._pbx.asterisk.global_variable(HEARTBEAT) in (before, "", "0"):
            assert time.monotonic() < give_up_at, f"no heartbeat:\n{self.log_tail()}"
            time.sleep(0.1)

    def log_tail(self) -> str:
        """The end of what it printed."""
        return self.program.log_tail(60)
