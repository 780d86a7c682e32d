"""A desk for the tests of the withdrawal line, and the contract that every desk must pass."""

import asyncio
from dataclasses import dataclass, field

from asterisk_consent.calls.withdrawal_desk import Found, WithdrawalDesk
from asterisk_consent.errors import ConsentError
from asterisk_consent.model import Done, Effect

NUMBER = "+442079460123"
RECEIPT = "123456784711"
REFERENCE = "12345678"
ERASED = Done(effect=Effect.ERASED, reference=REFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A call of which there is a recording."""

    call_id: str = "a" * 32
    controller: str = "voorbeeld"
    number: str | None = NUMBER
    receipt: str = RECEIPT
    done: Done = ERASED


@dataclass(slots=True)
class FakeDesk:
    """What there is, what was asked, and how the next answers go."""

    recorded: list[Recorded] = field(default_factory=lambda: [Recorded()])
    asked: list[tuple[str, str | None, str]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    find_s: float = 0.0
    withdraw_s: float = 0.0
    find_fault: Exception | None = None
    withdraw_fault: Exception | None = None

    async def find(self, *, controller: str, number: str | None, receipt: str) -> Found | None:
        """Look in ``recorded``."""
        self.asked.append((controller, number, receipt))
        await asyncio.sleep(self.find_s)
        if self.find_fault is not None:
            raise self.find_fault
        fits = [
            each for each in self.recorded if each.controller == controller and _fits(each, number, receipt)
        ]
        return Found(controller=controller, call_id=fits[0].call_id) if len(fits) == 1 else None

    async def withdraw(self, found: Found, *, channel: str) -> Done:
        """Note the withdrawal."""
        await asyncio.sleep(self.withdraw_s)
        if self.withdraw_fault is not None:
            raise self.withdraw_fault
        (recorded,) = [each for each in self.recorded if each.call_id == found.call_id]
        if found.call_id not in self.withdrawn:
            self.withdrawn.append(found.call_id)
        return recorded.done


def _fits(recorded: Recorded, number: str | None, receipt: str) -> bool:
    if len(receipt) == 12:
        return recorded.receipt == receipt
    return number is not None and recorded.number == number and recorded.receipt.endswith(receipt)


class DeskContract:
    """What every desk must do, given one recorded call, :class:`Recorded`, and another of the same caller's."""

    async def desk(self) -> WithdrawalDesk:
        """Return a desk that knows :class:`Recorded`, and of the same number one with another receipt."""
        raise NotImplementedError

    async def test_a_receipt_is_found_by_all_its_digits_without_a_number(self) -> None:
        assert await (await self.desk()).find(controller="voorbeeld", number=None, receipt=RECEIPT)

    async def test_the_last_digits_do_with_the_number_of_the_call_and_with_no_other(self) -> None:
        desk = await self.desk()
        assert await desk.find(controller="voorbeeld", number=NUMBER, receipt=RECEIPT[-4:])
        assert await desk.find(controller="voorbeeld", number="+442079460199", receipt=RECEIPT[-4:]) is None
        assert await desk.find(controller="voorbeeld", number=None, receipt=RECEIPT[-4:]) is None

    async def test_a_receipt_of_another_controller_is_none(self) -> None:
        assert await (await self.desk()).find(controller="ander", number=NUMBER, receipt=RECEIPT) is None

    async def test_who_did_not_hear_the_answer_can_ask_again(self) -> None:
        desk = await self.desk()
        found = await desk.find(controller="voorbeeld", number=None, receipt=RECEIPT)
        assert found is not None
        done = await desk.withdraw(found, channel="1.1")
        again = await desk.find(controller="voorbeeld", number=None, receipt=RECEIPT)
        assert again is not None
        assert (await desk.withdraw(again, channel="1.2")).effect is done.effect


class BrokenDesk(FakeDesk):
    """A desk that fails in ways of its own."""

    def __init__(self, *, find: bool, unexpected: bool = False) -> None:
        fault: Exception = ValueError("a defect") if unexpected else ConsentError("the ledger is locked")
        super().__init__(find_fault=fault if find else None, withdraw_fault=None if find else fault)
