"""Every allowed recording reaches exactly one end, whatever happens in whatever order."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_consent.calls.recorder import GRACE_S
from asterisk_consent.calls.spool import SETTLE_S
from asterisk_consent.ledger.entry import Kind
from tests.calls.recording_place import Place, until
from tests.vault.tones import RECORDING

ACTIONS = [
    "begin caller",
    "begin agent",
    "end caller",
    "end agent",
    "end_unstarted",
    "sweep",
    "wait",
    "leave",
    "ledger fails",
    "ledger does not answer",
    "doubt and adopt",
    "adopt",
]


async def act(place: Place, action: str) -> None:
    """Let one thing happen."""
    match action.split():
        case ["begin", side]:
            place.begin(side)
        case ["end", side]:
            place.end(side)
        case ["end_unstarted"]:
            place.recorder.end_unstarted(RECORDING, "the call had left")
        case ["sweep"]:
            await place.recorder.sweep_once()
        case ["wait"]:
            await place.clock.advance(GRACE_S)
        case ["leave"]:
            place.channels = set()
        case ["ledger", "fails"]:
            place.ledger.failures = 1
        case ["ledger", *_]:
            place.ledger.unanswered = 1
        case ["doubt", *_]:
            place.recorder.doubt()
            await place.recorder.adopt()
        case _:
            await place.recorder.adopt()


@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_in_whatever_order_there_is_exactly_one_end(actions: list[str]) -> None:
    async def check(directory: Path) -> None:
        place = Place(directory)
        place.allow()
        for action in actions:
            await act(place, action)
        place.ledger.failures = place.ledger.unanswered = 0
        for _ in range(4):
            await place.hang_up()
            await until(lambda: not place.busy or place.clock.sleepers > 0)
            await place.clock.advance(SETTLE_S)
        await until(lambda: not place.busy)
        assert len(place.ends()) == 1
        assert place.recorder.depth == 0
        assert place.ledger.kinds().count(Kind.RECORDING_STARTED) <= 1

    with TemporaryDirectory() as directory:
        asyncio.run(check(Path(directory)))
