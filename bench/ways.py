"""The ways of asking that are compared, and how each one's finished recordings are counted.

Rule: a recording counts when it is complete: both sides hold sound, or, where the service vouches for it, the
ledger says verified.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.stage import POLICY, Stage

WAV_HEADER_BYTES = 44
SETTLES_WITHIN_S = 60.0


class Way(Protocol):
    """One way of asking a caller."""

    name: str
    prefix: str
    """The first digits of its numbers; see ``extensions-bench.conf``."""

    def complete_recordings(self) -> int:
        """Return how many there are since the last ``clear``; may wait for work that follows a call."""
        ...

    def clear(self) -> None:
        """Start counting anew."""
        ...


@dataclass(slots=True, kw_only=True)
class FilesWay:
    """Asterisk alone: recordings stay where MixMonitor wrote them."""

    name: str
    prefix: str
    folder: Path

    def complete_recordings(self) -> int:
        """Count the pairs of files that both hold sound."""
        sound = {file.name for file in self.folder.glob("*.wav") if file.stat().st_size > WAV_HEADER_BYTES}
        callers = [name for name in sound if name.endswith("-caller.wav")]
        return sum(name.replace("-caller", "-agent") in sound for name in callers)

    def clear(self) -> None:
        """Delete them."""
        for file in self.folder.glob("*"):
            file.unlink()


@dataclass(slots=True, kw_only=True)
class ServiceWay:
    """asterisk-consent: the ledger tells."""

    name: str
    prefix: str
    spool: Path
    consent: Callable[..., str]
    _before: int = 0

    def complete_recordings(self) -> int:
        """Wait until the spool is empty and every recording has its end; count the verified ones."""
        deadline = time.monotonic() + SETTLES_WITHIN_S
        while any(self.spool.glob("*.wav")) and time.monotonic() < deadline:
            time.sleep(0.2)
        while True:
            states = self._states()
            if all(state in ("verified", "failed", "not_started") for state in states):
                break
            if time.monotonic() > deadline:
                break
            time.sleep(1.0)
        return states.count("verified")

    def clear(self) -> None:
        """Leave out what the ledger holds already."""
        self._before = len(self._calls())

    def _states(self) -> list[str]:
        return [call["recording"]["state"] for call in self._calls()[self._before :] if call["recording"]]

    def _calls(self) -> list[dict[str, dict[str, str]]]:
        rows: list[dict[str, dict[str, str]]] = json.loads(self.consent("calls", "list", "--json"))
        return rows


def dialplan_alone(stage: Stage) -> Way:
    """Playback, Read, MixMonitor."""
    return FilesWay(name="dialplan", prefix="8001", folder=stage.recordings)


def asterisk_consent(stage: Stage) -> Way:
    """The product."""
    return ServiceWay(
        name="asterisk-consent", prefix="8002", spool=stage.settings.spool, consent=stage.pbx.consent
    )


def classic_agi(stage: Stage) -> Way:
    """One Python process a call."""
    return FilesWay(name="classic AGI", prefix="8003", folder=stage.recordings)


__all__ = ["POLICY", "Way", "asterisk_consent", "classic_agi", "dialplan_alone"]
