"""How fast one peer asks: what work explains, and what only browsing does.

Rule: a peer that asks too often is refused, whatever it asks, and takes no place from the others.
"""

from collections import deque

from asterisk_consent.errors import BrowsingError, RequestRefusedError

MINUTE_S = 60.0


class Pace:
    """Counts each peer's requests of the last minute, and those it has open.

    :param per_minute: requests of one peer in any minute.
    :param at_once: requests of one peer that are being answered.
    """

    def __init__(self, *, per_minute: int, at_once: int) -> None:
        self._per_minute = per_minute
        self._at_once = at_once
        self._asked_at: dict[int, deque[float]] = {}
        self._open: dict[int, int] = {}

    def begin(self, uid: int, now_s: float) -> None:
        """Count a request; each that was begun is ended with :meth:`end`.

        :param now_s: on a clock that only goes forward.
        :raises BrowsingError: the peer asked too often in the last minute.
        :raises RequestRefusedError: too many of its requests are open.
        """
        asked_at = self._asked_at.setdefault(uid, deque(maxlen=self._per_minute))
        if len(asked_at) == self._per_minute and now_s - asked_at[0] < MINUTE_S:
            raise BrowsingError(
                f"more than {self._per_minute} requests in a minute",
                remedy="Wait a minute. Who needs to see more says so to whoever set keyholder.requests_per_minute",
            )
        if self._open.get(uid, 0) >= self._at_once:
            raise RequestRefusedError(
                f"{self._at_once} requests of yours are being answered", remedy="Wait for one of them"
            )
        asked_at.append(now_s)
        self._open[uid] = self._open.get(uid, 0) + 1

    def end(self, uid: int) -> None:
        """Note that a request was answered."""
        self._open[uid] -= 1
        if not self._open[uid]:
            del self._open[uid]
