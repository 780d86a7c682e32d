"""What processes and the disk cost: CPU time, memory, and how long an fsync takes.

Rule: figures come from the kernel (proc(5)), children included, those that have ended as well as those that
live; the disk is measured while the load runs, not on an idle machine.
"""

import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

_TICKS = os.sysconf("SC_CLK_TCK")
_FSYNC_EVERY_S = 0.05
_WRITTEN = bytes(4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """``pss`` shares common pages among their users; ``rss`` counts them for each."""

    pss_kib: int
    rss_kib: int


def tree_of(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    tree = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:  # the thread has ended meanwhile
            continue
        for child in children:
            tree += tree_of(int(child))
    return tree


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and all its children so far, in seconds."""
    total = 0
    for member in tree_of(pid):
        try:
            stat = Path(f"/proc/{member}/stat").read_text()
        except OSError:
            continue
        # After the name in brackets: utime, stime, cutime, cstime are fields 14 to 17 of the whole line.
        total += sum(int(field) for field in stat.rpartition(")")[2].split()[11:15])
    return total / _TICKS


def memory(pid: int) -> Memory:
    """Return the memory of a process and all its children."""
    pss = rss = 0
    for member in tree_of(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        pss, rss = pss + sizes.get("Pss:", 0), rss + sizes.get("Rss:", 0)
    return Memory(pss_kib=pss, rss_kib=rss)


class FsyncProbe:
    """Writes 4 KiB and syncs it twenty times a second, beside the load, on the disk of ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.durations_s: list[float] = []
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fsync-probe")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def percentile_ms(self, percent: float) -> float:
        """Return that percentile of all the syncs so far."""
        return float(np.percentile(self.durations_s, percent)) * 1000 if self.durations_s else 0.0

    def _run(self) -> None:
        with tempfile.TemporaryFile(dir=self._folder) as file:
            while not self._stop.wait(_FSYNC_EVERY_S):
                file.write(_WRITTEN)
                file.flush()
                began_at = time.perf_counter()
                os.fsync(file.fileno())
                self.durations_s.append(time.perf_counter() - began_at)
