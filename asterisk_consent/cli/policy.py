"""``policy``: check a policy, approve it, list what is approved, show it to people, try it without a telephone.

Rule: what is approved is entered with its whole text, by name and role (GDPR art. 5(2), 24); a policy with an error is
approved by nobody, and what a role must sign is signed rule by rule.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import click

from asterisk_consent.calls.approving import Approver, approval_entry, is_approved, time_problem
from asterisk_consent.calls.loading import announce, announcement_directory, load_prompts
from asterisk_consent.cli.configured import config_of, configured
from asterisk_consent.cli.listing import print_listing, visible
from asterisk_consent.cli.person import person
from asterisk_consent.cli.texts import texts_option
from asterisk_consent.config import Config, load_policies, policy_files
from asterisk_consent.errors import ConfigError, RequestRefusedError
from asterisk_consent.ledger.append import append_from_outside
from asterisk_consent.ledger.entry import NewEntry
from asterisk_consent.ledger.read import ApprovalRow, approvals, latest_approvals
from asterisk_consent.policy import Policy
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.prompts.rendered import PromptSet
from asterisk_consent.prompts.review import Review, spoken_announcement
from asterisk_consent.prompts.review import review as review_policy

COLUMNS = (("policy", "version"), ("mode", "languages"), ("approved (UTC)", "by"), ("note",))


@click.group()
def policy() -> None:
    """Check, approve, list, show and try recording policies."""


@policy.command()
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]..."
)
@texts_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects, one a finding.")
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...], texts: Path, as_json: bool) -> None:
    """Report everything that is wrong with policy files, or that somebody must sign for.

    Without FILE the policies of the configuration are checked. Exit status 1 when there is an error.
    """
    chosen = files or policy_files(config_of(context).policies)
    reviews = [review_policy(file, _content(file), texts=texts, today=_today()) for file in chosen]
    if as_json:
        click.echo(
            json.dumps([_object(each, found) for each in reviews for found in each.findings], indent=2)
        )
    else:
        for each in reviews:
            click.echo(report(each))
    context.exit(1 if any(each.of(Severity.ERROR) for each in reviews) else 0)


@policy.command()
@click.argument("names", nargs=-1, required=True, metavar="POLICY...")
@click.option("--name", required=True, help="Who approves; entered into the ledger.")
@click.option("--role", required=True, help="In which role; must be the one that the policy names.")
@click.option(
    "--sign",
    "signed",
    multiple=True,
    metavar="RULE=REASON",
    help="Sign for a rule that 'policy check' says must be signed, and why. Once a rule.",
)
@texts_option
@configured
def approve(
    config: Config, names: tuple[str, ...], name: str, role: str, signed: tuple[str, ...], texts: Path
) -> None:
    """Approve a version of a policy, with its announcements as they are rendered.

    What is approved is the file to the byte and each announcement to the sample. A file that changes afterwards needs
    a new version; an announcement that changes is approved anew. Reload the service then.
    """
    signatures = dict(_signature(each) for each in signed)
    files = load_policies(config.policies)
    for each in names:
        if each not in files:
            known = ", ".join(sorted(files))
            raise click.BadParameter(f"there is no policy {each!r}; there are {known}", param_hint="POLICY")
    entries: list[NewEntry] = []
    for each in names:
        found = files[each]
        needed = _require_approvable(
            review_policy(found.file, found.content, texts=texts, today=_today()), role, signatures
        )
        prompts = load_prompts(Path(announcement_directory(config.prompts, found.policy)), found.policy)
        _require_spoken_as_written(found.policy, prompts, texts)
        _require_time_for_all(found.policy, prompts)
        approver = Approver(person=person(), name=name, role=role, signed=needed)
        entry = approval_entry(found, prompts, approver)
        version = found.policy.version
        before = [row for row in approvals(config.ledger_path, each) if row.policy_version == version]
        if is_approved(entry, before):
            click.echo(f"{each} version {version}: approved already, nothing has changed since")
        else:
            entries.append(entry)
    for entry in entries:
        append_from_outside(config.ledger_path, entry)
        click.echo(
            f"{entry.policy} version {entry.policy_version}: approved by {visible(name)}, {visible(role)}"
        )
    click.echo("Reload the service, so that calls are asked under it: systemctl reload, or SIGHUP.")


@policy.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def list_(config: Config, *, as_json: bool) -> None:
    """List the policies, with who approved them, and whether calls can be asked under them."""
    files = load_policies(config.policies)
    loaded = announce(files, config)
    latest = latest_approvals(config.ledger_path)
    rows = [
        (found.policy, latest.get((name, found.policy.version)), loaded[name].detail)
        for name, found in sorted(files.items())
    ]
    if as_json:
        click.echo(json.dumps([_listed_object(*row) for row in rows], indent=2))
        return
    print_listing(COLUMNS, [_listed_row(*row) for row in rows], empty="There is no policy.")


def report(reviewed: Review) -> str:
    """Return the findings of one policy as text for people, the worst first."""
    title = f"{reviewed.file}"
    if reviewed.policy is not None:
        title += f": {reviewed.policy.id} version {reviewed.policy.version}, mode {reviewed.policy.mode}"
    lines = [title]
    headings = {Severity.ERROR: "error", Severity.SIGN: "must be signed", Severity.WARNING: "warning"}
    for severity, heading in headings.items():
        for finding in reviewed.of(severity):
            line = f"{reviewed.file.name}:{finding.line}: " if finding.line else ""
            place = f"{finding.place}: " if finding.place else ""
            lines.append(f"  {heading} [{finding.rule}] {line}{place}{finding.what}")
            lines += [f"    {each}" for each in _advice(finding)]
    count = len(reviewed.of(Severity.ERROR))
    lines.append(
        "  no error" if not count else f"  {count} error{'s' if count > 1 else ''}: cannot be approved"
    )
    return "\n".join(lines)


def _advice(finding: Finding) -> list[str]:
    advice = [finding.instead[:1].upper() + finding.instead[1:]] if finding.instead else []
    if finding.severity is Severity.SIGN:
        advice.append(f"To be signed by: {finding.signed_by}, with --sign {finding.rule}=REASON")
    return advice + ([f"Source: {finding.source}"] if finding.source else [])


def _require_approvable(reviewed: Review, role: str, signatures: Mapping[str, str]) -> dict[str, str]:
    """Return what is signed for of what must be.

    :raises RequestRefusedError: there is an error, the role is another, or something is not signed for.
    """
    if reviewed.policy is None or reviewed.of(Severity.ERROR):
        raise RequestRefusedError(
            f"the policy has errors\n{report(reviewed)}", remedy="Correct the file, then approve it"
        )
    wanted = reviewed.policy.approving_role
    if role != wanted:
        raise RequestRefusedError(
            f"{role!r} does not approve this policy", where=reviewed.policy.id, remedy=f"It is for: {wanted}"
        )
    must = reviewed.of(Severity.SIGN)
    unsigned = [finding for finding in must if finding.rule not in signatures]
    if unsigned:
        lines = [f"  {finding.rule}: {finding.what} {finding.instead}" for finding in unsigned]
        raise RequestRefusedError(
            "\n".join(["not signed for:", *lines]),
            where=reviewed.policy.id,
            remedy="Add --sign RULE=REASON for each, or change the policy",
        )
    return {finding.rule: signatures[finding.rule] for finding in must}


def _require_spoken_as_written(chosen: Policy, prompts: Mapping[str, PromptSet], texts: Path) -> None:
    """Refuse what is spoken in other words than the policy and its texts say now."""
    for language, spoken in prompts.items():
        _, written = spoken_announcement(chosen, language, texts)
        if spoken.spoken != written:
            raise RequestRefusedError(
                "what was rendered or recorded is not what the policy and its text say now",
                where=f"{chosen.id}/{language}",
                remedy="Render it again (asterisk-consent prompts render), or import the new recording",
            )


def _require_time_for_all(chosen: Policy, prompts: Mapping[str, PromptSet]) -> None:
    """Refuse a conversation that is over before its announcement is: nobody could ever answer."""
    for language, spoken in prompts.items():
        if problem := time_problem(chosen, spoken):
            raise RequestRefusedError(problem, where=f"{chosen.id}/{language}")


def _signature(text: str) -> tuple[str, str]:
    rule, separator, reason = text.partition("=")
    if not separator or not reason.strip():
        raise click.BadParameter(f"{text!r}: write RULE=REASON", param_hint="--sign")
    return rule.strip(), reason.strip()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from error


def _object(reviewed: Review, finding: Finding) -> dict[str, object]:
    return {
        "file": str(reviewed.file),
        "policy": reviewed.policy.id if reviewed.policy else None,
        "line": finding.line or None,
        "severity": finding.severity,
        "rule": finding.rule,
        "place": finding.place,
        "what": finding.what,
        "instead": finding.instead,
        "signed_by": finding.signed_by or None,
        "source": finding.source or None,
    }


def _listed_object(listed: Policy, approval: ApprovalRow | None, fault: str) -> dict[str, object]:
    by = approval.approval if approval else None
    return {
        "policy": listed.id,
        "version": listed.version,
        "controller": listed.controller.id,
        "mode": listed.mode,
        "languages": list(listed.languages),
        "approved_at": _moment(approval.approved_at) if approval else None,
        "approved_by": by.name if by else None,
        "role": by.role if by else None,
        "fault": fault or None,
    }


def _listed_row(listed: Policy, approval: ApprovalRow | None, fault: str) -> tuple[str, ...]:
    by = approval.approval if approval else None
    return (
        listed.id,
        f"version {listed.version}",
        listed.mode,
        ", ".join(listed.languages) or "–",
        _moment(approval.approved_at) if approval else "–",
        f"{visible(by.name)}, {visible(by.role)}" if by else "",
        fault,
    )


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _today() -> date:
    return datetime.now(UTC).date()
