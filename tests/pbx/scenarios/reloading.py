"""Policies changed while calls go on: a reload in vain, one under a call, and a sound that was spoilt.

Rule: what takes a machine's whole strength, rendering and approving, is done before the calls; what is done beside
them is what counts: files put in place, the signal, callers who refuse a few seconds into the announcement.
"""

import asyncio
import json
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_consent.ledger.read import approvals
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Announcement, Entries, announcement_of
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.scenarios.round import Played

LISTENS_S = 5.0
CHANGED, UNAPPROVED = "p4-logging", "p2-nb"
ASKED_UNDER = {CHANGED: "1004", UNAPPROVED: "1002"}
NOT_RELOADED = '"policies.not_reloaded"'
WITHIN_S = 15.0
RENAMED = {
    CHANGED: ("[announcement.en]", 'controller = "the new Specimen Trading"'),
    UNAPPROVED: ("[announcement.nb]", 'controller = "nye Eksempel"'),
}
"""Words that make the announcement another one from its first sentence on."""
_VERSION = re.compile(r"^version = (\d+)$", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Version:
    """One version of a policy: its number, its file and what it says."""

    number: int
    content: bytes
    announcement: Announcement


@dataclass(slots=True)
class Reloading:
    """Two policies with a new version each, one approved and one not, and what became of calls meanwhile."""

    pbx: DevelopmentPbx
    starts_s: float = 0.0
    before: dict[str, Version] = field(default_factory=dict)
    after: dict[str, Version] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)
    faults: dict[str, str | None] = field(default_factory=dict)
    failure: Exception | None = None
    entries: Entries = field(default_factory=lambda: Entries(()))

    def __getitem__(self, name: str) -> Played:
        """A call by its name."""
        return Played(caller=self.callers[name], failure=None, entries=self.entries)

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Render both new versions, approve one, and leave everything as it was, at the end too."""
        for policy in (CHANGED, UNAPPROVED):
            self.before[policy] = self._version(policy)
        try:
            for policy in (CHANGED, UNAPPROVED):
                self._write_new_version(policy)
                self.after[policy] = self._version(policy)
                if policy == CHANGED:
                    self.pbx.approve()
                self._put(self.before[policy], policy)
            yield
        finally:
            for policy, version in self.before.items():
                self._put(version, policy)
            for version in self.after.values():
                shutil.rmtree(version.announcement.sound("information").parent)

    async def beside(self, exchange: Exchange) -> None:
        """Do everything, beside other calls; what it fails with is kept."""
        await asyncio.sleep(self.starts_s)
        try:
            await self._reload_in_vain(exchange)
            await self._reload_under_a_call(exchange)
            await self._spoil_a_sound(exchange)
            await self._put_back()
            await self._refuse(exchange, "put back", UNAPPROVED)
        except Exception as failure:
            self.failure = failure
            await self._put_back()

    async def _put_back(self) -> None:
        for policy, version in self.before.items():
            self._put(version, policy)
        await asyncio.to_thread(self.pbx.service.reload)

    async def _reload_in_vain(self, exchange: Exchange) -> None:
        for policy in (CHANGED, UNAPPROVED):
            self._put(self.after[policy], policy)
        await asyncio.to_thread(self._signal_in_vain)
        await asyncio.gather(
            self._refuse(exchange, "in vain", CHANGED),
            self._refuse(exchange, "in vain, unapproved", UNAPPROVED),
        )
        self._put(self.before[UNAPPROVED], UNAPPROVED)

    async def _reload_under_a_call(self, exchange: Exchange) -> None:
        begun = asyncio.create_task(self._refuse(exchange, "begun before", CHANGED))
        await asyncio.sleep(LISTENS_S / 2)
        await asyncio.to_thread(self.pbx.service.reload)
        await asyncio.gather(begun, self._refuse(exchange, "begun after", CHANGED))

    async def _spoil_a_sound(self, exchange: Exchange) -> None:
        """Play silence in the place of the last second, until the next call has passed."""
        file = self.before[UNAPPROVED].announcement.sound("information").with_suffix(".alaw")
        content = file.read_bytes()
        file.write_bytes(content[:-8000] + bytes(8000))
        try:
            caller = self.callers["spoilt"] = await exchange.connect(ASKED_UNDER[UNAPPROVED])
            await caller.reach_agent()
            await caller.look_for_recorders()
            self.faults = await asyncio.to_thread(self._listed_faults)
            await caller.hang_up()
        finally:
            file.write_bytes(content)

    async def _refuse(self, exchange: Exchange, name: str, policy: str) -> None:
        caller = self.callers[name] = await exchange.connect(ASKED_UNDER[policy])
        await caller.wait(LISTENS_S)
        await caller.press("2")
        await caller.reach_agent()
        await caller.hang_up()

    def _signal_in_vain(self) -> None:
        """Let the service load what it must not take, and wait until it says so."""
        log_file = self.pbx.service.program.log_file
        before = log_file.read_text(errors="replace").count(NOT_RELOADED)
        self.pbx.service.program.signal(signal.SIGHUP)
        give_up_at = time.monotonic() + WITHIN_S
        while log_file.read_text(errors="replace").count(NOT_RELOADED) == before:
            assert time.monotonic() < give_up_at, "the service does not say that it kept what it had"
            time.sleep(0.05)

    def _listed_faults(self) -> dict[str, str | None]:
        listed = json.loads(self.pbx.consent("policy", "list", "--json"))
        return {row["policy"]: row["fault"] for row in listed}

    def _file(self, policy: str) -> Path:
        return self.pbx.settings.policies / f"{policy}.toml"

    def _put(self, version: Version, policy: str) -> None:
        self._file(policy).write_bytes(version.content)

    def _version(self, policy: str) -> Version:
        content = self._file(policy).read_bytes()
        number = _VERSION.search(content.decode())
        assert number
        language = "en" if policy == CHANGED else "nb"
        announcement = announcement_of(self.pbx.settings, policy, language)
        return Version(number=int(number[1]), content=content, announcement=announcement)

    def _write_new_version(self, policy: str) -> None:
        """Change the words of a policy, number it as no version before, and render it."""
        ledger = self.pbx.settings.data / "ledger.sqlite"
        number = 1 + max(row.policy_version for row in approvals(ledger, policy))
        section, line = RENAMED[policy]
        text = _VERSION.sub(f"version = {number}", self._file(policy).read_text())
        self._file(policy).write_text(text.replace(section, f"{section}\n{line}"))
        self.pbx.consent("prompts", "render", "--policy", policy)
