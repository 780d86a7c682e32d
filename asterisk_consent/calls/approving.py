"""What an approval is of: the file of a policy to the byte, its announcements to the sample, in one entry.

Rule: an approved version never changes. Other words or another file need a new version; the same words in another
voice are approved anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asterisk_consent.config import PolicyFile
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.entry import Kind, NewEntry
from asterisk_consent.ledger.payload import Approval, Spoken
from asterisk_consent.ledger.read import ApprovalRow
from asterisk_consent.policy import Policy
from asterisk_consent.prompts.rendered import PromptSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Who approves: at the command line, by name, in which role; and the rules signed for, each with a reason."""

    person: str
    name: str
    role: str
    signed: Mapping[str, str]


def approval_entry(found: PolicyFile, prompts: Mapping[str, PromptSet], approver: Approver) -> NewEntry:
    """Return the entry that approves a policy with its announcements, by language."""
    policy = found.policy
    payload = Approval(
        person=approver.person,
        name=approver.name,
        role=approver.role,
        sha256=found.sha256,
        file=tuple(found.content.decode("utf-8").splitlines()),
        announcements=tuple(
            Spoken(
                language=language,
                digest=spoken.digest,
                text_digest=spoken.text_digest,
                parts=tuple((part, prompt.text) for part, prompt in spoken.parts.items()),
            )
            for language, spoken in prompts.items()
        ),
        signed=tuple(sorted(approver.signed.items())),
    )
    return NewEntry(
        stream=policy.controller.id,
        kind=Kind.POLICY_APPROVED,
        policy=policy.id,
        policy_version=policy.version,
        payload=payload,
    )


def is_approved(entry: NewEntry, before: Sequence[ApprovalRow]) -> bool:
    """Tell whether the latest approval of the version is of exactly this.

    :param before: the approvals of this version, in their order.
    :raises RequestRefusedError: the version was approved with another file or in other words.
    """
    wanted = entry.payload
    if not isinstance(wanted, Approval):
        raise TypeError("no approval")
    words = [(spoken.language, spoken.text_digest) for spoken in wanted.announcements]
    for row in before:
        known = row.approval.announcements if row.approval else wanted.announcements
        if (
            row.sha256 != wanted.sha256
            or [(spoken.language, spoken.text_digest) for spoken in known] != words
        ):
            raise RequestRefusedError(
                f"version {entry.policy_version} was approved before, with another content",
                where=entry.policy,
                remedy=f"Write version = {entry.policy_version + 1}, render its announcements and approve that",
            )
    latest = before[-1].approval if before else None
    return latest is not None and latest.announcements == wanted.announcements


def time_problem(policy: Policy, spoken: PromptSet) -> str:
    """Tell that an announcement lasts longer than the whole conversation may; empty where it does not."""
    if spoken.duration_s <= policy.timing.overall_s:
        return ""
    return (
        f"the announcement lasts {spoken.duration_s:.0f} s, the whole conversation {policy.timing.overall_s:.0f} s at"
        " most: shorten the text, or write a longer timing.overall_s"
    )
