"""What tests of the doctor look at in findings."""

from collections.abc import Iterable

from asterisk_consent.doctor.access import Account, Seen
from asterisk_consent.doctor.finding import Finding, Level

SERVICE = Account(uid=990, gids=frozenset({990, 77}), name="consent")


def levels(findings: Iterable[Finding]) -> list[Level]:
    """Return the level of each."""
    return [finding.level for finding in findings]


def those(findings: Iterable[Finding], level: Level) -> list[Finding]:
    """Return the findings of a level; each says what, where and, where something is to be done, what."""
    found = list(findings)
    for finding in found:
        assert finding.what
        assert finding.where
        assert bool(finding.remedy) is (finding.level is not Level.OK), finding
    return [finding for finding in found if finding.level is level]


def only(findings: Iterable[Finding], level: Level) -> Finding:
    """Return the one finding, which is of this level."""
    (finding,) = found = list(findings)
    assert those(found, level) == [finding], finding
    return finding


def owned(seen: Seen, *, uid: int = 990, gid: int = 990) -> Seen:
    """Return a file or directory as if it belonged to another user."""
    return Seen(path=seen.path, uid=uid, gid=gid, mode=seen.mode, is_directory=seen.is_directory)
