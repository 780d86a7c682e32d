"""Draws the dialogue from its table: ``python -m asterisk_consent.dialogue.diagram > docs/reference/dialogue.md``.

Rule: what is drawn is the table and nothing else; a test compares the file with it. Source of the notation:
Mermaid documentation, "State diagrams".
"""

import inspect
import sys
from collections.abc import Iterator

from asterisk_consent.dialogue.machine import TABLE
from asterisk_consent.dialogue.script import State

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

With mode `off` a call never gets here.
"""


def reference() -> str:
    """Return the whole page: a diagram of what changes the state, a table of everything, the states."""
    return "\n".join([_HEAD, *_diagram(), "", *_transitions(), "", *_events()]) + "\n"


def _diagram() -> Iterator[str]:
    labels: dict[tuple[State, State], list[str]] = {}
    for (state, event), (_, targets) in TABLE.items():
        for target in targets:
            if target is not state:
                labels.setdefault((state, target), []).append(event.__name__)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.ARRIVING}"
    for (state, target), events in sorted(labels.items(), key=lambda item: _order(*item[0])):
        yield f"    {state} --> {target}: {', '.join(sorted(events))}"
    yield f"    {State.GONE} --> [*]"
    yield "```"


def _transitions() -> Iterator[str]:
    yield "| In state | event | leads to | |"
    yield "|---|---|---|---|"
    rows = sorted(TABLE.items(), key=lambda item: (*_order(item[0][0]), item[0][1].__name__))
    for (state, event), (step, targets) in rows:
        kept = inspect.getdoc(step) or ""
        yield f"| {state} | `{event.__name__}` | {', '.join(targets)} | {kept.splitlines()[0] if kept else ''} |"


def _events() -> Iterator[str]:
    yield "| Event | |"
    yield "|---|---|"
    for event in sorted({event for _, event in TABLE}, key=lambda event: event.__name__):
        yield f"| `{event.__name__}` | {_markdown(event)} |"


def _markdown(event: type) -> str:
    return " ".join((inspect.getdoc(event) or "").split()).replace("``", "`")


def _order(*states: State) -> tuple[int, ...]:
    return tuple(list(State).index(state) for state in states)


if __name__ == "__main__":
    sys.stdout.write(reference())
