"""A conversation written as a playbook: ``>> event`` happens, ``<< command`` must be what follows.

    assert (
        Playbook()
        >> CallArrived()
        << SetTimer(Timer.OVERALL, 90.0)
        << PlayPrompt(1, (Part.INFORMATION, Part.QUESTION))
    )

Rule: every command has to be expected, in its order, before the next event happens; the ``assert`` covers what
follows the last event. The idea is mitmproxy's (``test/mitmproxy/proxy/tutils.py``).
"""

from asterisk_consent.dialogue.commands import Command
from asterisk_consent.dialogue.events import Event
from asterisk_consent.dialogue.machine import Dialogue, Script, State, step

SCRIPT = Script(
    agree_digit="1",
    refuse_digit="2",
    repeat_digit="3",
    attempts=2,
    repeats=1,
    first_digit_s=5.0,
    overall_s=90.0,
)
"""Two attempts, one repetition; any other digit is a wrong one."""


class Playbook:
    """One conversation and the commands it has given that nobody has expected yet."""

    def __init__(self, script: Script = SCRIPT) -> None:
        self.dialogue = Dialogue(script=script)
        self._unexpected: list[Command] = []
        self._course: list[str] = []

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self.dialogue.state

    def __rshift__(self, event: Event) -> "Playbook":
        """Let ``event`` happen."""
        self._nothing_left(f"before >> {event}")
        self.dialogue, self._unexpected = step(self.dialogue, event)
        self._course.append(f">> {event}")
        return self

    def __lshift__(self, command: Command) -> "Playbook":
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
