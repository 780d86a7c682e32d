"""Looks at the files of recordings on disk while the demo's callers call.

Rule: every file that appears is seen with the moment it was first there; what lay there before is left out.
"""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_LOOK_EVERY_S = 0.05
_ID_LENGTH = 32
"""A file in the spool is one side of the recording whose id its name begins with."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """A look-out over spool and vault."""

    spool: Path
    vault: Path
    before: frozenset[str]
    first_seen_at: dict[str, float] = field(default_factory=dict)
    """Names of new files, and the monotonic moment each was first seen."""

    @classmethod
    def beginning_now(cls, spool: Path, vault: Path) -> Self:
        """Watch for what comes from now on."""
        before = frozenset(file.name for place in (spool, vault) for file in place.iterdir())
        return cls(spool=spool, vault=vault, before=before)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            for name in (*self.left_in_spool(), *self._new_in(self.vault)):
                self.first_seen_at.setdefault(name, time.monotonic())
            await asyncio.sleep(_LOOK_EVERY_S)

    def left_in_spool(self) -> list[str]:
        """New files that lie in the spool."""
        return self._new_in(self.spool)

    def told(self) -> str:
        """What lies on disk now, in words."""
        recording = len({name[:_ID_LENGTH] for name in self.left_in_spool()})
        kept = len(self._new_in(self.vault))
        told = [f"{recording} being recorded"] if recording else []
        told += [f"{kept} recording{'s' if kept > 1 else ''} in the vault"] if kept else []
        return f"On disk: {', '.join(told) or 'no recording of any kind'}"

    def _new_in(self, place: Path) -> list[str]:
        return [file.name for file in place.iterdir() if file.name not in self.before]
