"""Processes whose calls of the system are counted, made to fail, or never come back from (strace).

Rule: a point is the n-th call of a name by a thread, as strace counts. A process that is killed there has not carried
out that call, and so the points are all the moments between two changes.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PROJECT = Path(__file__).resolve().parents[2]
CHANGING = (
    "openat,write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate,fallocate,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fchmod,fchmodat,chmod"
)
"""Calls that change a file or a directory, or make it durable."""

MAIN = "MainThread"
_LINE = re.compile(r"(\d+) +(\w+)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The ``number``-th ``call`` of a thread, from 1."""

    thread: str
    call: str
    number: int
    what: str
    """The call as it was when nothing failed."""

    def __str__(self) -> str:
        return f"{self.thread} {self.call} {self.number} ({self.what})"


class Service:
    """A process that brings recordings to their end, one directory at a time; see ``killed_service``."""

    def __enter__(self) -> Self:
        environment = os.environ | {"PYTHONPATH": str(PROJECT), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.calls.killed_service"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env=environment,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        for pipe in (self._stdin, self._stdout):
            pipe.close()
        self._process.wait()

    def run(self, directory: Path, what: str) -> int:
        """Let it come to its end; return its exit status."""
        self._begin(directory, what)
        return self._end()

    def count(self, directory: Path, what: str) -> list[Point]:
        """Let it come to its end, and return every call of it that changes something."""
        threads = self._begin(directory, what)
        log = directory.with_suffix(".strace")
        options = ["-f", "-o", str(log), "-e", f"trace={CHANGING}", "-p", str(threads[MAIN])]
        with _strace(options):
            status = self._end()
        assert status == 0
        return _points(log.read_text(), {str(number): name for name, number in threads.items()})

    def kill_at(self, point: Point, directory: Path, what: str) -> int:
        """Kill it before it carries out the call."""
        return self._inject(point, f"signal=SIGKILL:when={point.number}", directory, what)

    def fail_at(self, point: Point, error: str, directory: Path, what: str) -> int:
        """Let the call fail, once."""
        return self._inject(point, f"error={error}:when={point.number}", directory, what)

    def kill_after(self, seconds: float, directory: Path, what: str) -> int:
        """Let the kernel end it after so long, wherever it is; return its exit status."""
        self._begin(directory, what, seconds)
        return self._end()

    def _inject(self, point: Point, how: str, directory: Path, what: str) -> int:
        thread = self._begin(directory, what)[point.thread]
        with _strace(
            [
                "-o",
                os.devnull,
                "-e",
                f"trace={point.call}",
                "-e",
                f"inject={point.call}:{how}",
                "-p",
                str(thread),
            ]
        ):
            return self._end()

    def _begin(self, directory: Path, what: str, seconds: float = 0.0) -> dict[str, int]:
        self._stdin.write(f"{directory}\t{what}\t{seconds}\n".encode())
        self._stdin.flush()
        threads: dict[str, int] = json.loads(self._stdout.readline())
        return threads

    def _end(self) -> int:
        self._stdin.write(b".")
        self._stdin.flush()
        status: int = json.loads(self._stdout.readline())
        return status

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout


@contextmanager
def _strace(options: list[str]) -> Iterator[None]:
    """Trace within the block; it ends with what it traces."""
    with subprocess.Popen(
        ["strace", *options], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert " attached" in said, said
        yield
        tracer.stderr.read()


def _points(log: str, threads: Mapping[str, str]) -> list[Point]:
    """Read the calls out of a trace; threads that began later have no name, and are not among them."""
    numbers: Counter[tuple[str, str]] = Counter()
    points = []
    for line in log.splitlines():
        if (found := _LINE.match(line)) and found[1] in threads:
            thread, call = threads[found[1]], found[2]
            numbers[thread, call] += 1
            points.append(Point(thread=thread, call=call, number=numbers[thread, call], what=line[:400]))
    return points
