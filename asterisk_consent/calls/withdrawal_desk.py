"""What the withdrawal line needs of whoever finds recordings and carries a withdrawal out.

Rule: the line knows no more of a recording than that there is one; what it is called, whose it is and how many there
are stays behind the desk. GDPR art. 7(3), 17.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from asterisk_consent.model import Done
from asterisk_consent.rights.telephone_desk import TelephoneDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A call that a receipt belongs to; ``call_id`` means something behind the desk only and is never spoken."""

    controller: str
    call_id: str


class WithdrawalDesk(Protocol):
    """Who finds and withdraws. A contract test is in ``tests/calls/withdrawal_desk.py``."""

    async def find(self, *, controller: str, number: str | None, receipt: str) -> Found | None:
        """Return the call of this controller that the receipt belongs to; ``None`` where there is none, or several.

        It is found as well where it was withdrawn before, so that who did not hear the answer can call again.

        :param number: the caller's own, in E.164 form, with the last digits of a receipt; ``None`` with all of them,
            which need no number.
        :param receipt: its 12 digits, or with a number its last 4.
        :raises ConsentError: it cannot be looked for now.
        """
        ...

    async def withdraw(self, found: Found, *, channel: str) -> Done:
        """Withdraw, and tell what was done; what was withdrawn before is done already.

        :param channel: of the call in which it was confirmed; for the entry.
        :raises ConsentError: whether it was done is not known.
        """
        ...


class LedgerDesk:
    """The desk that there is: the ledger, asked in a thread of its own."""

    def __init__(self, desk: TelephoneDesk) -> None:
        self._desk = desk

    async def find(self, *, controller: str, number: str | None, receipt: str) -> Found | None:
        """Return the call of this controller that the receipt belongs to.

        :raises ConsentError: it cannot be looked for now.
        """
        call_id = await asyncio.to_thread(
            self._desk.find, controller=controller, number=number, receipt=receipt
        )
        return None if call_id is None else Found(controller=controller, call_id=call_id)

    async def withdraw(self, found: Found, *, channel: str) -> Done:
        """Withdraw, and tell what was done.

        :raises ConsentError: whether it was done is not known.
        """
        return await asyncio.to_thread(self._desk.withdraw, found.call_id, channel=channel)
