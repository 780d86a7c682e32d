"""A call to the withdrawal line from its arrival to the dialplan, over ARI."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from asterisk_consent.calls.attempts import AttemptLimits, Attempts
from asterisk_consent.calls.switchboard import STOPPING_S, Switchboard
from asterisk_consent.calls.ways_out import ESCAPE_MARGIN_S
from asterisk_consent.calls.withdrawal_desk import WithdrawalDesk
from asterisk_consent.calls.withdrawal_line import Line, Lines
from asterisk_consent.calls.withdrawal_session import FINDING_S, Withdrawals
from asterisk_consent.dialogue.withdrawal.script import Saying, SpokenDigit
from asterisk_consent.model import Done, Effect, KeptBecause
from asterisk_consent.prompts.rendered import Prompt, PromptSet
from tests.calls.asterisk import CHANNEL, channel_on_the_line, refusal, waiting_channel
from tests.calls.service import Service, settle
from tests.calls.virtual_time import in_virtual_time, wall_s
from tests.calls.withdrawal_desk import NUMBER, RECEIPT, BrokenDesk, DeskContract, FakeDesk, Recorded

WORD_MS = 500
SPOKEN_REFERENCE = "1+2+3+4+pause+5+6+7+8"


def prompts(language: str, words: type[Saying] | type[SpokenDigit]) -> PromptSet:
    return PromptSet(
        language=language,
        name="made",
        reviewed_by="unreviewed",
        spoken_by="nobody",
        digest="ab" * 32,
        parts={
            word: Prompt(path_without_suffix=Path(word), duration_ms=WORD_MS, sha256="cd" * 32, text=word)
            for word in words
        },
    )


def line(*languages: str) -> Line:
    menu = tuple((str(place), tag) for place, tag in enumerate(languages, 1)) if len(languages) > 1 else ()
    return Line(
        controller="voorbeeld",
        menu=menu,
        sayings={tag: prompts(tag, Saying) for tag in languages},
        digits={tag: prompts(tag, SpokenDigit) for tag in languages},
        path="/prompts/_withdrawal/voorbeeld",
        digits_path="/prompts/_digits",
    )


class LineService(Service):
    """A service with a withdrawal line; made inside a running virtual loop."""

    def __init__(
        self, desk: WithdrawalDesk | None, *languages: str, limits: AttemptLimits | None = None
    ) -> None:
        super().__init__()
        attempts = Attempts(limits or AttemptLimits(), key=b"k" * 32, clock_s=asyncio.get_running_loop().time)
        withdrawals = Withdrawals(
            lines=Lines({"voorbeeld": line(*(languages or ("nl",)))}),
            desk=desk,
            attempts=attempts,
            region="GB",
            now_s=wall_s,
        )
        self.switchboard = Switchboard(self.policies, self.switchboard._surroundings, withdrawals)
        self.asterisk.tell = self.switchboard.take
        self.asterisk.lengths_ms |= {word: WORD_MS for words in (Saying, SpokenDigit) for word in words}

    @property
    def said(self) -> list[str]:
        """What was played, in order."""
        return [words.removeprefix("play ") for words in self.asterisk.story if words.startswith("play ")]

    async def press(self, digits: str) -> None:
        """Press digits, half a second each."""
        for digit in digits:
            self.asterisk.press(digit)
            await asyncio.sleep(0.5)


async def called(desk: WithdrawalDesk | None = None, *languages: str, **channel: str) -> LineService:
    """A call that was greeted."""
    service = LineService(desk or FakeDesk(), *languages)
    await service.switchboard.connected()
    service.asterisk.arrive(channel_on_the_line(**channel))
    await asyncio.sleep(1.5)
    return service


async def confirmed(desk: WithdrawalDesk, digits: str = "4711#", **channel: str) -> LineService:
    """A call whose caller entered a receipt and confirmed."""
    service = await called(desk, **channel)
    await service.press(digits)
    await asyncio.sleep(1)
    service.asterisk.press("1")
    return service


class TestFakeDesk(DeskContract):
    """The fake desk is a desk."""

    async def desk(self) -> WithdrawalDesk:
        return FakeDesk(recorded=[Recorded(), Recorded(call_id="b" * 32, receipt="9" * 12)])


@in_virtual_time
async def test_the_last_digits_of_the_own_number_withdraw_and_the_reference_is_said_twice() -> None:
    desk = FakeDesk()
    service = await confirmed(desk)
    await service.finish()

    assert desk.asked == [("voorbeeld", NUMBER, "4711")]
    assert desk.withdrawn == ["a" * 32]
    assert service.said == [
        "greeting+ask_last",
        "confirm",
        f"erased+reference+{SPOKEN_REFERENCE}+reference_again+{SPOKEN_REFERENCE}+goodbye",
    ]
    assert service.continued == ["over*erased"]
    assert service.switchboard.withdrawals == {"erased": 1}


@in_virtual_time
async def test_a_withheld_number_needs_all_digits_and_is_not_handed_on() -> None:
    desk = FakeDesk()
    service = await confirmed(desk, RECEIPT, presentation="prohib_not_screened")
    await service.finish()

    assert desk.asked == [("voorbeeld", None, RECEIPT)]
    assert service.said[0] == "greeting+ask_whole"
    assert service.continued == ["over*erased"]


@in_virtual_time
async def test_all_digits_need_no_number_where_one_is_shown() -> None:
    desk = FakeDesk()
    service = await confirmed(desk, RECEIPT, number="+442079460199")
    await service.finish()

    assert desk.asked == [("voorbeeld", None, RECEIPT)]
    assert service.continued == ["over*erased"]


@pytest.mark.parametrize(
    ("done", "said", "result"),
    [
        (
            Done(effect=Effect.KEPT, because=KeptBecause.LEGAL_OBLIGATION, reference="00000000"),
            "kept_by_law",
            "kept",
        ),
        (
            Done(effect=Effect.KEPT, because=KeptBecause.LEGAL_HOLD, reference="00000000"),
            "kept_on_hold",
            "kept",
        ),
        (Done(effect=Effect.PENDING, reference="00000000"), "pending", "pending"),
    ],
)
def test_what_was_done_is_said(done: Done, said: str, result: str) -> None:
    @in_virtual_time
    async def call() -> None:
        service = await confirmed(FakeDesk(recorded=[Recorded(done=done)]))
        await service.finish()
        assert service.said[-1].split("+")[0] == said
        assert service.continued == [f"over*{result}"]

    call()


@in_virtual_time
async def test_nothing_is_looked_for_before_it_is_confirmed() -> None:
    desk = FakeDesk()
    service = await called(desk)
    await service.press("4711#")
    await asyncio.sleep(1)
    service.asterisk.press("2")
    await service.finish()

    assert desk.asked == []
    assert service.said[-1] == "unchanged+goodbye"
    assert service.continued == ["over*unchanged"]


@pytest.mark.parametrize(
    "recorded",
    [
        [],
        [Recorded(receipt="9" * 12)],
        [Recorded(number="+442079460199")],
        [Recorded(controller="ander")],
    ],
    ids=["nothing", "another receipt", "another number", "another controller"],
)
@pytest.mark.parametrize("find_s", [0.0, 0.7])
def test_what_is_not_found_sounds_and_takes_the_same_whatever_the_reason(
    recorded: list[Recorded], find_s: float
) -> None:
    @in_virtual_time
    async def call() -> None:
        service = await confirmed(FakeDesk(recorded=recorded, find_s=find_s))
        await asyncio.sleep(FINDING_S - 0.01)
        assert service.said[-1] == "confirm"
        await asyncio.sleep(0.02)
        assert service.said[-1] == "not_found+ask_last"
        service.asterisk.hang_up()
        await service.finish()

    call()


@in_virtual_time
async def test_three_attempts_end_the_call() -> None:
    desk = FakeDesk(recorded=[])
    service = await called(desk)
    for _ in range(3):
        await service.press("4711#")
        await asyncio.sleep(1)
        service.asterisk.press("1")
        await asyncio.sleep(FINDING_S + 0.2)
    await service.finish()

    assert len(desk.asked) == 3
    assert service.said[-1] == "not_found+goodbye"
    assert service.continued == ["over*not_found"]


@in_virtual_time
async def test_a_caller_over_the_limit_is_told_to_try_later_and_others_are_not() -> None:
    desk = FakeDesk(recorded=[])
    service = LineService(desk, limits=AttemptLimits(per_caller=1, in_all=10))
    await service.switchboard.connected()
    service.asterisk.arrive(channel_on_the_line())
    await asyncio.sleep(1.5)
    for _ in range(2):
        await service.press("4711#")
        await asyncio.sleep(1)
        service.asterisk.press("1")
        await asyncio.sleep(FINDING_S + 0.2)
    await service.finish()
    assert len(desk.asked) == 1
    assert service.said[-1] == "later+goodbye"
    assert service.continued == ["over*limited"]

    service.asterisk.story.clear()
    service.asterisk.arrive(channel_on_the_line("2.1"))
    service.asterisk.arrive(channel_on_the_line("2.2", number="+442079460199"))
    await asyncio.sleep(0.1)
    assert service.said == ["later+goodbye", "greeting+ask_last"]
    service.asterisk.hang_up("2.2")
    await service.finish()


@pytest.mark.parametrize(
    "desk",
    [BrokenDesk(find=True), BrokenDesk(find=False), BrokenDesk(find=True, unexpected=True), None],
    ids=["finding", "withdrawing", "a defect", "nobody"],
)
def test_a_fault_sounds_the_same_whether_or_not_there_is_a_recording(desk: WithdrawalDesk | None) -> None:
    @in_virtual_time
    async def call() -> None:
        service = LineService(desk)
        await service.switchboard.connected()
        service.asterisk.arrive(channel_on_the_line())
        await asyncio.sleep(1.5)
        await service.press("4711#")
        await asyncio.sleep(1)
        service.asterisk.press("1")
        await service.finish()
        assert service.said[-1] == "later+goodbye"
        assert service.continued == ["over*failed"]

    call()


@in_virtual_time
async def test_a_desk_that_does_not_answer_holds_nobody() -> None:
    service = await confirmed(FakeDesk(withdraw_s=30))
    await asyncio.sleep(11)

    assert service.said[-1] == "later+goodbye"
    await service.finish()
    assert service.continued == ["over*failed"]


@in_virtual_time
async def test_who_hangs_up_after_confirming_has_withdrawn() -> None:
    desk = FakeDesk(find_s=0.5, withdraw_s=3)
    service = await confirmed(desk)
    await asyncio.sleep(0.1)
    service.asterisk.hang_up()
    await service.finish()

    assert desk.withdrawn == ["a" * 32]
    assert service.continued == []
    assert service.switchboard.withdrawals == {"hung_up": 1}


@in_virtual_time
async def test_who_hangs_up_before_confirming_has_changed_nothing() -> None:
    desk = FakeDesk()
    service = await called(desk)
    await service.press("4711#")
    service.asterisk.hang_up()
    await service.finish()

    assert desk.asked == []
    assert service.continued == []


@in_virtual_time
async def test_a_language_is_chosen_in_the_menu_that_is_spoken_in_all_of_them() -> None:
    service = await called(FakeDesk(), "nl", "fr")
    assert service.said == ["menu+menu"]

    service.asterisk.press("2")
    await asyncio.sleep(1.5)
    assert service.said[-1] == "greeting+ask_last"
    assert "/prompts/_withdrawal/voorbeeld/fr/greeting" in service.asterisk.paths[-1]
    service.asterisk.hang_up()
    await service.finish()


@in_virtual_time
async def test_the_escape_time_out_is_renewed_with_every_digit_and_never_passes_the_own_limit() -> None:
    service = await called(FakeDesk(), limit="60")
    service.asterisk.story.clear()
    await service.press("47")

    renewed = f"TIMEOUT(absolute)={5.0 + ESCAPE_MARGIN_S:.3f}"
    assert service.asterisk.story == [renewed, renewed]
    service.asterisk.hang_up()
    await service.finish()

    short = await called(FakeDesk(), limit="4")
    assert short.asterisk.story[1] == "TIMEOUT(absolute)=4.000"
    short.asterisk.hang_up()
    await short.finish()


@in_virtual_time
async def test_a_line_of_nobody_gives_the_call_back_at_once() -> None:
    service = await called(FakeDesk(), controller="niemand")
    await service.finish()

    assert service.said == []
    assert service.continued == ["over*failed"]


@in_virtual_time
async def test_a_service_without_lines_gives_the_call_back_at_once() -> None:
    service = Service()
    service.asterisk.arrive(channel_on_the_line())
    await service.finish()

    assert service.asterisk.story == ["continue over*failed"]


@in_virtual_time
async def test_what_cannot_be_played_gives_the_call_back() -> None:
    service = LineService(FakeDesk())
    service.asterisk.faults["play"] = refusal(404)
    service.asterisk.arrive(channel_on_the_line())
    await service.finish()

    assert service.continued == ["over*failed"]


@in_virtual_time
async def test_a_defect_gives_the_call_back() -> None:
    service = LineService(FakeDesk())
    broken = replace(line("nl"), digits={}, sayings={"nl": replace(prompts("nl", Saying), parts={})})
    service.switchboard._withdrawals.lines.replace({"voorbeeld": broken})
    service.asterisk.arrive(channel_on_the_line())
    await service.finish()

    assert service.continued == ["over*failed"]


@in_virtual_time
async def test_a_call_to_the_line_and_one_that_is_asked_go_side_by_side() -> None:
    service = await called(FakeDesk())
    service.asterisk.arrive(waiting_channel("9.9"))
    await settle()

    assert service.switchboard.depth == 2
    service.asterisk.hang_up()
    service.asterisk.hang_up("9.9")
    await service.finish()
    assert service.switchboard.outcomes == {"abandoned": 1}


@in_virtual_time
async def test_a_call_that_waited_through_a_break_is_asked_again_and_one_found_waiting_is_greeted() -> None:
    service = await called(FakeDesk())
    await service.press("47")
    service.switchboard.disconnected()
    await service.switchboard.connected()
    await asyncio.sleep(1)
    assert service.said[-1] == "ask_last"
    service.asterisk.hang_up()
    await service.finish()

    other = LineService(FakeDesk())
    other.asterisk.channels[CHANNEL] = channel_on_the_line()
    await other.switchboard.connected()
    await asyncio.sleep(0.5)
    assert other.said == ["greeting+ask_last"]
    other.asterisk.hang_up()
    await other.finish()


@in_virtual_time
async def test_a_stop_gives_every_call_back_and_finishes_what_was_confirmed() -> None:
    desk = FakeDesk(withdraw_s=STOPPING_S - 3)
    service = await confirmed(desk)
    await asyncio.sleep(0.1)

    await service.switchboard.stop()

    assert service.continued == ["over*failed"]
    assert desk.withdrawn == ["a" * 32]


@in_virtual_time
async def test_no_number_and_no_receipt_is_logged() -> None:
    with structlog.testing.capture_logs() as logs:
        service = await confirmed(BrokenDesk(find=True), RECEIPT)
        await service.finish()

    assert logs
    assert RECEIPT not in repr(logs)
    assert NUMBER[1:] not in repr(logs)
