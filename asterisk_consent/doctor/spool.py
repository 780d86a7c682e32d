"""The spool: what lies there in the clear right now, since when, and whether on a disk.

Rule: no name of a file is shown that is not one of ours: it may hold a telephone number.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.doctor.access import list_directory
from asterisk_consent.doctor.finding import Finding, counted, error, ok, spell_age, warn
from asterisk_consent.doctor.mounts import IN_MEMORY, lies_elsewhere
from asterisk_consent.errors import ConsentError
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.names import id_in_spool

ENDS_WITHIN_S = 60.0
"""Every recording comes to its end so soon after the hang-up; until then the service is at work on its files."""
LONG_S = 12 * 3600.0
"""A call of such a length is most likely none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheClear:
    """A file in the spool, and the recording that it belongs to by its name."""

    recording_id: RecordingId | None
    since: float
    """UTC seconds: when it was last written to, which for a file that lies there is how long it has."""


def files_in(spool: Path) -> list[InTheClear]:
    """List what lies in the spool.

    :raises ConsentError: it cannot be listed.
    """
    found = []
    for path in list_directory(spool):
        try:
            since = path.lstat().st_mtime
        except FileNotFoundError:
            continue  # the service took it just now
        except OSError as problem:
            raise ConsentError(f"cannot be looked at: {problem.strerror}", where=str(spool)) from problem
        found.append(InTheClear(recording_id=id_in_spool(path), since=since))
    return found


def clear_findings(
    spool: Path,
    files: Iterable[InTheClear],
    recordings: Iterable[RecordingRow],
    *,
    running: bool,
    now: float,
) -> Iterator[Finding]:
    """Say how many recordings lie in the clear, and since when.

    :param recordings: those of the ledger.
    :param running: whether the service is there to seal them.
    :param now: UTC seconds.
    """
    rows = {row.recording_id: row for row in recordings}
    under_way: dict[str, float] = {}
    left_over: dict[str, float] = {}
    strange = 0
    for file in files:
        row = rows.get(file.recording_id or "")
        if row is None:
            strange += 1
        elif not row.state.is_final:
            under_way[row.recording_id] = row.started_at or row.allowed_at
        elif now - row.ended_at > ENDS_WITHIN_S:
            left_over[row.recording_id] = min(file.since, row.ended_at)
    if under_way:
        yield _under_way(spool, len(under_way), now - min(under_way.values()), running=running)
    if left_over:
        yield error(
            f"{counted(len(left_over), 'recording')} that ended still in the clear, the oldest for"
            f" {spell_age(now - min(left_over.values()))}",
            spool,
            "The service's log says why it cannot remove them; 'asterisk-consent recordings verify' names them",
        )
    if not under_way and not left_over and not strange:
        yield ok("nothing lies in the clear", spool)


def _under_way(spool: Path, number: int, age_s: float, *, running: bool) -> Finding:
    what = f"{counted(number, 'recording')} in the clear, the oldest for {spell_age(age_s)}"
    if not running:
        return warn(
            f"{what}, and no service to seal them", spool, "Start the service: it seals and removes them"
        )
    if age_s > LONG_S:
        return warn(
            f"{what}: a long call", spool, "See in Asterisk whether it still lasts; if so, hang it up"
        )
    return ok(f"{what}: calls under way", spool)


def medium_finding(spool: Path, kind: str, *, swaps: bool) -> Finding:
    """Say on what kind of file system the spool lies.

    :param swaps: whether the machine writes memory to a disk.
    """
    if kind in IN_MEMORY:
        if swaps:
            return warn(
                f"the spool lies in memory ({kind}), which may be swapped to a disk",
                spool,
                "Encrypt the swap, or mount the tmpfs with noswap (Linux 6.4)",
            )
        return ok(f"the spool lies in memory ({kind})", spool)
    if lies_elsewhere(kind):
        return warn(
            f"the spool lies on another machine ({kind}), and recordings go there in the clear",
            spool,
            "Mount a tmpfs there: docs/howto/keys.md, The spool",
        )
    return warn(
        f"the spool lies on a disk ({kind or 'unknown'}): what was removed from it can be brought back",
        spool,
        "Mount a tmpfs there: docs/howto/keys.md, The spool",
    )
