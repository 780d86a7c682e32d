"""All checks one after the other, so that what one cannot do keeps no other from it.

Rule: the product's own errors become findings; only a defect comes out as an exception. What the ledger would tell is
looked at where it can be read; where not, that is said once.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from asterisk_consent.config import Config, PolicyFile, load_policies
from asterisk_consent.doctor.access import is_there, service_account
from asterisk_consent.doctor.asterisk import ask_asterisk, asterisk_findings
from asterisk_consent.doctor.checkpoints import checkpoint_findings
from asterisk_consent.doctor.codes import code_findings
from asterisk_consent.doctor.elsewhere import AsteriskPlace, elsewhere_findings
from asterisk_consent.doctor.finding import Finding, Level, of_error, ok, unknown
from asterisk_consent.doctor.keys import controller_findings, identity_findings
from asterisk_consent.doctor.ledger import ledger_findings
from asterisk_consent.doctor.mounts import MOUNTS, SWAPS, file_system_of, read_of_kernel, swaps_to_disk
from asterisk_consent.doctor.places import place_findings
from asterisk_consent.doctor.policies import live_policies, policy_findings
from asterisk_consent.doctor.promises import promise_findings
from asterisk_consent.doctor.recordings import lasting_orphans, orphan_findings
from asterisk_consent.doctor.spool import clear_findings, files_in, medium_finding
from asterisk_consent.errors import ConsentError
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.read import RecordingRow, recordings
from asterisk_consent.model import Mode

Check = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One finding and the name of the check that made it."""

    check: str
    finding: Finding


def examine(load: Callable[[], Config], place: AsteriskPlace, *, now: datetime) -> Iterator[Examined]:
    """Make every check that can be made, and yield what each found as soon as it did.

    :param load: reads the configuration.
    :param now: aware, UTC.
    """
    try:
        config = load()
    except ConsentError as problem:
        # Without a configuration nothing else is looked at: that is not fine, whatever the reason.
        for finding in of_error(problem):
            yield Examined(check="configuration", finding=replace(finding, level=Level.ERROR))
        return
    yield Examined(check="configuration", finding=ok("the configuration can be read", config.file))
    yield from _Examination(config=config, place=place, now=now).run()


def made(name: str, check: Check) -> Iterator[Examined]:
    """Make one check; what it could not do is a finding too."""
    try:
        for finding in check():
            yield Examined(check=name, finding=finding)
    except ConsentError as problem:
        for finding in of_error(problem):
            yield Examined(check=name, finding=finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examination:
    """The checks of one configuration."""

    config: Config
    place: AsteriskPlace
    now: datetime

    def run(self) -> Iterator[Examined]:
        policies: dict[str, PolicyFile] = {}
        yield from made("policies", lambda: self._read_policies(policies))
        rows: list[RecordingRow] = []
        without_ledger = list(made("ledger", lambda: self._read_ledger(rows)))
        yield from without_ledger
        for name, check in self._checks(policies, rows, with_ledger=not without_ledger):
            yield from made(name, check)
        heard = asyncio.run(ask_asterisk(self.config))
        yield from made("asterisk", lambda: asterisk_findings(self.config, heard))
        place = replace(self.place, modules=heard.modules)
        yield from made("elsewhere", lambda: elsewhere_findings(place))

    def _checks(
        self, policies: dict[str, PolicyFile], rows: list[RecordingRow], *, with_ledger: bool
    ) -> list[tuple[str, Check]]:
        config = self.config
        always: list[tuple[str, Check]] = [
            ("places", lambda: place_findings(config, service_account(config.ledger_path, config.vault))),
            ("spool", self._medium),
            ("keys", lambda: self._identities()),
        ]
        if not with_ledger:
            controllers = ("keys", lambda: self._controllers(policies, set(policies)))
            return [*always, controllers, ("ledger", self._left_out)]
        return [
            ("policies", lambda: policy_findings(config, policies, today=self.now.date())),
            ("codes", lambda: code_findings(config, policies, self.place)),
            *always,
            ("keys", lambda: self._controllers(policies, live_policies(config, policies))),
            ("spool", lambda: self._in_the_clear(rows)),
            ("recordings", self._orphans),
            ("ledger", lambda: ledger_findings(config, running=self._running())),
            ("promises", lambda: promise_findings(config, now=self.now)),
            ("checkpoints", self._checkpoints),
        ]

    def _read_policies(self, found: dict[str, PolicyFile]) -> Iterator[Finding]:
        found.update(load_policies(self.config.policies))
        yield ok("the policies can be read", self.config.policies)

    def _read_ledger(self, found: list[RecordingRow]) -> Iterator[Finding]:
        """Read the recordings; say something only where that is not possible."""
        path = self.config.ledger_path
        if is_there(path) and not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
            remedy = "Run doctor as root or as the user of the service"
            yield unknown("the ledger cannot be read with these rights", path, remedy)
            return
        found += recordings(path)

    def _left_out(self) -> Iterator[Finding]:
        yield unknown(
            "which policies are live, what lies in the clear, files without an entry, checkpoints: for these the"
            " ledger has to be read",
            self.config.ledger_path,
            "See what keeps it from being read, above",
        )

    def _identities(self) -> Iterable[Finding]:
        service = service_account(self.config.ledger_path, self.config.vault)
        return identity_findings(self.config.identities, service)

    def _controllers(self, policies: dict[str, PolicyFile], live: Iterable[str]) -> Iterator[Finding]:
        live_ones = {policies[name].policy.controller.id for name in live}
        asking = [found.policy for found in policies.values() if found.policy.mode is not Mode.OFF]
        for controller in sorted({policy.controller.id for policy in asking}):
            yield from controller_findings(
                controller, self.config.keys, now=self.now, live=controller in live_ones
            )

    def _medium(self) -> Iterator[Finding]:
        kind = file_system_of(self.config.spool, read_of_kernel(MOUNTS))
        yield medium_finding(self.config.spool, kind, swaps=swaps_to_disk(read_of_kernel(SWAPS)))

    def _in_the_clear(self, rows: list[RecordingRow]) -> Iterable[Finding]:
        files = files_in(self.config.spool)
        # What began meanwhile is known by now.
        now_known = recordings(self.config.ledger_path) if files else rows
        at = self.now.timestamp()
        return clear_findings(self.config.spool, files, now_known, running=self._running(), now=at)

    def _orphans(self) -> Iterable[Finding]:
        orphans = lasting_orphans(self.config, lambda: recordings(self.config.ledger_path))
        return orphan_findings(self.config, orphans)

    def _checkpoints(self) -> Iterable[Finding]:
        return checkpoint_findings(self.config, mountinfo=read_of_kernel(MOUNTS), now=self.now.timestamp())

    def _running(self) -> bool:
        return Ownership(self.config.ledger_path).is_taken()
