"""How long to wait before the next try to reach Asterisk.

Rule: the wait grows and is capped, so that a PBX that comes back is found within the cap. No randomness: one
client per PBX has nobody to spread out from.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that start at ``first_s``, grow by ``factor`` and stop growing at ``cap_s``."""

    first_s: float = 0.1
    factor: float = 2.0
    cap_s: float = 5.0

    def delay_s(self, failures: int) -> float:
        """Return the wait after so many failures in a row; 0 failures is treated as 1."""
        growth = min(max(failures, 1) - 1, 64)  # beyond 64 doublings a float says no more than the cap does
        return min(self.cap_s, self.first_s * self.factor**growth)
