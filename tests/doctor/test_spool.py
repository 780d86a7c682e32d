"""What lies in the clear, since when, and on what."""

from pathlib import Path

import pytest

from asterisk_consent.doctor.finding import Level
from asterisk_consent.doctor.mounts import file_system_of, lies_elsewhere, swaps_to_disk
from asterisk_consent.doctor.spool import InTheClear, clear_findings, files_in, medium_finding
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.model import RecordingId, RecordingState
from tests.doctor.levels import only
from tests.ledger.entries import hex_id

NOW = 1_800_000_000.0
SPOOL = Path("/var/spool/asterisk-consent")
RECORDING = RecordingId(hex_id(1))


def row(state: RecordingState, *, started_ago: int = 0, ended_ago: int = 0) -> RecordingRow:
    return RecordingRow(
        recording_id=RECORDING,
        call_id=hex_id(9),
        controller="firm",
        state=state,
        channel="",
        allowed_seq=1,
        allowed_at=int(NOW) - started_ago - 5,
        started_at=int(NOW) - started_ago,
        ended_seq=2,
        ended_at=int(NOW) - ended_ago,
        duration_ms=0,
        size=0,
        sha256="",
        reason="",
    )


FILE = [InTheClear(recording_id=RECORDING, since=NOW - 10)]
CALLING = row(RecordingState.RECORDING, started_ago=7_300)


def test_nothing_in_the_clear_is_right() -> None:
    assert "nothing" in only(clear_findings(SPOOL, [], [CALLING], running=True, now=NOW), Level.OK).what


def test_calls_under_way_are_told_with_the_age_of_the_oldest() -> None:
    finding = only(clear_findings(SPOOL, FILE, [CALLING], running=True, now=NOW), Level.OK)
    assert finding.what == "1 recording in the clear, the oldest for 2 hours: calls under way"


def test_recordings_that_nobody_seals_are_yellow() -> None:
    finding = only(clear_findings(SPOOL, FILE, [CALLING], running=False, now=NOW), Level.WARN)
    assert "no service to seal them" in finding.what


def test_a_call_of_a_day_is_yellow() -> None:
    long = row(RecordingState.RECORDING, started_ago=86_400)
    assert "1 day" in only(clear_findings(SPOOL, FILE, [long], running=True, now=NOW), Level.WARN).what


def test_what_ended_and_still_lies_there_is_red() -> None:
    ended = row(RecordingState.VERIFIED, ended_ago=3_600)
    finding = only(clear_findings(SPOOL, FILE, [ended], running=True, now=NOW), Level.ERROR)
    assert "1 recording that ended still in the clear, the oldest for 1 hour" in finding.what


def test_what_ended_just_now_is_being_emptied() -> None:
    ended = row(RecordingState.VERIFIED, ended_ago=30)
    assert only(clear_findings(SPOOL, FILE, [ended], running=True, now=NOW), Level.OK)


def test_a_file_of_no_recording_is_left_to_the_comparison_with_the_ledger() -> None:
    strange = [InTheClear(recording_id=None, since=NOW)]
    assert list(clear_findings(SPOOL, strange, [], running=True, now=NOW)) == []


def test_the_files_of_a_spool_are_known_by_their_recording(tmp_path: Path) -> None:
    (tmp_path / f"{RECORDING}-caller.wav").touch()
    (tmp_path / "+31201234567.wav").touch()
    assert {file.recording_id for file in files_in(tmp_path)} == {RECORDING, None}


MOUNTINFO = """\
22 1 0:5 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /var/spool/asterisk-consent rw shared:2 master:1 - tmpfs tmpfs rw,size=1g
31 22 0:41 / /mnt/with\\040blank rw - nfs4 nas:/x rw
32 31 0:42 / /mnt/ssh rw - fuse.sshfs nas: rw
garbage
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/spool/asterisk-consent", "tmpfs"),
        ("/var/spool/asterisk-consent/x", "tmpfs"),
        ("/var/spool/asterisk-consent-2", "ext4"),
        ("/mnt/with blank/2026", "nfs4"),
        ("/mnt/ssh", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_longest_mount_point(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTINFO) == kind


def test_what_lies_on_another_machine_is_known() -> None:
    assert [lies_elsewhere(kind) for kind in ("nfs4", "fuse.sshfs", "cifs")] == [True] * 3
    assert [lies_elsewhere(kind) for kind in ("ext4", "fuseblk", "tmpfs", "")] == [False] * 4


@pytest.mark.parametrize(
    ("kind", "swaps", "level", "what"),
    [
        ("tmpfs", False, Level.OK, "in memory"),
        ("tmpfs", True, Level.WARN, "swapped"),
        ("ext4", False, Level.WARN, "on a disk (ext4)"),
        ("nfs4", False, Level.WARN, "another machine"),
        ("", False, Level.WARN, "unknown"),
    ],
)
def test_a_spool_in_memory_is_right_and_any_other_yellow(
    kind: str, swaps: bool, level: Level, what: str
) -> None:
    finding = medium_finding(SPOOL, kind, swaps=swaps)
    assert only([finding], level)
    assert what in finding.what


def test_memory_is_swapped_to_a_disk_or_compressed() -> None:
    head = "Filename\tType\tSize\tUsed\tPriority\n"
    assert swaps_to_disk(head + "/dev/sda2 partition 1 0 -2\n")
    assert not swaps_to_disk(head + "/dev/zram0 partition 1 0 100\n")
    assert not swaps_to_disk(head)
