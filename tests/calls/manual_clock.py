"""A clock that stands still until it is moved, and those who sleep by it."""

import asyncio


class ManualClock:
    """Seconds that pass when a test says so; real threads may work meanwhile."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def monotonic_s(self) -> float:
        """Return the time."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been moved that far."""
        awoken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now_s + seconds, awoken))
        await awoken

    async def advance(self, seconds: float) -> None:
        """Move the clock and wake whoever has slept long enough."""
        self.now_s += seconds
        due = [awoken for at_s, awoken in self._sleepers if at_s <= self.now_s]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.now_s]
        for awoken in due:
            if not awoken.done():
                awoken.set_result(None)
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def sleepers(self) -> int:
        """How many are asleep."""
        return len(self._sleepers)
