"""The checkpoints: whether they leave this machine.

Rule: red when an entry has waited a day for a checkpoint that left; a ledger in which nothing was entered since has
nothing to send. What got to a witness is what the service noted (:mod:`asterisk_consent.ledger.sent`), and what lies in
the directory. That a mailbox or a syslog keeps it can only be seen there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.config import Config
from asterisk_consent.doctor.access import list_directory, look_at
from asterisk_consent.doctor.finding import Finding, error, of_error, ok, spell_age, warn
from asterisk_consent.doctor.mounts import file_system_of, lies_elsewhere
from asterisk_consent.errors import ConsentError, LedgerBrokenError
from asterisk_consent.ledger.checkpoint import Checkpoint, read_checkpoint
from asterisk_consent.ledger.checkpoints import is_extended, newest_checkpoint, waiting_since
from asterisk_consent.ledger.erasures import JOURNAL
from asterisk_consent.ledger.sent import last_sent
from asterisk_consent.ledger.witness import Directory, Syslog
from asterisk_consent.witnesses import witnesses

LIMIT_S = 24 * 3600.0
_LOOK = "Look for checkpoint.not_sent in the service's log, and whether the service runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way out of the machine: the last checkpoint that took it, and since when an entry waits for the next.

    ``left_at`` and ``waiting_since`` in UTC seconds, ``None`` where none left and where nothing waits.
    """

    name: str
    left_at: int | None
    waiting_since: int | None

    def is_late(self, now: float) -> bool:
        """Tell whether an entry has waited too long."""
        return self.waiting_since is not None and now - self.waiting_since > LIMIT_S


def checkpoint_findings(config: Config, *, mountinfo: str, now: float) -> Iterator[Finding]:
    """Look at what was taken, and at every way out.

    :raises LedgerError: the ledger cannot be read.
    """
    newest = newest_checkpoint(config.ledger_path)
    waiting = waiting_since(config.ledger_path, newest.seq if newest else 0)
    yield taken_finding(config.ledger_path, newest, waiting, now=now)
    ways: list[Way] = []
    places = witnesses(config.checkpoints)
    if places and all(isinstance(witness, Syslog) for witness in places):
        yield warn(
            "what was erased, objected to, held and asked does not leave this machine: a syslog takes none of it, and a"
            " restore after the loss of the disk would not know",
            config.keys / JOURNAL,
            "Set [checkpoints] directory or mail_to too, or copy the file somewhere else every hour",
        )
    for witness in places:
        found = [last_sent(config.ledger_path, witness.name)]
        if isinstance(witness, Directory):
            try:
                found.append(newest_in(witness.path, newest.ledger_id if newest else ""))
                yield from _place_findings(witness.path, mountinfo)
            except ConsentError as problem:
                yield from of_error(problem)
        last = _last(config.ledger_path, found)
        waits = waiting_since(config.ledger_path, last.seq if last else 0)
        ways.append(Way(name=witness.name, left_at=last.at if last else None, waiting_since=waits))
    yield from way_findings(ways, config.file, now=now)


def taken_finding(ledger: Path, newest: Checkpoint | None, waiting: int | None, *, now: float) -> Finding:
    """Say when the last checkpoint was taken; ``waiting``: since when an entry waits for the next, UTC seconds."""
    last = f"the last one {spell_age(now - newest.at)} ago" if newest else "none was ever taken"
    if waiting is not None and now - waiting > LIMIT_S:
        return error(
            f"no checkpoint of what was entered for {spell_age(now - waiting)}: {last}",
            ledger,
            "Look for checkpoint.not_taken in the service's log, and whether the service runs",
        )
    return ok(f"checkpoints are taken: {last}" if newest else "no checkpoint was taken yet", ledger)


def way_findings(ways: Sequence[Way], config_file: Path, *, now: float) -> Iterator[Finding]:
    """Say which ways out of the machine work."""
    if not ways:
        yield warn(
            "no checkpoint leaves this machine: who has the rights to the ledger can write its history anew, unnoticed",
            config_file,
            "Set [checkpoints] directory, mail_to or syslog",
        )
    nothing_left = all(way.is_late(now) for way in ways)
    for way in ways:
        last = f"the last one {spell_age(now - way.left_at)} ago" if way.left_at is not None else "none yet"
        if not way.is_late(now):
            yield ok(f"checkpoints leave: {last}", way.name)
        elif nothing_left:
            yield error(f"no checkpoint has left this machine for more than a day: {last}", way.name, _LOOK)
        else:
            yield warn(
                f"no checkpoint has gone this way for more than a day, others have gone another: {last}",
                way.name,
                _LOOK,
            )


def newest_in(directory: Path, ledger_id: str) -> Checkpoint | None:
    """Return the last checkpoint of a ledger in a directory of checkpoints, ``None`` where there is none.

    :raises ConsentError: the directory or a file cannot be read.
    """
    for day in reversed(list_directory(directory)):
        if not look_at(day).is_directory:
            continue
        names = [each for each in list_directory(day) if each.match(f"{ledger_id[:8]}-*.json")]
        if ledger_id and names:
            return _read(names[-1])
    return None


def _read(file: Path) -> Checkpoint:
    try:
        return read_checkpoint(file.read_bytes())
    except OSError as problem:
        raise ConsentError(f"cannot be read: {problem.strerror}", where=str(file)) from problem
    except LedgerBrokenError as problem:
        raise LedgerBrokenError(problem.what, where=str(file), remedy="Find out who changed it") from problem


def _place_findings(directory: Path, mountinfo: str) -> Iterator[Finding]:
    kind = file_system_of(directory, mountinfo)
    if not lies_elsewhere(kind):
        yield warn(
            f"the directory that checkpoints are written to lies on this machine ({kind or 'unknown'})",
            directory,
            "Let another machine fetch them, or mount the directory from one: what lies here proves nothing",
        )


def _last(ledger: Path, found: Sequence[Checkpoint | None]) -> Checkpoint | None:
    """Return the last that covers entries of this ledger: one of what a restore lost covers nothing."""
    covering = [each for each in found if each is not None and is_extended(ledger, each)]
    return max(covering, key=lambda each: each.seq, default=None)
