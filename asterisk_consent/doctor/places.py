"""The directories and files of the service: that they are there, whose they are, who may read them, and the room left.

Rule: nobody but the service may change anything there, and nobody else may read what lies in the clear: the spool, the
ledger, the key of the checkpoints, the two passwords of the configuration.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.config import Config
from asterisk_consent.doctor.access import READ, SEARCH, WRITE, Account, Seen, look_at
from asterisk_consent.doctor.finding import Finding, error, of_error, ok, warn
from asterisk_consent.errors import ConsentError

_SOON = 2
"""Free space below this many times the least is worth a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A directory that the service writes to; ``clear`` where what lies in it can be read as it is."""

    name: str
    path: Path
    clear: bool = False


def places_of(config: Config) -> tuple[Place, ...]:
    """Return the directories that the configuration names."""
    return (
        Place(name="the directory of the ledger", path=config.ledger_path.parent),
        Place(name="the spool", path=config.spool, clear=True),
        Place(name="the vault", path=config.vault),
        Place(name="the keys", path=config.keys),
    )


def place_findings(config: Config, service: Account) -> Iterator[Finding]:
    """Look at every directory and every private file."""
    for place in places_of(config):
        try:
            found = [
                *directory_findings(place, look_at(place.path), service),
                *room_findings(place, free_bytes(place.path), config.min_free_bytes),
            ]
        except ConsentError as problem:
            yield from of_error(problem)
            continue
        yield from found or [
            ok(f"{place.name}: {service.name} writes there, and nobody else may", place.path)
        ]
    yield from _private_files(config, service)


def directory_findings(place: Place, seen: Seen, service: Account) -> Iterator[Finding]:
    """Say what is wrong with owner and mode of a directory."""
    if not seen.is_directory:
        yield error(
            f"{place.name} is not a directory",
            place.path,
            "Name another under [paths], or move the file away",
        )
        return
    if not service.may(seen, WRITE | SEARCH):
        yield error(
            f"{place.name}: {service.name}, whose the ledger is, cannot write there, so no call is asked",
            place.path,
            f"Let {service.name} write there (chown, chmod)",
        )
    if seen.others_may & WRITE:
        yield error(
            f"{place.name}: everybody on this machine may write there", place.path, f"chmod o-w {place.path}"
        )
    if place.clear and seen.others_may & (READ | SEARCH):
        yield error(
            f"{place.name}: everybody on this machine may look into it, and recordings lie there in the clear",
            place.path,
            f"chmod o-rwx {place.path}",
        )


def room_findings(place: Place, free: int, least: int) -> Iterator[Finding]:
    """Say where free space is short: ``free`` and ``least`` in bytes."""
    asked = f"{least >> 20} MiB (limits.min_free_mb)"
    if free < least:
        yield error(
            f"{place.name}: {free >> 20} MiB are free; below {asked} no call is asked",
            place.path,
            "Free some space; recording resumes by itself",
        )
    elif free < _SOON * least:
        yield warn(
            f"{place.name}: {free >> 20} MiB are free, soon fewer than {asked}", place.path, "Free some space"
        )


def free_bytes(directory: Path) -> int:
    """Return the space that is left on a directory's file system.

    :raises ConsentError: it cannot be told.
    """
    try:
        return shutil.disk_usage(directory).free
    except OSError as problem:
        raise ConsentError(
            f"its free space cannot be told: {problem.strerror}", where=str(directory)
        ) from problem


def private_findings(what: str, seen: Seen, *, for_group: bool) -> Iterator[Finding]:
    """Say who may read or change a file that is private to its owner, or to its group too."""
    open_to = seen.mode & (0o006 if for_group else 0o066)
    if open_to:
        who = "everybody on this machine" if seen.others_may & (READ | WRITE) else "its group"
        yield error(
            f"{what}: {who} may {'change' if open_to & 0o022 else 'read'} it",
            seen.path,
            f"chmod {'o-rwx' if for_group else 'go-rwx'} {seen.path}",
        )


def _private_files(config: Config, service: Account) -> Iterator[Finding]:
    ledger = config.ledger_path
    beside = [ledger.with_name(ledger.name + ending) for ending in ("-wal", "-shm")]
    files = [
        ("the configuration, with two passwords", config.file, True),
        ("the ledger", ledger, True),
        *(("the ledger", path, True) for path in beside),
        ("the key of the checkpoints", config.checkpoints.key, False),
    ]
    for what, path, for_group in files:
        try:
            seen = look_at(path)
        except ConsentError as problem:
            if isinstance(problem.__cause__, FileNotFoundError):
                continue  # the service makes it; the checks of ledger and checkpoints say what is missing
            yield from of_error(problem)
            continue
        found = list(private_findings(what, seen, for_group=for_group))
        if not service.may(seen, READ):
            found.append(error(f"{what}: {service.name} cannot read it", path, f"Let {service.name} read it"))
        yield from found or [ok(f"{what}: private", path)]
