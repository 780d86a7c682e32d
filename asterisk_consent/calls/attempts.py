"""Counts how often receipts are tried on the withdrawal line, by caller and in all, within an hour.

Rule: who tried is kept in memory only, as a hash under a key that this process made and nobody else has; it says
nothing to anybody, and is forgotten after an hour. Memory is bounded by the limit for all.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 3600.0
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """How many attempts an hour are let through. Who withholds the number counts only for all together."""

    per_caller: int = 6
    in_all: int = 60


class Attempts:
    """The attempts of the last hour.

    :param key: random, of :data:`KEY_BYTES`.
    :param clock_s: a clock that no one sets.
    """

    def __init__(self, limits: AttemptLimits, *, key: bytes, clock_s: Callable[[], float]) -> None:
        self._limits = limits
        self._key = key
        self._clock_s = clock_s
        self._made: deque[tuple[float, bytes]] = deque()

    def allow(self, number: str | None) -> bool:
        """Tell whether a caller with this number may try; ``None`` where it is withheld."""
        while self._made and self._made[0][0] <= self._clock_s() - WINDOW_S:
            self._made.popleft()
        if len(self._made) >= self._limits.in_all:
            return False
        caller = self._blind(number)
        return not caller or sum(made == caller for _, made in self._made) < self._limits.per_caller

    def count(self, number: str | None) -> bool:
        """Count an attempt if it is allowed, and tell whether it is."""
        if not self.allow(number):
            return False
        self._made.append((self._clock_s(), self._blind(number)))
        return True

    def _blind(self, number: str | None) -> bytes:
        if number is None:
            return b""
        content = number.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, key=self._key, digest_size=16).digest()
