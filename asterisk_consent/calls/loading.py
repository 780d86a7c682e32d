"""Makes of policy files, approvals and rendered announcements what calls are asked with.

Rule: only an approved version is asked, exactly as it was approved: the bytes of its file and the digest of every
announcement are those of its latest approval in the ledger (GDPR art. 5(2), 24), and what it records can be sealed to
its controller. Everything else has a fault, which says what to do about it.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import structlog

from asterisk_consent.calls.announced import Announced, Policies
from asterisk_consent.calls.withdrawal_line import Line, Lines, load_digits, load_lines, log_lines
from asterisk_consent.config import Config, PolicyFile, load_policies
from asterisk_consent.errors import AudioError, ConsentError, KeysError
from asterisk_consent.ledger.read import ApprovalRow, latest_approvals
from asterisk_consent.model import Mode
from asterisk_consent.policy import Policy
from asterisk_consent.policy.duties import announcement_duties
from asterisk_consent.prompts.line import digits_directory
from asterisk_consent.prompts.rendered import PromptSet, load_prompt_set
from asterisk_consent.vault.recipients import read_recipients

log = structlog.get_logger(__name__)

NOT_APPROVED = "the policy is not approved"
CHANGED_SINCE = "the policy file was changed after it was approved"
OTHER_ANNOUNCEMENT = "the announcement is not the one that was approved"
NO_ANNOUNCEMENT = "no announcement"
NO_KEYS = "no keys for the controller"
_REMEDIES = {
    NOT_APPROVED: "Check and approve it: asterisk-consent policy check, policy approve",
    CHANGED_SINCE: "Give it a new version and approve that",
    OTHER_ANNOUNCEMENT: "Put the approved one back, or approve the policy anew",
}


def load_announced(config: Config) -> dict[str, Announced]:
    """Read all policies with what is played for them, by id.

    :raises ConfigError: a policy file cannot be used.
    :raises LedgerError: the approvals cannot be read.
    """
    return announce(load_policies(config.policies), config)


def announce(files: Mapping[str, PolicyFile], config: Config) -> dict[str, Announced]:
    """Join policies that were read with their approvals and with what is played for them.

    :raises LedgerError: the approvals cannot be read.
    """
    latest = latest_approvals(config.ledger_path)
    return {
        name: _announced(found, latest.get((name, found.policy.version)), config)
        for name, found in files.items()
    }


def announcement_directory(prompts: Path | str, policy: Policy) -> str:
    """Name the directory of a policy version's announcements: a new version lies beside the one in use."""
    return f"{prompts}/{policy.id}/{policy.version}"


def load_prompts(directory: Path, policy: Policy) -> Mapping[str, PromptSet]:
    """Load the rendered announcements of a policy, by language.

    :raises AudioError: one is missing, not what was rendered, or lacks a part.
    """
    wanted = set(announcement_duties(policy))
    prompts = {language: load_prompt_set(directory / language) for language in policy.languages}
    for language, found in prompts.items():
        missing = sorted(wanted - set(found.parts))
        if missing:
            raise AudioError(
                f"the announcement has no {', '.join(missing)}",
                where=str(directory / language),
                remedy="Render the announcements again: asterisk-consent prompts render",
            )
    return prompts


def _announced(found: PolicyFile, approval: ApprovalRow | None, config: Config) -> Announced:
    policy = found.policy
    path = announcement_directory(config.prompts_in_asterisk, policy)
    if policy.mode is Mode.OFF:
        return Announced(policy=policy)
    try:
        prompts = load_prompts(Path(announcement_directory(config.prompts, policy)), policy)
        digits = load_digits(config, policy.languages) if policy.receipt.read_out else {}
    except AudioError as error:
        return Announced(policy=policy, fault=NO_ANNOUNCEMENT, detail=str(error))
    fault = _unapproved(found, approval, prompts)
    if fault:
        return Announced(policy=policy, fault=fault, detail=f"{fault}. {_REMEDIES[fault]}")
    try:
        read_recipients(policy.controller.id, config.keys)
    except KeysError as error:
        return Announced(policy=policy, fault=NO_KEYS, detail=f"{NO_KEYS} '{policy.controller.id}': {error}")
    digits_path = digits_directory(config.prompts_in_asterisk)
    return Announced(policy=policy, prompts=prompts, path=path, digits=digits, digits_path=digits_path)


def log_loaded(announced: Mapping[str, Announced], *, today: date) -> None:
    """Log which policies are not asked and why, whose review is overdue, and which are spoken by a machine."""
    for name, found in announced.items():
        if found.fault:
            log.error("policy.not_asked", policy=name, error=found.detail, effect="its calls pass unrecorded")
        due = found.policy.next_review if found.policy else None
        if due is not None and due < today:
            log.warning("policy.review_overdue", policy=name, due=str(due))
        for language, spoken in found.prompts.items():
            if spoken.has_placeholder_voice:
                remedy = "Have a person speak it before callers hear it"
                log.warning("policy.placeholder_voice", policy=name, language=language, remedy=remedy)


def _unapproved(found: PolicyFile, approval: ApprovalRow | None, prompts: Mapping[str, PromptSet]) -> str:
    if approval is None or approval.approval is None:
        return NOT_APPROVED
    if approval.sha256 != found.sha256:
        return CHANGED_SINCE
    approved = {spoken.language: spoken.digest for spoken in approval.approval.announcements}
    if approved != {language: spoken.digest for language, spoken in prompts.items()}:
        return OTHER_ANNOUNCEMENT
    return ""


class Reloading:
    """Exchanges the policies when the service is told to (SIGHUP): all of them, or none.

    :param lines: the withdrawal lines; a line that cannot speak holds nothing back.
    """

    def __init__(
        self, config: Config, policies: Policies, *, today: Callable[[], date], lines: Lines | None = None
    ) -> None:
        self._config = config
        self._lines = lines or Lines()
        self._today = today
        self._policies = policies
        self._asked_for = asyncio.Event()

    async def run(self) -> None:
        """Wait for the signal and reload, until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._asked_for.set)
        try:
            while True:
                await self._asked_for.wait()
                self._asked_for.clear()
                await self.reload()
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload asked for now must not end the service

    def _load(self) -> tuple[dict[str, Announced], dict[str, Line]]:
        files = load_policies(self._config.policies)
        return announce(files, self._config), load_lines(files, self._config)

    async def reload(self) -> bool:
        """Load everything anew; keep what there was where any of it cannot be asked. Tell whether it was loaded."""
        try:
            announced, lines = await asyncio.to_thread(self._load)
        except ConsentError as error:
            log.error("policies.not_reloaded", error=str(error), effect="calls are asked as before")
            return False
        faults = {name: found.detail for name, found in announced.items() if found.fault}
        if faults:
            log.error("policies.not_reloaded", faults=faults, effect="calls are asked as before")
            return False
        self._policies.replace(announced)
        self._lines.replace(lines)
        log_lines(lines)
        log_loaded(announced, today=self._today())
        log.info("policies.reloaded", policies=self._policies.asked())
        return True
