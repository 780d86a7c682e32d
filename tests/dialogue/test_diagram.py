"""The page with the diagram is what the table says today."""

from pathlib import Path

from asterisk_consent.dialogue.diagram import reference
from asterisk_consent.dialogue.machine import TABLE
from asterisk_consent.dialogue.script import State

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "dialogue.md"


def test_the_page_is_made_from_the_table_as_it_is_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "make it again: python -m asterisk_consent.dialogue.diagram > docs/reference/dialogue.md"
    )


def test_every_transition_that_changes_the_state_is_an_arrow() -> None:
    arrows = {line.partition(":")[0].strip() for line in reference().splitlines() if " --> " in line}
    changes = {
        f"{state} --> {target}"
        for (state, _), (_, targets) in TABLE.items()
        for target in targets
        if target != state
    }

    assert arrows == changes | {f"[*] --> {State.ARRIVING}", f"{State.GONE} --> [*]"}


def test_every_pair_of_the_table_is_a_row() -> None:
    page = reference()

    assert all(f"| {state} | `{event.__name__}` |" in page for state, event in TABLE)
