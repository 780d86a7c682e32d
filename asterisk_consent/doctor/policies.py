"""The policies: that they can be read, which of them are asked and why the others are not, and with whose voice.

Rule: judged as the service would (:mod:`asterisk_consent.calls.loading`). A policy is live once its version is
approved: what keeps a live one from being asked is an error, what a draft lacks is not.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from asterisk_consent.calls.announced import Announced
from asterisk_consent.calls.loading import announce
from asterisk_consent.config import Config, PolicyFile
from asterisk_consent.doctor.finding import Finding, error, ok, warn
from asterisk_consent.ledger.read import latest_approvals
from asterisk_consent.model import Mode

_EFFECT = "its calls pass unrecorded"


def policy_findings(config: Config, files: Mapping[str, PolicyFile], *, today: date) -> Iterator[Finding]:
    """Look at every policy.

    :raises LedgerError: the approvals cannot be read.
    """
    live = live_policies(config, files)
    for name, found in announce(files, config).items():
        yield from announced_findings(name, found, where=files[name].file, live=name in live)
        due = files[name].policy.next_review
        if due is not None and due < today:
            yield warn(
                f"{name}: its review was due on {due}",
                files[name].file,
                "Review it, then approve a version with a new date",
            )


def announced_findings(name: str, found: Announced, *, where: object, live: bool) -> Iterator[Finding]:
    """Say whether a policy is asked, why not, and where a machine speaks."""
    remedy = found.detail.removeprefix(f"{found.fault}. ")
    if found.policy is not None and found.policy.mode is Mode.OFF:
        yield ok(f"{name}: off, its calls are left alone", where)
    elif found.fault and live:
        yield error(f"{name}: approved, but not asked: {found.fault}; {_EFFECT}", where, remedy)
    elif found.fault:
        yield warn(f"{name}: not live, {_EFFECT}: {found.fault}", where, remedy)
    else:
        yield ok(f"{name}: is asked", where)
    for language, spoken in found.prompts.items():
        if spoken.has_placeholder_voice:
            yield warn(
                f"{name}: a placeholder voice speaks its announcement ({language})",
                where,
                "Have a person speak it before callers hear it: asterisk-consent prompts import",
            )


def live_policies(config: Config, files: Mapping[str, PolicyFile]) -> Collection[str]:
    """Return the ids of the policies that ask something, and whose version somebody approved.

    :raises LedgerError: the approvals cannot be read.
    """
    approved = latest_approvals(config.ledger_path)
    return {
        name
        for name, found in files.items()
        if found.policy.mode is not Mode.OFF and (name, found.policy.version) in approved
    }
