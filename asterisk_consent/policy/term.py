"""How long something is kept: days, weeks, calendar months or years, in the controller's own time zone.

Rule: a term is never over early. It ends with the last hour of its last day; where a month has no such day, with
the last day of that month. Source: Regulation (EEC, Euratom) 1182/71 art. 3(2).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_TERM = re.compile(r"([1-9][0-9]{0,4}) (day|week|month|year)s?")
_DAYS_AT_LEAST = {"day": 1, "week": 7, "month": 28, "year": 365}
_FIRST_DAYS = [date(year, month, 1) for year in (2000, 2001, 2002, 2003) for month in range(1, 13)]
"""From each of these on, months and years have another length: four years, of which one is a leap year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """An amount of calendar units; ``unit`` is ``day``, ``week``, ``month`` or ``year``."""

    amount: int
    unit: str

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"

    def last_day(self, first: date) -> date:
        """Return the day with whose last hour the term ends, when it begins on ``first``."""
        if self.unit in ("day", "week"):
            return first + timedelta(days=self.amount * _DAYS_AT_LEAST[self.unit])
        months = first.month - 1 + self.amount * (12 if self.unit == "year" else 1)
        year, month = first.year + months // 12, months % 12 + 1
        return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))

    def ends_at(self, began_at: datetime, timezone: str) -> datetime:
        """Return the moment from which the term is over, aware, in ``timezone``; ``began_at`` is aware."""
        zone = ZoneInfo(timezone)
        after = self.last_day(began_at.astimezone(zone).date()) + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=zone)

    def is_longer_than(self, other: "Term") -> bool:
        """Tell whether this term ends later than the other, both begun on the first day of a leap year."""
        same_day = date(2000, 1, 1)
        return self.last_day(same_day) > other.last_day(same_day)

    def may_outlast(self, other: "Term") -> bool:
        """Tell whether there is a day on which both begin and this term ends later: months differ in length."""
        return any(self.last_day(day) > other.last_day(day) for day in _FIRST_DAYS)


def parse_term(text: str) -> Term | None:
    """Read ``90 days``, ``4 weeks``, ``1 month`` or ``5 years``; ``None`` where it is nothing of the kind."""
    found = _TERM.fullmatch(text)
    if found is None:
        return None
    term = Term(amount=int(found[1]), unit=found[2])
    return term if term.amount * _DAYS_AT_LEAST[term.unit] <= 365 * 100 else None
