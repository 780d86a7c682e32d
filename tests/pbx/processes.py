"""The programs that the harness started: begun detached, found again, signalled, ended.

Rule: only a process that we started is ever signalled. A process id alone does not prove that, since ids are
used again; so its start time and the boot are kept beside it (proc(5), field 22 of ``/proc/PID/stat``).
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.pbx.settings import CannotSetUpError


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process of ours that is alive, and what it was started from."""

    pid: int
    started_ticks: int
    fingerprint: str


class Program:
    """One long-running program, known by its name under ``run/``."""

    def __init__(self, name: str, *, run: Path, log: Path) -> None:
        self.name = name
        self.pid_file = run / f"{name}.pid"
        self.record = run / f"{name}.json"
        self.log_file = log / f"{name}.log"
        self._last_fingerprint = ""

    def start(self, command: Sequence[str], *, env: Mapping[str, str], fingerprint: str = "") -> Running:
        """Start it in a session of its own with its output in the log.

        :param fingerprint: what it is started from; by default what it was started from the last time.
        :raises CannotSetUpError: it runs already.
        """
        if self.running() is not None:
            raise CannotSetUpError(f"{self.name} runs already")
        fingerprint = fingerprint or self._last_fingerprint
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log_file), flags, 0o640),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = os.posix_spawnp(command[0], list(command), dict(env), file_actions=actions, setsid=True)
        running = Running(pid=pid, started_ticks=_started_ticks(pid) or 0, fingerprint=fingerprint)
        note = {
            "pid": pid,
            "started_ticks": running.started_ticks,
            "boot": _boot(),
            "fingerprint": fingerprint,
        }
        self.record.write_text(json.dumps(note))
        self.pid_file.write_text(f"{pid}\n")
        return running

    def running(self) -> Running | None:
        """The process if it is alive and the very one that we started."""
        try:
            note = json.loads(self.record.read_text())
            found = Running(
                pid=int(note["pid"]),
                started_ticks=int(note["started_ticks"]),
                fingerprint=str(note["fingerprint"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if note.get("boot") != _boot() or _started_ticks(found.pid) != found.started_ticks:
            return None
        self._last_fingerprint = found.fingerprint
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it does not run."""
        found = self.running()
        if found is not None:
            os.kill(found.pid, number)

    def stop(self, *, within_s: float = 8.0) -> bool:
        """End it, at first politely; tell whether it had been running."""
        found = self.running()
        if found is not None:
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
            if not self._gone_within(within_s):
                self.kill()
        self._forget()
        return found is not None

    def kill(self) -> None:
        """End it at once, without a chance to tidy up (SIGKILL)."""
        self.signal(signal.SIGKILL)
        if not self._gone_within(5.0):
            raise CannotSetUpError(f"{self.name} does not end, not even by SIGKILL")
        self._forget()

    def log_tail(self, lines: int = 25) -> str:
        """The end of what it printed."""
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(nothing printed)"

    def _gone_within(self, limit_s: float) -> bool:
        end = time.monotonic() + limit_s
        while self.running() is not None:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def _forget(self) -> None:
        self.pid_file.unlink(missing_ok=True)
        self.record.unlink(missing_ok=True)


def _started_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone or waits to be reaped."""
    with contextlib.suppress(ChildProcessError):  # started by another run of the harness: init reaps it
        os.waitpid(pid, os.WNOHANG)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" and _threads(pid) <= 1 else int(fields[19])


def _threads(pid: int) -> int:
    """How many threads there still are: a killed process keeps its ports until the last one has ended."""
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return 0


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
