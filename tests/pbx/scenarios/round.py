"""Many calls at once, each with a script, and afterwards what became of each.

Rule: a script that fails spoils only its own call; the failure is raised when a test asks for that call.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field

from asterisk_consent.ledger import Decision, Kind, Recording
from asterisk_consent.ledger.entry import Header
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Entries, SpoolWatch, list_files, read_entries, wait_for_ends
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.scenarios.scripts import Part

STAGGER_S = 0.05

Beside = Callable[[Exchange], Coroutine[None, None, None]]


@dataclass(slots=True, kw_only=True)
class Played:
    """One call of the round after its end."""

    caller: Caller
    failure: Exception | None
    entries: Entries

    @property
    def decision(self) -> Decision:
        """The one decision of this call."""
        return self.entries.decision(self.caller.channel)

    @property
    def header(self) -> Header:
        """The header of that decision: under which policy, in which language, with which announcement."""
        return self.entries.header(self.caller.channel)

    @property
    def end(self) -> tuple[Kind, Recording]:
        """The one end of the recording that the decision allowed."""
        return self.entries.end(self.decision.recording_id)


@dataclass(slots=True, kw_only=True)
class Round:
    """What became of all the calls of one round."""

    spool: SpoolWatch
    vault: set[str]
    spool_left: set[str]
    entries: Entries
    calls: dict[str, Played] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Played:
        """The call of that name.

        :raises Exception: what its script failed with.
        """
        played = self.calls[name]
        if played.failure is not None:
            raise played.failure
        return played


def play_round(pbx: DevelopmentPbx, parts: Mapping[str, Part], *, beside: Iterable[Beside] = ()) -> Round:
    """Place all the calls, wait until every recording has its end, and tell what there is then.

    :param beside: what else goes on meanwhile.
    """
    with SpoolWatch(pbx.settings).watching() as spool:
        callers, failures = asyncio.run(_play(pbx, parts, beside))
        wait_for_ends(pbx.settings)
    entries = read_entries(pbx.settings)
    result = Round(
        spool=spool,
        vault=list_files(pbx.settings.data / "vault"),
        spool_left=list_files(pbx.settings.spool),
        entries=entries,
    )
    for name, caller in callers.items():
        result.calls[name] = Played(caller=caller, failure=failures.get(name), entries=entries)
    return result


async def _play(
    pbx: DevelopmentPbx, parts: Mapping[str, Part], beside: Iterable[Beside]
) -> tuple[dict[str, Caller], dict[str, Exception]]:
    callers: dict[str, Caller] = {}
    failures: dict[str, Exception] = {}

    async def act(name: str, part: Part, exchange: Exchange) -> None:
        await asyncio.sleep(part.starts_s)
        caller = exchange.dial(part.dialled, number=part.number, name=part.name, privacy=part.privacy)
        caller.stays_s = part.stays_s
        callers[name] = caller
        try:
            await caller.connected()
            await part.script(caller)
        except Exception as failure:
            failures[name] = failure
            await caller.hang_up()

    async with Exchange(pbx) as exchange:
        acts = [asyncio.create_task(each(exchange), name="beside") for each in beside]
        for name, part in parts.items():
            acts.append(asyncio.create_task(act(name, part, exchange), name=name))
            await asyncio.sleep(STAGGER_S)
        await asyncio.gather(*acts)
    return callers, failures
