"""Files and ledger name the same recordings; what does not fit is counted, and no strange name is shown."""

from collections.abc import Sequence

import pytest

from asterisk_consent.config import Config
from asterisk_consent.doctor.finding import Level
from asterisk_consent.doctor.recordings import lasting_orphans, orphan_findings
from asterisk_consent.ledger import Kind, Ledger
from asterisk_consent.ledger.read import RecordingRow, recordings
from tests.calls.approved_place import ApprovedPlace
from tests.doctor.levels import only, those
from tests.ledger.entries import decision, hex_id, recorded
from tests.ledger.open_sealing import OpenSealer

NUMBER = "+31201234567"


@pytest.fixture
async def config(place: ApprovedPlace) -> Config:
    """A recording under way, and one that ended and has neither file nor key."""
    ledger = await Ledger.open(place.config.ledger_path, sealer=OpenSealer())
    await ledger.append(decision(1, recording=1))
    await ledger.close()
    return place.config


async def end(config: Config) -> None:
    ledger = await Ledger.open(config.ledger_path, sealer=OpenSealer())
    await ledger.append(recorded(Kind.RECORDING_VERIFIED, 1))
    await ledger.close()


def rows(config: Config) -> Sequence[RecordingRow]:
    return recordings(config.ledger_path)


def test_what_fits_together_is_right(config: Config) -> None:
    (config.spool / f"{hex_id(1)}-caller.wav").touch()
    orphans = lasting_orphans(config, lambda: rows(config))
    assert only(orphan_findings(config, orphans), Level.OK)


def test_files_of_no_recording_are_red_and_their_names_are_not_shown(config: Config) -> None:
    (config.spool / f"{NUMBER}.wav").touch()
    (config.vault / f"{NUMBER}.wav").touch()
    orphans = lasting_orphans(config, lambda: rows(config), sleep=lambda _: None)
    found = those(orphan_findings(config, orphans), Level.ERROR)
    assert [(finding.where, "1 file in" in finding.what) for finding in found] == [
        (str(config.spool), True),
        (str(config.vault), True),
    ]
    assert not [finding for finding in found if NUMBER in finding.what + finding.remedy]


async def test_a_recording_without_file_or_key_is_red(config: Config) -> None:
    await end(config)
    orphans = lasting_orphans(config, lambda: rows(config), sleep=lambda _: None)
    found = those(orphan_findings(config, orphans), Level.ERROR)
    assert [hex_id(1) in finding.what for finding in found] == [True, True]
    assert ["not in the vault" in found[0].what, "the key is gone" in found[1].what] == [True, True]


def test_what_fits_a_moment_later_was_on_its_way(config: Config) -> None:
    (config.spool / f"{hex_id(1)}-caller.wav").touch()
    known = iter([[], rows(config)])
    orphans = lasting_orphans(config, lambda: next(known), sleep=lambda _: None)
    assert only(orphan_findings(config, orphans), Level.OK)
