"""Plans which recordings have outlived their terms, purpose by purpose.

Rule: a term is the one of the version that the call was asked under, as it was approved and stands in the ledger; a
file that was changed since, or that is gone, changes nothing. Each purpose that was granted has its own term, and the
recording is kept for the others until the last has ended (GDPR art. 5(1)(e), 17(1)(a)). What is not known is kept and
told. Planning changes nothing.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asterisk_consent.errors import ConfigError
from asterisk_consent.ledger.read import ApprovalRow, CallRow, RecordingRow, approvals, list_calls
from asterisk_consent.policy import Policy, Term, parse_policy

NO_TERM = "no approved policy tells its term"
NO_PURPOSE = "it was granted for no purpose"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeTerm:
    """How long a recording is kept for one purpose; ``ends_at`` is aware, in the controller's time zone."""

    purpose: str
    term: Term
    ends_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Tell whether the term has ended."""
        return now >= self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One recording with audio, and until when it is kept for what.

    :param unknown: why no term is known; empty where all are. Such a recording is never due by itself.
    """

    recording_id: str
    call_id: str
    controller: str
    policy: str
    policy_version: int
    size: int
    terms: tuple[PurposeTerm, ...]
    unknown: str = ""

    @property
    def ends_at(self) -> datetime | None:
        """When the last term ends; ``None`` where none is known."""
        return max((term.ends_at for term in self.terms), default=None)

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is to go: every term is known and has ended."""
        return not self.unknown and bool(self.terms) and all(term.is_over(now) for term in self.terms)


def plan(path: Path) -> list[Kept]:
    """Return every recording that has audio with its terms, in the order of the calls.

    :raises LedgerError: the ledger cannot be read.
    """
    policies = approved_policies(approvals(path))
    return [
        _kept(row, row.recording, policies.get((row.policy, row.policy_version)))
        for row in list_calls(path)
        if row.recording is not None and row.recording.has_audio
    ]


def approved_policies(rows: list[ApprovalRow]) -> Mapping[tuple[str, int], Policy]:
    """Read the policies out of their approvals, by id and version."""
    return dict(_approved(rows))


def _approved(rows: list[ApprovalRow]) -> Iterator[tuple[tuple[str, int], Policy]]:
    for row in rows:
        if row.approval is None:
            continue
        file = f"{row.policy} version {row.policy_version}"
        # One that was written for a release with another form of policies is not known to this one, nor are its terms.
        with contextlib.suppress(ConfigError):
            yield (row.policy, row.policy_version), parse_policy("\n".join(row.approval.file), file=file)


def _kept(row: CallRow, recording: RecordingRow, policy: Policy | None) -> Kept:
    keep = {purpose.name: purpose.keep for purpose in policy.purposes} if policy else {}
    timezone = policy.controller.timezone if policy else ""
    began_at = datetime.fromtimestamp(row.started_at, UTC)
    known = [name for name in row.purposes if name in keep]
    unknown = NO_TERM if len(known) < len(row.purposes) else ""
    return Kept(
        recording_id=recording.recording_id,
        call_id=row.call_id,
        controller=row.controller,
        policy=row.policy,
        policy_version=row.policy_version,
        size=recording.size,
        terms=tuple(
            PurposeTerm(purpose=name, term=keep[name], ends_at=keep[name].ends_at(began_at, timezone))
            for name in known
        ),
        unknown=unknown if row.purposes else NO_PURPOSE,
    )
