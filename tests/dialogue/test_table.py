"""Every pair of state and event is visited: the table is kept, and nothing else has an effect."""

from typing import get_args

import pytest

from asterisk_consent.dialogue.events import Event
from asterisk_consent.dialogue.machine import TABLE, step
from asterisk_consent.dialogue.script import State
from asterisk_consent.errors import DialogueError
from tests.dialogue.conversations import EVENTS, ROADS, dialogue_after

PAIRS = [(state, kind) for state in State for kind in get_args(Event)]
LISTED = [pair for pair in PAIRS if pair in TABLE]
UNLISTED = [pair for pair in PAIRS if pair not in TABLE]


def _name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


def _events_of(kind: type) -> list[Event]:
    return [event for event in EVENTS if type(event) is kind]


@pytest.mark.parametrize("state", State)
def test_the_roads_lead_where_they_say(state: State) -> None:
    assert {dialogue_after(road).state for road in ROADS[state]} == {state}


@pytest.mark.parametrize(("state", "kind"), LISTED, ids=_name)
def test_a_listed_pair_leads_to_all_the_states_that_the_table_names_and_no_other(
    state: State, kind: type
) -> None:
    reached = {
        step(dialogue_after(road), event)[0].state for road in ROADS[state] for event in _events_of(kind)
    }

    assert reached == set(TABLE[state, kind][1])


@pytest.mark.parametrize(("state", "kind"), UNLISTED, ids=_name)
def test_an_unlisted_pair_raises_and_changes_nothing(state: State, kind: type) -> None:
    for road in ROADS[state]:
        for event in _events_of(kind):
            dialogue = dialogue_after(road)
            with pytest.raises(DialogueError, match=f"{kind.__name__} has no meaning in state {state}"):
                step(dialogue, event)
            assert dialogue == dialogue_after(road)


def test_the_table_lists_only_events_that_there_are() -> None:
    assert {kind for _, kind in TABLE} == set(get_args(Event))


def test_every_state_can_be_left_for_the_end() -> None:
    ending = {State.GONE}
    while more := {state for (state, _), (_, targets) in TABLE.items() if ending & set(targets)} - ending:
        ending |= more

    assert ending == set(State)
