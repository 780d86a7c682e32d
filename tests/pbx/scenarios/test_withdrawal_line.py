"""1090: who calls enters a receipt, confirms, and hears what was done; by the sound of what was heard."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk_consent.ledger import RecordingRow, recordings
from asterisk_consent.ledger.standing import list_requests
from asterisk_consent.model import Done, Effect, KeptBecause
from asterisk_consent.prompts.form import WITHDRAWAL_LINE
from asterisk_consent.prompts.rendered import load_prompt_set
from tests.calls.withdrawal_desk import FakeDesk, Recorded
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import wait_for_ends
from tests.pbx.scenarios.exchange import Caller, Exchange, next_number
from tests.pbx.scenarios.line_service import line_service
from tests.pbx.service import Service
from tests.pbx.spoken import Spoken, spoken
from tests.pbx.spoken_digits import digits_heard

LINE = "1090"
READS_OUT = "1230"
"""Its policy reads the receipt out."""
REFERENCE = "90273548"
WHOLE = "120398567744"
LAST = WHOLE[-4:]
ANSWERS = ("not_found", "erased", "kept_by_law", "kept_on_hold", "pending", "unchanged", "later")


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody on the line; the language is Dutch, chosen with 1, unless told."""

    caller: Caller
    directory: Path
    digits: Path

    def length_s(self, *parts: str) -> float:
        prompts = load_prompt_set(self.directory, WITHDRAWAL_LINE)
        return sum(prompts.parts[part].duration_ms for part in parts) / 1000

    async def hear(self, *parts: str) -> None:
        """Listen to these parts, and a little to the silence after them."""
        await asyncio.sleep(self.length_s(*parts) + 0.8)

    async def press(self, digits: str) -> None:
        for digit in digits:
            await self.caller.call.digit(digit)
            await asyncio.sleep(0.1)

    async def enter(self, digits: str, *asked: str) -> None:
        """Listen to what is asked, enter a receipt, listen to the question whether to withdraw."""
        await self.hear(*asked)
        await self.press(digits)
        await self.hear("confirm")

    async def hear_the_end(self, *, within_s: float = 40.0) -> None:
        await asyncio.wait_for(self.caller.call.ended.wait(), within_s)

    def heard(self, part: str) -> Spoken:
        return spoken(self.caller.call.stream.received_in_step, self.directory / f"{part}.wav")

    @property
    def answers(self) -> set[str]:
        """Which answers were heard."""
        return {part for part in ANSWERS if self.heard(part).share > 0.9}

    def reference(self, part: str) -> str:
        """The reference that was read out after this part."""
        found, _ = digits_heard(
            self.caller.call.stream.received_in_step,
            self.digits,
            since=self.heard(part).ended_at,
            groups=(4, 4),
        )
        return found


Script = Callable[[Person], Awaitable[None]]


async def greeted(person: Person) -> None:
    """Choose Dutch in the menu."""
    await asyncio.sleep(1.0)
    await person.press("1")


async def withdraw_with_last_digits(person: Person) -> None:
    await greeted(person)
    await person.enter(f"{LAST}#", "greeting", "ask_last")
    await person.press("1")
    await person.hear_the_end()


async def withdraw_with_all_digits(person: Person) -> None:
    await greeted(person)
    await person.enter(WHOLE, "greeting", "ask_whole")
    await person.press("1")
    await person.hear_the_end()


async def try_a_stranger_and_hang_up(person: Person) -> None:
    """Try a receipt that is another's."""
    await greeted(person)
    await person.enter(f"{LAST}#", "greeting", "ask_last")
    await person.press("1")
    await person.hear("not_found")
    await asyncio.sleep(1.5)
    await person.caller.hang_up()


async def start_over_and_decline(person: Person) -> None:
    """Enter half, start over, enter all while it is being asked, decline."""
    await greeted(person)
    await person.hear("greeting", "ask_last")
    await person.press("12*")
    await asyncio.sleep(0.5)
    await person.press(f"{LAST}#2")
    await person.hear_the_end()


async def say_nothing(person: Person) -> None:
    await greeted(person)
    await person.hear_the_end(within_s=60.0)


async def hang_up_before_confirming(person: Person) -> None:
    await greeted(person)
    await person.enter(f"{LAST}#", "greeting", "ask_last")
    await person.caller.hang_up()


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Everybody after their call, and what the desk was asked."""

    people: dict[str, Person]
    desk: FakeDesk
    results: dict[str, int]

    def __getitem__(self, name: str) -> Person:
        return self.people[name]


SCRIPTS: dict[str, Script] = {
    "last digits": withdraw_with_last_digits,
    "withheld": withdraw_with_all_digits,
    "kept": withdraw_with_last_digits,
    "stranger": try_a_stranger_and_hang_up,
    "declines": start_over_and_decline,
    "silent": say_nothing,
    "hangs up": hang_up_before_confirming,
}


def on(pbx: DevelopmentPbx, caller: Caller, language: str = "nl") -> Person:
    prompts = pbx.settings.prompts
    return Person(
        caller=caller,
        directory=prompts / "_withdrawal" / "voorbeeld" / language,
        digits=prompts / "_digits" / language,
    )


@pytest.fixture(scope="module")
def played(running_pbx: DevelopmentPbx) -> Played:
    """Everybody calls at once, and a desk for the tests answers."""
    numbers = {name: next_number() for name in SCRIPTS}
    held = Done(effect=Effect.KEPT, because=KeptBecause.LEGAL_HOLD, reference=REFERENCE)
    desk = FakeDesk(
        recorded=[
            Recorded(
                call_id=name,
                number=None if name == "withheld" else numbers[name],
                receipt=WHOLE if name == "withheld" else f"{place:08}{LAST}",
                done=held if name == "kept" else Done(effect=Effect.ERASED, reference=REFERENCE),
            )
            for place, name in enumerate(SCRIPTS)
            if name != "stranger"
        ]
    )
    people: dict[str, Person] = {}

    async def call(exchange: Exchange, name: str, script: Script) -> None:
        caller = exchange.dial(LINE, number=numbers[name], privacy=name == "withheld")
        people[name] = on(running_pbx, caller)
        await caller.connected()
        caller.call.quiet()
        await script(people[name])

    async def round_of_calls() -> dict[str, int]:
        async with line_service(running_pbx, desk) as switchboard, Exchange(running_pbx) as exchange:
            await asyncio.gather(*(call(exchange, name, script) for name, script in SCRIPTS.items()))
            await asyncio.sleep(0.5)
            return dict(switchboard.withdrawals)

    running_pbx.service.stop()
    try:
        results = asyncio.run(round_of_calls())
    finally:
        running_pbx.service.start()
    return Played(people=people, desk=desk, results=results)


@pytest.mark.parametrize(("name", "asked"), [("last digits", "ask_last"), ("withheld", "ask_whole")])
def test_who_confirms_hears_that_it_is_erased_and_the_reference_twice(
    played: Played, name: str, asked: str
) -> None:
    person = played[name]
    order = ["greeting", asked, "confirm", "erased", "reference", "reference_again", "goodbye"]
    heard = [person.heard(part) for part in order]
    assert [each.share for each in heard] == pytest.approx([1.0] * len(order), abs=0.1), order
    assert [each.began_at for each in heard] == sorted(each.began_at for each in heard)
    assert person.answers == {"erased"}
    assert (person.reference("reference"), person.reference("reference_again")) == (REFERENCE, REFERENCE)
    assert name in played.desk.withdrawn


def test_what_is_kept_is_said_with_its_reason(played: Played) -> None:
    person = played["kept"]
    assert person.answers == {"kept_on_hold"}
    assert person.reference("reference") == REFERENCE


def test_the_receipt_of_somebody_else_cannot_be_found(played: Played) -> None:
    person = played["stranger"]
    assert person.answers == {"not_found"}
    assert "stranger" not in played.desk.withdrawn


def test_who_starts_over_and_declines_has_changed_nothing(played: Played) -> None:
    assert played["declines"].answers == {"unchanged"}
    assert "declines" not in played.desk.withdrawn


def test_silence_changes_nothing_and_the_line_ends_by_itself(played: Played) -> None:
    person = played["silent"]
    assert person.answers == {"unchanged"}
    assert person.caller.call.ended_by_peer


def test_a_hang_up_before_the_confirmation_changes_nothing(played: Played) -> None:
    assert played["hangs up"].answers == set()
    assert "hangs up" not in played.desk.withdrawn


def test_nothing_was_looked_for_without_a_confirmation(played: Played) -> None:
    assert len(played.desk.asked) == 4
    assert [number for _, number, receipt in played.desk.asked if receipt == WHOLE] == [None]
    assert played.results == {"erased": 2, "kept": 1, "unchanged": 2, "hung_up": 2}


async def agree_and_note_the_receipt(exchange: Exchange, prompts: Path) -> tuple[Caller, str]:
    """Agree, write down the receipt that is read out, talk, hang up."""
    caller = await exchange.connect(READS_OUT)
    await caller.wait_for_question()
    await caller.press("1")
    await caller.reach_agent(within_s=30.0)
    await asyncio.sleep(2.0)
    await caller.hang_up()
    heard = caller.call.stream.received_in_step
    announced = spoken(heard, prompts / "receipt-nl" / "1" / "nl" / "receipt.wav")
    digits = prompts / "_digits" / "nl"
    receipt, _ = digits_heard(heard, digits, since=announced.ended_at, groups=(3, 3, 3, 3))
    return caller, receipt


def test_the_receipt_that_a_caller_heard_withdraws_the_recording(
    pbx: DevelopmentPbx, service: Service
) -> None:
    """From the agreement to the erasure with nothing but a telephone, the service and its ledger."""
    assert service.is_running()
    ledger = pbx.settings.data / "ledger.sqlite"

    def row_of(caller: Caller) -> RecordingRow:
        return next(row for row in recordings(ledger) if row.channel == caller.channel)

    async def calls() -> tuple[Caller, Person]:
        async with Exchange(pbx) as exchange:
            caller, receipt = await agree_and_note_the_receipt(exchange, pbx.settings.prompts)
            await asyncio.to_thread(wait_for_ends, pbx.settings)
            assert row_of(caller).has_audio
            person = on(pbx, await exchange.connect(LINE, number=caller.number))
            await greeted(person)
            await person.enter(f"{receipt[-4:]}#", "greeting", "ask_last")
            await person.press("1")
            await person.hear_the_end()
            return caller, person

    caller, person = asyncio.run(calls())
    row = row_of(caller)
    assert person.answers == {"erased"}
    assert not row.has_audio
    assert not list((pbx.settings.data / "vault").glob(f"{row.recording_id}*"))
    assert not list(pbx.settings.keys.rglob(f"{row.call_id}.audio.age*"))
    (request,) = [each for each in list_requests(ledger) if each.call_id == row.call_id]
    assert (request.way, request.reference) == ("telephone", person.reference("reference"))


def test_while_the_service_is_away_callers_are_told_at_once(pbx: DevelopmentPbx, service: Service) -> None:
    service.stop()

    async def call() -> Person:
        async with Exchange(pbx) as exchange:
            person = on(pbx, await exchange.connect(LINE))
            await person.hear_the_end(within_s=15.0)
            return person

    person = asyncio.run(call())
    assert person.heard("later").in_full
    assert person.heard("later").began_at - person.caller.call.answered_at < 1.0


def test_a_frozen_service_holds_nobody(pbx: DevelopmentPbx, service: Service) -> None:
    async def call() -> tuple[Person, float]:
        async with Exchange(pbx) as exchange:
            person = on(pbx, await exchange.connect(LINE))
            await asyncio.sleep(1.5)
            await asyncio.to_thread(service.freeze)
            frozen_at = time.monotonic()
            await person.hear_the_end(within_s=40.0)
            return person, frozen_at

    person, frozen_at = asyncio.run(call())
    menu_s = person.length_s("menu") + on(pbx, person.caller, "en").length_s("menu")
    assert person.heard("later").in_full
    assert person.heard("later").began_at - frozen_at < menu_s + 10.0
