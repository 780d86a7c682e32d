"""Whether checkpoints leave the machine: red when an entry has waited a day for one that did."""

from pathlib import Path

import pytest

from asterisk_consent.config import Config, load_config
from asterisk_consent.doctor.checkpoints import (
    Way,
    checkpoint_findings,
    newest_in,
    taken_finding,
    way_findings,
)
from asterisk_consent.doctor.finding import Level
from asterisk_consent.errors import ConsentError, LedgerBrokenError
from asterisk_consent.ledger.backup import back_up
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.sent import note_sent
from asterisk_consent.ledger.witness import Directory
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.restoring import Wanted, restore
from tests.calls.approved_place import CONFIG, ApprovedPlace
from tests.doctor.levels import levels, only, those
from tests.ledger.signing import signing_key
from tests.ledger.test_witness import checkpoint

NOW = 1_900_000_000
DAY = 86_400
FILE = Path("/etc/asterisk-consent/asterisk-consent.toml")
LOCAL = "22 1 0:5 / / rw - ext4 /dev/sda1 rw"
REMOTE = "22 1 0:5 / / rw - nfs4 nas:/x rw"
MAIL = 'mail_to = "dpo@example.org"'


def way(name: str = "dpo", *, left: int | None = 60, waiting: int | None = None) -> Way:
    return Way(
        name=name,
        left_at=None if left is None else NOW - left,
        waiting_since=None if waiting is None else NOW - waiting,
    )


@pytest.mark.parametrize(
    "working", [way(), way(left=9 * DAY), way(left=3_600, waiting=3_500), way(left=None, waiting=DAY)]
)
def test_a_way_on_which_nothing_has_waited_a_day_is_right(working: Way) -> None:
    assert only(way_findings([working], FILE, now=NOW), Level.OK)


def test_where_none_left_for_a_day_it_is_red() -> None:
    late = [way("dpo", left=DAY + 60, waiting=DAY + 1), way("nas", left=None, waiting=DAY + 1)]
    found = those(way_findings(late, FILE, now=NOW), Level.ERROR)
    assert [finding.where for finding in found] == ["dpo", "nas"]
    assert "the last one 1 day ago" in found[0].what
    assert "none yet" in found[1].what


def test_where_another_way_works_it_is_yellow() -> None:
    found = list(way_findings([way("dpo", waiting=DAY + 1), way("nas")], FILE, now=NOW))
    assert levels(found) == [Level.WARN, Level.OK]


def test_without_a_way_out_it_is_yellow() -> None:
    assert "[checkpoints]" in only(way_findings([], FILE, now=NOW), Level.WARN).remedy


def test_a_day_without_a_checkpoint_of_what_was_entered_is_red() -> None:
    assert only([taken_finding(FILE, None, NOW - DAY - 1, now=NOW)], Level.ERROR)
    assert only([taken_finding(FILE, None, NOW - DAY, now=NOW)], Level.OK)
    assert only([taken_finding(FILE, checkpoint(1), None, now=NOW)], Level.OK)


def test_the_newest_checkpoint_of_a_directory(tmp_path: Path) -> None:
    for number in (9, 10, 2):
        Directory(path=tmp_path).take(checkpoint(number))
    (tmp_path / "zz").touch()
    ledger_id = checkpoint(1).ledger_id
    newest = newest_in(tmp_path, ledger_id)
    assert newest is not None
    assert newest.number == 10
    assert newest_in(tmp_path, "f" * 32) is None
    assert newest_in(tmp_path, "") is None
    with pytest.raises(ConsentError, match="No such file"):
        newest_in(tmp_path / "none", ledger_id)


def test_a_checkpoint_that_was_changed_there_is_told(tmp_path: Path) -> None:
    Directory(path=tmp_path).take(checkpoint(1))
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{}")
    with pytest.raises(LedgerBrokenError) as raised:
        newest_in(tmp_path, checkpoint(1).ledger_id)
    assert raised.value.where == str(file)


def with_ways(place: ApprovedPlace, text: str) -> Config:
    place.config.file.write_text(f"{CONFIG}\n[checkpoints]\n{text}\n")
    return load_config(place.config.file)


def test_what_the_service_noted_of_a_mailbox_counts(place: ApprovedPlace) -> None:
    config = with_ways(place, MAIL)
    name = "dpo@example.org by localhost:25"
    found = those(checkpoint_findings(config, mountinfo=LOCAL, now=NOW), Level.ERROR)
    assert len(found) == 2  # neither taken nor sent
    assert found[1].where == name

    taken = take_checkpoint(config.ledger_path, signing_key(1), clock=lambda: float(NOW - 60))
    found = those(checkpoint_findings(config, mountinfo=LOCAL, now=NOW), Level.ERROR)
    assert [finding.where for finding in found] == [name]

    note_sent(config.ledger_path, name, taken)
    assert levels(checkpoint_findings(config, mountinfo=LOCAL, now=NOW)) == [Level.OK, Level.OK]


def test_a_checkpoint_of_what_a_restore_lost_covers_nothing(place: ApprovedPlace, tmp_path: Path) -> None:
    config = with_ways(place, MAIL)
    name = "dpo@example.org by localhost:25"
    back_up(config.ledger_path, tmp_path / "b")
    lost = take_checkpoint(config.ledger_path, signing_key(1), clock=lambda: float(NOW - 60))
    note_sent(config.ledger_path, name, lost)
    held = Holdings(
        ledger=config.ledger_path,
        spool=config.spool,
        vault=config.vault,
        keys=config.keys,
        clock=lambda: float(NOW - 2 * DAY),
    )
    restore(Wanted(backup=tmp_path / "b", person="root"), held)
    take_checkpoint(config.ledger_path, signing_key(1), clock=lambda: float(NOW - 60))
    found = those(checkpoint_findings(config, mountinfo=LOCAL, now=NOW), Level.ERROR)
    assert [finding.where for finding in found] == [name]


@pytest.mark.parametrize(("mountinfo", "level"), [(LOCAL, Level.WARN), (REMOTE, Level.OK)])
def test_what_lies_in_a_directory_counts_and_one_of_this_machine_is_yellow(
    place: ApprovedPlace, mountinfo: str, level: Level
) -> None:
    config = with_ways(place, 'directory = "elsewhere"')
    assert config.checkpoints.directory is not None
    config.checkpoints.directory.mkdir()
    taken = take_checkpoint(config.ledger_path, signing_key(1), clock=lambda: float(NOW - 60))
    Directory(path=config.checkpoints.directory).take(taken)
    found = list(checkpoint_findings(config, mountinfo=mountinfo, now=NOW))
    assert sorted({*levels(found)}) == sorted({Level.OK, level})


def test_a_directory_that_is_not_there_is_red(place: ApprovedPlace) -> None:
    config = with_ways(place, 'directory = "elsewhere"')
    take_checkpoint(config.ledger_path, signing_key(1), clock=lambda: float(NOW - 60))
    found = those(checkpoint_findings(config, mountinfo=LOCAL, now=NOW), Level.ERROR)
    assert "cannot be listed" in found[0].what


def test_a_syslog_alone_leaves_a_restore_without_what_was_erased_and_that_is_yellow(
    place: ApprovedPlace,
) -> None:
    syslog = 'syslog = "/dev/log"'
    found = those(checkpoint_findings(with_ways(place, syslog), mountinfo=LOCAL, now=NOW), Level.WARN)
    assert [finding.where for finding in found] == [str(place.config.keys / "erased.log")]
    both = with_ways(place, f"{syslog}\n{MAIL}")
    assert not those(checkpoint_findings(both, mountinfo=LOCAL, now=NOW), Level.WARN)
