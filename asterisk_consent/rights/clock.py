"""Whether the machine's clock can be relied on: the entries since the last sweep tell, each with its moment.

Rule: nothing that was to wait for a moment goes because the clock jumped to it. A person can vouch for the clock; that
is an entry too, with the sweep that it allows.
"""

import re
import sqlite3
from datetime import UTC, datetime, timedelta

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.rights.erasing import Holdings

QUIET = timedelta(hours=48)
"""Between two entries, or the last one and now, there is no longer time where the service sweeps every day."""
BACKWARDS = timedelta(minutes=5)
"""So much a clock may be set back without anybody having to ask why."""
_AT = re.compile(rb'"at":(-?[0-9]+)')


def is_in_doubt(held: Holdings) -> bool:
    """Tell whether the clock may have jumped since the last sweep.

    :raises LedgerError: the ledger cannot be read.
    """
    if held.clock_is_right:
        return False
    try:
        refuse_jumped_clock(held, datetime.fromtimestamp(held.clock(), UTC))
    except RequestRefusedError:
        return True
    return False


def refuse_jumped_clock(held: Holdings, now: datetime) -> None:
    """Refuse where the entries since the last sweep show that the clock may have jumped.

    :raises RequestRefusedError: it may have.
    """
    with reading(held.ledger) as connection:
        before = None
        for at in _moments_since_last_sweep(connection):
            _compare(before, at)
            before = at
    _compare(before, now)


def _compare(before: datetime | None, after: datetime) -> None:
    if before is None or -BACKWARDS <= after - before <= QUIET:
        return
    between = f"between {before:%Y-%m-%d %H:%M} and {after:%Y-%m-%d %H:%M} UTC"
    raise RequestRefusedError(
        f"the clock may have jumped: nothing was entered {between}"
        if after > before
        else f"the clock was set back {between}",
        remedy="Look at the clock; if it is right: asterisk-consent retention sweep --clock-is-right",
    )


def _moments_since_last_sweep(connection: sqlite3.Connection) -> list[datetime]:
    query = "SELECT seq FROM chain WHERE instr(header, ?) ORDER BY seq DESC LIMIT 1"
    last = connection.execute(query, (f'"kind":"{Kind.RETENTION_SWEPT}"'.encode(),)).fetchone()
    headers = connection.execute(
        "SELECT header FROM chain WHERE seq >= ? ORDER BY seq", (last[0] if last else 1,)
    )
    found = (_AT.search(header) for (header,) in headers)
    return [datetime.fromtimestamp(int(at[1]), UTC) for at in found if at]
