"""An event loop whose clock jumps: nobody waits, and what would wait for ever fails at once.

Rule: time passes only when nothing else can happen, and then straight to the next timer. No threads and no
sockets: nothing in here would wait for them.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import ParamSpec

P = ParamSpec("P")

EPOCH_S = 1_800_000_000.0
"""Where the clock on the wall stands when the loop begins."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: moves the clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits, and nothing is going to happen")
        if not ready and timeout is not None and timeout > 0:
            self.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop; ``time`` is the selector's."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual monotonic time in seconds."""
        return self._jumping.now_s


def wall_s() -> float:
    """Return the time on the wall, in UTC seconds, of the running virtual loop."""
    return EPOCH_S + asyncio.get_running_loop().time() - 1000.0


def in_virtual_time(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Make a test of a coroutine: it runs in a loop of its own, whose clock jumps."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
