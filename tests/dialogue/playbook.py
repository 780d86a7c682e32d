"""A conversation written as a playbook: ``>> event`` happens, ``<< command`` must be what follows.

    assert (
        Playbook()
        >> CallArrived("nl")
        << SetTimer(Timer.OVERALL, 90.0)
        << PlayPrompt(1, (Part.INFORMATION, Part.QUESTION), "nl")
    )

Rule: every command has to be expected, in its order, before the next event happens; the ``assert`` covers what
follows the last event. The idea is mitmproxy's (``test/mitmproxy/proxy/tutils.py``).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Self, TypeVar

from asterisk_consent.dialogue.commands import Command
from asterisk_consent.dialogue.events import Event
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Dialogue, Script, State
from asterisk_consent.model import Mode, Outcome

DialogueT = TypeVar("DialogueT")
EventT = TypeVar("EventT")
CommandT = TypeVar("CommandT")

SCRIPT = Script(
    mode=Mode.OPT_IN,
    agree_digit="1",
    refuse_digit="2",
    repeat_digit="3",
    attempts=2,
    repeats=1,
    first_digit_s=5.0,
    overall_s=90.0,
)
"""Opt-in: two attempts, one repetition; any other digit is a wrong one."""

MENU = (("1", "nl"), ("3", "fr"))
"""Digits that mean something else once the language is known."""

OPT_IN_MENU = replace(SCRIPT, menu=MENU)

RECEIPT = replace(SCRIPT, reads_receipt=True)

OPT_OUT = Script(
    mode=Mode.OPT_OUT,
    refuse_digit="9",
    repeat_digit="0",
    refusal=Outcome.OBJECTED,
    menu=MENU,
    attempts=2,
    repeats=1,
    first_digit_s=5.0,
    overall_s=90.0,
)

OPT_OUT_DEMANDED = replace(OPT_OUT, takes_refusal=False)
"""A question to which the answer has no effect: no policy may have it, the table covers it."""

NOTICE = Script(mode=Mode.NOTICE, refusal=Outcome.OBJECTED, first_digit_s=5.0, overall_s=90.0)

NOTICE_MENU = replace(NOTICE, menu=MENU, attempts=2)

NOTICE_DEMANDED = replace(NOTICE_MENU, refuse_digit="9", takes_refusal=False)
"""The law demands the recording: who presses 9 is told so."""


class Conversation(Generic[DialogueT, EventT, CommandT]):
    """One conversation and the commands it has given that nobody has expected yet."""

    def __init__(
        self, dialogue: DialogueT, step: Callable[[DialogueT, EventT], tuple[DialogueT, list[CommandT]]]
    ) -> None:
        self.dialogue = dialogue
        self._step = step
        self._unexpected: list[CommandT] = []
        self._course: list[str] = []

    def __rshift__(self, event: EventT) -> Self:
        """Let ``event`` happen."""
        self._nothing_left(f"before >> {event}")
        self.dialogue, self._unexpected = self._step(self.dialogue, event)
        self._course.append(f">> {event}")
        return self

    def __lshift__(self, command: CommandT) -> Self:
        """Expect ``command`` to be the next one."""
        found = self._unexpected.pop(0) if self._unexpected else None
        assert found == command, self._complaint(f"expected << {command}\nbut found << {found}")
        self._course.append(f"<< {command}")
        return self

    def __bool__(self) -> bool:
        """Tell that every command was expected."""
        self._nothing_left("at the end")
        return True

    def _nothing_left(self, where: str) -> None:
        left = "\n".join(f"<< {command}" for command in self._unexpected)
        assert not left, self._complaint(f"{where} nobody expected\n{left}")

    def _complaint(self, what: str) -> str:
        return "\n".join([*self._course, what])


class Playbook(Conversation[Dialogue, Event, Command]):
    """A conversation before a call."""

    def __init__(self, script: Script = SCRIPT) -> None:
        super().__init__(Dialogue(script=script), step)

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self.dialogue.state
