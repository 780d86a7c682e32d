"""Every dialogue that small scripts can come to is visited: the table is kept, and every state of it is reached."""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest

from asterisk_consent.dialogue.events import (
    CallLeft,
    CallLost,
    ChannelHungUp,
    ConnectionLost,
    ConnectionRestored,
    DigitReceived,
    PartPlayed,
    PlaybackFailed,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.withdrawal.events import (
    LineEvent,
    LineReached,
    LineSilent,
    NothingFound,
    RecordingFound,
    RecordingWithdrawn,
    TooManyAttempts,
    WithdrawalFailed,
)
from asterisk_consent.dialogue.withdrawal.machine import TABLE, step
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, Saying, State
from asterisk_consent.errors import DialogueError
from asterisk_consent.model import Done, Effect
from tests.dialogue.withdrawal.playbook import MENU, SCRIPT

SCRIPTS = [replace(script, attempts=2, rounds=3) for script in (SCRIPT, MENU)]
MOST_PLAYS = 6
"""A connection that breaks over and over has things said over and over: not followed any further. Nor are receipts
of other digits than 4: which they are makes no difference."""


def events(play: int) -> list[LineEvent]:
    """Every kind of event, in every form that the dialogue tells apart while this is being played."""
    return [
        *(
            LineReached(knows_number=knows, within_limits=within)
            for knows in (True, False)
            for within in (True, False)
        ),
        LineSilent(),
        *(
            PartPlayed(number, Saying.MENU, complete)
            for number in (play, play + 1)
            for complete in (True, False)
        ),
        *(PlaybackFailed(number, "no such file") for number in (play, play + 1)),
        *(DigitReceived(digit) for digit in [*"124#*A", ""]),
        *(TimerFired(timer) for timer in Timer),
        RecordingFound(),
        NothingFound(),
        TooManyAttempts(),
        RecordingWithdrawn(Done(effect=Effect.ERASED, reference="12345678")),
        WithdrawalFailed(),
        ChannelHungUp(),
        CallLeft(),
        CallLost(),
        ConnectionLost(),
        ConnectionRestored(),
        ServiceStopping(),
    ]


@cache
def visited() -> dict[tuple[State, type], set[State]]:
    """Return which states each pair of state and event led to; refused pairs lead nowhere."""
    reached: dict[tuple[State, type], set[State]] = defaultdict(set)
    waiting = [LineDialogue(script=script) for script in SCRIPTS]
    seen = set(waiting)
    while waiting:
        before = waiting.pop()
        for event in events(before.play):
            pair = (before.state, type(event))
            reached[pair].update()
            try:
                after, _ = step(before, event)
            except DialogueError:
                continue
            reached[pair].add(after.state)
            if after not in seen and after.play <= MOST_PLAYS and set(after.digits) <= {"4"}:
                seen.add(after)
                waiting.append(after)
    return reached


def _name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("state", "kind"), TABLE, ids=_name)
def test_a_listed_pair_leads_to_all_the_states_that_the_table_names_and_no_other(
    state: State, kind: type
) -> None:
    assert visited()[state, kind] == set(TABLE[state, kind][1])


def test_an_unlisted_pair_is_refused() -> None:
    pairs = {(state, kind) for state in State for kind in get_args(LineEvent)}

    assert set(visited()) == pairs
    assert all(not visited()[pair] for pair in pairs - TABLE.keys())


def test_every_state_can_be_left_for_the_end() -> None:
    ending = {State.GONE}
    while more := {state for (state, _), (_, targets) in TABLE.items() if ending & set(targets)} - ending:
        ending |= more

    assert ending == set(State)
