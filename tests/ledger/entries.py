"""Entries for the tests of the ledger: an invented controller, numbers that Ofcom reserves for drama."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from asterisk_consent.ledger import (
    Kind,
    Ledger,
    NewEntry,
    Recording,
    decision_kind,
    decision_payload,
)
from asterisk_consent.model import Direction, Outcome
from tests.ledger.open_sealing import OpenSealer

CONTROLLER = "voorbeeld-bv"
CALLER = "+442079460123"
NOW = 1_800_000_000


def hex_id(number: int) -> str:
    """Return a well-formed id that shows ``number``."""
    return f"{number:032x}"


def decision(number: int, outcome: Outcome = Outcome.GIVEN, *, recording: int | None = None) -> NewEntry:
    """Return the decision of call ``number``; ``recording`` is the recording it allows."""
    return NewEntry(
        stream=CONTROLLER,
        kind=decision_kind(outcome),
        call_id=hex_id(number),
        policy="p1-nl",
        policy_version=1,
        language="nl",
        announcement="ab" * 32,
        payload=decision_payload(
            outcome=outcome,
            started_at=NOW,
            direction=Direction.INCOMING,
            dialled="1001",
            channel=f"PJSIP/caller-{number:08x}",
            caller=CALLER,
            caller_name="Anna Voorbeeld",
            withheld=False,
            digit="1" if outcome is Outcome.GIVEN else "",
            played_ms=21_000,
            information_ms=15_000,
            recording_id=None if recording is None else hex_id(recording),
        ),
    )


def recorded(kind: Kind, recording: int, *, reason: str = "") -> NewEntry:
    """Return an entry about ``recording``, which belongs to the call of the same number."""
    payload = Recording(
        recording_id=hex_id(recording), reason=reason, duration_ms=12_500, sha256="cd" * 32, size=400_044
    )
    return NewEntry(
        stream=CONTROLLER,
        kind=kind,
        call_id=hex_id(recording),
        policy="p1-nl",
        policy_version=1,
        payload=payload,
    )


def made_up_randomness() -> Iterator[bytes]:
    """Give 16 bytes at a time, every time others, always the same ones."""
    for number in count(1):
        yield number.to_bytes(16, "big")


async def open_ledger(path: Path, *, min_free_bytes: int = 0) -> Ledger:
    """Open a ledger whose clock stands still."""
    source = made_up_randomness()
    return await Ledger.open(
        path,
        sealer=OpenSealer(),
        clock=lambda: float(NOW),
        randomness=lambda _: next(source),
        min_free_bytes=min_free_bytes,
    )
