"""Types commands at a place with calls that were recorded and sealed for real, as somebody with a name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from click.testing import CliRunner, Result

from asterisk_consent.cli import cli
from asterisk_consent.ledger import find_call
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.read import recordings_of
from asterisk_consent.model import Outcome
from tests.rights.kept_calls import KeptCalls

LIKE_NO_OTHER = 0x1000_0000 << 96
"""Makes ids that differ in their first characters, as random ones do."""


class Desk:
    """A place with calls, whose entries were made a moment ago, and somebody who types commands there."""

    def __init__(self, kept: KeptCalls) -> None:
        self.kept = kept
        self.person = "m.jansen"
        kept.clock.now = datetime.now(UTC).timestamp()

    @classmethod
    async def begin(cls, directory: Path) -> Self:
        """Begin with an opt-in policy, and one whose recordings may be kept longer for evidence."""
        return cls(await KeptCalls.begin(directory, "p1-nl", "p5-be"))

    def type(self, *words: str, keys: str | None = None) -> Result:
        """Type a command; ``keys`` is what comes on standard input."""
        file = str(self.kept.place.config.file)
        environment = {"SUDO_USER": self.person}
        return CliRunner().invoke(cli, ["--config", file, *words], input=keys, env=environment)

    def answer(self, *words: str) -> Any:
        """Type a command with ``--json``, and return what it printed."""
        result = self.type(*words, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    def recorded(self, number: int, *, days_ago: float = 1, **decided: Any) -> str:
        """Record a call; return its id."""
        began_at = datetime.now(UTC) - timedelta(days=days_ago)
        return self.kept.recorded(number * LIKE_NO_OTHER, began_at=began_at, **decided)

    def evidence(self, number: int, *, days_ago: float = 1) -> str:
        """Record a call that may be kept longer for evidence."""
        purposes = ("quality", "evidence")
        return self.recorded(
            number, days_ago=days_ago, policy="p5-be", purposes=purposes, outcome=Outcome.INFORMED
        )

    def running(self, number: int) -> str:
        """Decide a call that is being recorded; return its id."""
        return self.kept.decide(number * LIKE_NO_OTHER, began_at=datetime.now(UTC))

    def refused(self, number: int) -> str:
        """Decide a call that was refused; return its id."""
        return self.kept.decide(number * LIKE_NO_OTHER, began_at=datetime.now(UTC), outcome=Outcome.REFUSED)

    def has_audio(self, call_id: str) -> bool:
        """Tell whether there is audio of a call."""
        return any(row.has_audio for row in recordings_of(self.kept.held.ledger, call_id))

    def is_known(self, call_id: str) -> bool:
        """Tell whether anything is known of a call."""
        return find_call(self.kept.held.ledger, call_id) is not None

    @contextmanager
    def service_there(self) -> Iterator[None]:
        """Hold the ledger as a running service does, which does nothing else."""
        ownership = Ownership(self.kept.held.ledger)
        ownership.take()
        try:
            yield
        finally:
            ownership.release()
