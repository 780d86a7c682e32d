"""Draws the dialogue from its table: ``python -m asterisk_consent.dialogue.diagram > docs/reference/dialogue.md``.

Rule: what is drawn is the table and nothing else; a test compares the file with it. Source of the notation:
Mermaid documentation, "State diagrams".
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from asterisk_consent.dialogue.machine import TABLE
from asterisk_consent.dialogue.script import State

StateT = TypeVar("StateT", bound=StrEnum)
Table = Mapping[tuple[StateT, type], tuple[Callable[..., object], tuple[StateT, ...]]]

_HEAD = """\
# The conversation with the caller

Made from the table in `asterisk_consent/dialogue/machine.py` by `python -m asterisk_consent.dialogue.diagram`.

An event that changes the state is an arrow; the table below has every pair. An event that a state does not list
raises `DialogueError` and changes nothing.

**Opt-in**: information and question are played, and only the digit to agree, pressed once the information was played
to its end, leads to a recording. Silence and wrong digits are asked about as often as the policy says.

**Opt-out**: information and question are played; silence after both is no objection. After any digit that means
nothing it no longer is: the question is asked again, and then there is no choice.

**Notice**: only the information is played, and the call is recorded once it was played to its end. Digits mean
nothing. Where the law demands the recording, a policy may name a digit to refuse all the same: the first time it is
pressed the caller is told why it has no effect, then everything is played again.

In every mode the languages are named first where the caller chooses one (`choosing`, `awaiting_language`); who chose
none was not informed in one and is not recorded. A refusal counts there too. While the connection to Asterisk is
away no digit can be heard, so silence means nothing until it is back.

A policy may have the receipt of a call read out (`reading_out`), after its decision is on disk and before it goes on to
be recorded. Any digit ends that, and so does whatever goes wrong: the call goes on.

With mode `off` a call never gets here.
"""


def reference() -> str:
    """Return the whole page of the conversation before a call."""
    return page(_HEAD, TABLE, State)


def page(head: str, table: Table[StateT], states: type[StateT]) -> str:
    """Return a page: a diagram of what changes the state, a table of everything, the events.

    :param states: in their order; a conversation begins in the first and ends in the last.
    """
    order = list(states)
    parts = (_diagram(table, order), [""], _transitions(table, order), [""], _events(table))
    return "\n".join([head, *(line for part in parts for line in part)]) + "\n"


def _diagram(table: Table[StateT], order: list[StateT]) -> Iterator[str]:
    labels: dict[tuple[StateT, StateT], list[str]] = {}
    for (state, event), (_, targets) in table.items():
        for target in targets:
            if target is not state:
                labels.setdefault((state, target), []).append(event.__name__)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {order[0]}"
    for (state, target), events in sorted(
        labels.items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1]))
    ):
        yield f"    {state} --> {target}: {', '.join(sorted(events))}"
    yield f"    {order[-1]} --> [*]"
    yield "```"


def _transitions(table: Table[StateT], order: list[StateT]) -> Iterator[str]:
    yield "| In state | event | leads to | |"
    yield "|---|---|---|---|"
    rows = sorted(table.items(), key=lambda item: (order.index(item[0][0]), item[0][1].__name__))
    for (state, event), (step, targets) in rows:
        kept = inspect.getdoc(step) or ""
        yield f"| {state} | `{event.__name__}` | {', '.join(targets)} | {kept.splitlines()[0] if kept else ''} |"


def _events(table: Table[StateT]) -> Iterator[str]:
    yield "| Event | |"
    yield "|---|---|"
    for event in sorted({event for _, event in table}, key=lambda event: event.__name__):
        yield f"| `{event.__name__}` | {_markdown(event)} |"


def _markdown(event: type) -> str:
    return " ".join((inspect.getdoc(event) or "").split()).replace("``", "`")


if __name__ == "__main__":
    sys.stdout.write(reference())
