"""Plans what has outlived its terms: recordings, purpose by purpose, and what was entered about calls.

Rule: a term is the one of the version that the call was asked under, as it was approved and stands in the ledger; a
file that was changed since, or that is gone, changes nothing. Each purpose that was granted has its own term, and the
recording is kept for the others until the last has ended (GDPR art. 5(1)(e), 17(1)(a)), and past it while a legal hold
keeps it. What was asked to go waits for no term, only for the legal holds that keep it (art. 17(1)(b), 17(3)(e)). Proof
goes after its own term, once the audio is gone. What is not known is kept and told. Planning changes nothing.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from asterisk_consent.errors import ConfigError
from asterisk_consent.ledger.read import ApprovalRow, CallRow, RecordingRow, approvals, list_calls
from asterisk_consent.ledger.standing import HoldRow, RequestRow, legal_holds, list_requests
from asterisk_consent.model import Right
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

    :param asked: the withdrawals, erasures and objections about it, which no law refuses.
    :param unknown: why no term is known; empty where all are. Such a recording is never due by itself.
    """

    recording_id: str
    call_id: str
    controller: str
    policy: str
    policy_version: int
    size: int
    terms: tuple[PurposeTerm, ...]
    holds: tuple[HoldRow, ...] = ()
    asked: tuple[RequestRow, ...] = ()
    unknown: str = ""

    @property
    def ends_at(self) -> datetime | None:
        """When the last term ends; ``None`` where none is known."""
        return max((term.ends_at for term in self.terms), default=None)

    def kept_until(self, now: datetime) -> datetime | None:
        """Return when it goes as things are now, legal holds and requests included; ``None`` where nobody knows."""
        ends_at = self._asked_at or (None if self.unknown else self.ends_at)
        if ends_at is None:
            return None
        zone = ends_at.tzinfo if self.ends_at is None else self.ends_at.tzinfo
        held = [datetime.fromtimestamp(hold.until, zone) for hold in self.held_by(now)]
        return max([ends_at.astimezone(zone), *held])

    @property
    def _asked_at(self) -> datetime | None:
        moments = [max(request.erase_at, request.entered_at) for request in self.asked]
        return datetime.fromtimestamp(min(moments), UTC) if moments else None

    def held_by(self, now: datetime) -> tuple[HoldRow, ...]:
        """Return the legal holds that keep it now."""
        return tuple(hold for hold in self.holds if hold.holds(int(now.timestamp())))

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is to go: asked to, or every term is known and has ended; and no legal hold keeps it."""
        over = not self.unknown and bool(self.terms) and all(term.is_over(now) for term in self.terms)
        asked_at = self._asked_at
        return (over or (asked_at is not None and now >= asked_at)) and not self.held_by(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProof:
    """What was entered about one call whose audio is gone, and until when it is kept."""

    call_id: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is kept and goes by itself, in the order of the calls."""

    recordings: tuple[Kept, ...]
    proofs: tuple[KeptProof, ...]

    def due_proofs(self, now: datetime) -> list[str]:
        """Return the calls whose proof is to go."""
        return [proof.call_id for proof in self.proofs if now >= proof.ends_at]


def plan(path: Path, *, in_spool: Collection[str] = ()) -> Plan:
    """Return every recording that has audio with its terms, and every call that has none with its own.

    :param in_spool: recordings of which something lies in the spool: what could not be sealed has terms all the same.
    :raises LedgerError: the ledger cannot be read.
    """
    policies = approved_policies(approvals(path))
    holds: dict[str, list[HoldRow]] = {}
    for hold in legal_holds(path):
        holds.setdefault(hold.recording_id, []).append(hold)
    asked: dict[str, list[RequestRow]] = {}
    for request in list_requests(path):
        if request.right is not Right.RESTRICTION:
            asked.setdefault(request.call_id, []).append(request)
    recordings, proofs = [], []
    for row in list_calls(path):
        policy = policies.get((row.policy, row.policy_version))
        recording = row.recording
        if recording is not None and _has_audio(recording, in_spool):
            kept = _kept(row, recording, policy, holds.get(recording.recording_id, ()))
            by_law = policy is not None and not policy.takes_refusal
            recordings.append(replace(kept, asked=() if by_law else tuple(asked.get(row.call_id, ()))))
        elif policy is not None and (recording is None or recording.state.is_final):
            proofs.append(_proof(row, policy))
    return Plan(recordings=tuple(recordings), proofs=tuple(proofs))


def _has_audio(recording: RecordingRow, in_spool: Collection[str]) -> bool:
    left = recording.state.is_final and not recording.erased_seq and recording.recording_id in in_spool
    return recording.has_audio or left


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


def _proof(row: CallRow, policy: Policy) -> KeptProof:
    began_at = datetime.fromtimestamp(row.started_at, UTC)
    ends_at = policy.proof_term.ends_at(began_at, policy.controller.timezone)
    return KeptProof(call_id=row.call_id, ends_at=ends_at)


def _kept(row: CallRow, recording: RecordingRow, policy: Policy | None, holds: Sequence[HoldRow]) -> Kept:
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
        holds=tuple(holds),
        unknown=unknown if row.purposes else NO_PURPOSE,
    )
