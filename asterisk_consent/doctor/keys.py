"""The controllers' keys: two recipients each, a recovery that was tried, identities out of the service's reach.

Rule: the process that answers calls cannot read back what it wrote, and the loss of one machine is not the loss of the
recordings (GDPR art. 32(1)(b), (c)).
"""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from asterisk_consent.doctor.access import READ, ROOT, WRITE, Account, Seen, list_directory, look_at
from asterisk_consent.doctor.finding import (
    Finding,
    Level,
    counted,
    error,
    of_error,
    ok,
    spell_age,
    unknown,
    warn,
)
from asterisk_consent.errors import ConsentError, KeysError
from asterisk_consent.vault.recipients import last_recovery_test, read_recipients, recipients_path

TEST_EVERY = timedelta(days=366)
"""``docs/howto/keys.md``: now, and once a year."""


def controller_findings(controller: str, keys: Path, *, now: datetime, live: bool) -> Iterator[Finding]:
    """Look at the recipients of a controller, and at when its recovery was last tried."""
    try:
        recipients = read_recipients(controller, keys)
        seen = look_at(recipients_path(controller, keys))
    except KeysError as problem:
        yield from of_error(problem, Level.ERROR if live else Level.WARN)
        return
    if seen.others_may & WRITE:
        yield error(
            f"everybody on this machine may name a recipient for '{controller}', and open what is recorded then",
            seen.path,
            f"Check every line of it, then chmod o-w {seen.path}",
        )
    yield ok(f"'{controller}' has {counted(len(recipients), 'recipient')}", seen.path)
    yield _recovery(controller, keys, recipients, now)


def _recovery(controller: str, keys: Path, recipients: tuple[str, ...], now: datetime) -> Finding:
    where = recipients_path(controller, keys)
    remedy = f"With the second identity at hand: asterisk-consent recovery-test --controller {controller}"
    test = last_recovery_test(controller, keys)
    if test is None:
        return warn(
            f"nobody has tried whether the second identity of '{controller}' opens anything", where, remedy
        )
    age = f"{spell_age((now - test.at).total_seconds())} ago"
    if test.recipient not in recipients:
        return warn(
            f"the recovery of '{controller}' was tried {age} with a key that is no recipient any more",
            where,
            remedy,
        )
    if now - test.at > TEST_EVERY:
        return warn(f"the recovery of '{controller}' was last tried {age}", where, remedy)
    return ok(f"the recovery of '{controller}' was tried {age}", where)


def identity_findings(identities: Path, service: Account) -> Iterator[Finding]:
    """Look at who may read the identities that lie on this machine."""
    if service.uid == ROOT:
        yield error(
            "the ledger belongs to root: a service that runs as root can open what it recorded",
            identities,
            "Run the service as a user of its own, and let ledger, vault and keys belong to it",
        )
        return
    try:
        files = [look_at(path) for path in list_directory(identities)]
    except ConsentError as problem:
        yield from _not_listed(problem, identities, service)
        return
    directory = look_at(identities)
    if directory.uid == service.uid:
        yield error(
            f"the directory of the identities belongs to {service.name}, the service's user",
            identities,
            f"chown root {identities}; chmod 700 {identities}",
        )
    wrong = list(readable_identities(files, service))
    yield from wrong
    if not wrong:
        yield ok(f"{counted(len(files), 'file')} of identities, for root alone", identities)


def readable_identities(files: Iterable[Seen], service: Account) -> Iterator[Finding]:
    """Say which files of identities somebody else than root can read."""
    for seen in files:
        if service.may(seen, READ) or seen.uid == service.uid:
            yield error(
                f"{service.name}, the service's user, can read an identity, and open what it recorded",
                seen.path,
                f"chown root {seen.path}; chmod 600 {seen.path}. Make new keys if it may have been read",
            )
        elif seen.mode & 0o077:
            yield error("an identity is not for its owner alone", seen.path, f"chmod 600 {seen.path}")
        elif seen.uid != ROOT:
            yield warn("an identity belongs to another user than root", seen.path, f"chown root {seen.path}")


def _not_listed(problem: ConsentError, identities: Path, service: Account) -> Iterator[Finding]:
    if isinstance(problem.__cause__, FileNotFoundError):
        yield ok("no identity lies on this machine: recordings are opened with --identity", identities)
    elif os.geteuid() == service.uid:
        yield ok(f"{service.name}, the service's user, cannot look into the identities", identities)
    else:
        yield unknown(
            f"who may read the identities: {problem.what}",
            identities,
            "Run doctor as root to have it looked at",
        )
