"""One of the demo's callers withdraws afterwards: what the command answers, and what of the call lies on disk then."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asterisk_consent.ledger.read import CallRow
from tests.pbx.settings import Settings

WITHDRAWS = "Anna"
HOW = "called back on the number of the call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What came of it.

    :param copies: each copy that the answer names, with its state.
    :param left: names of files of the recording and its key that are still there.
    :param lost: recordings of other calls of which a file or a key is gone.
    """

    exit_status: int
    copies: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    lost: tuple[str, ...]


def withdraw(
    run: Callable[..., subprocess.CompletedProcess[str]],
    settings: Settings,
    row: CallRow,
    others: Sequence[CallRow],
) -> Withdrawal:
    """Withdraw a call as somebody at the controller does who was asked to, and look at what is left."""
    done = run("withdraw", row.call_id, "--asked-by", WITHDRAWS, "--identified-by", HOW, "--json")
    answers = json.loads(done.stdout) if done.stdout.strip() else []
    return Withdrawal(
        exit_status=done.returncode,
        copies=tuple((copy["what"], copy["state"]) for answer in answers for copy in answer["copies"]),
        left=tuple(_files_of(settings, row)),
        lost=tuple(other.call_id[:8] for other in others if len(_files_of(settings, other)) < _FILES),
    )


_FILES = 2
"""Of a recording: the sealed file and the key that opens it."""


def _files_of(settings: Settings, row: CallRow) -> list[str]:
    recording = row.recording.recording_id if row.recording else "none"
    places = (settings.data / "vault", settings.keys)
    return sorted(
        path.name
        for place in places
        for path in place.rglob("*.age")
        if path.name.startswith((recording, row.call_id))
    )
