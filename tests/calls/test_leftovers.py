"""Spool, vault, keys and ledger agree after every start, both ways."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.leftovers import NOT_ALLOWED, orphans_of, settle_leftovers
from asterisk_consent.calls.recorder import Recorder
from asterisk_consent.ledger import SYSTEM_STREAM, Kind, Ledger, NewEntry, Recording, recordings
from asterisk_consent.vault.names import kept_path, key_path
from tests.calls.doomed import CALL, RECORDING, Doomed
from tests.calls.recording_place import FakeCodes
from tests.ledger.entries import CONTROLLER
from tests.vault.tones import OTHER, silence, write_call, write_side


@pytest.fixture
async def doomed(tmp_path: Path) -> Doomed:
    return await Doomed.make(tmp_path / "doomed")


async def start(doomed: Doomed, *before: NewEntry) -> list[str]:
    """Let a service start after these entries; return what it said."""
    places = doomed.places
    ledger = await Ledger.open(places.ledger, min_free_bytes=0)
    for entry in before:
        await ledger.append(entry)
    recorder = Recorder(
        spool=places.spool,
        vault=places.vault,
        keys=places.keys,
        ledger=ledger,
        channels=nobody,
        monotonic_s=lambda: 0.0,
        now=lambda: 0,
        codes=FakeCodes(),
    )
    await recorder.adopt()
    with capture_logs() as logs:
        await settle_leftovers(recorder, ledger, places)
    await ledger.close()
    return [line["event"] for line in logs]


async def nobody() -> set[str]:
    return set()


def ended(kind: Kind, *, sha256: str = "") -> NewEntry:
    payload = Recording(recording_id=RECORDING, sha256=sha256)
    return NewEntry(stream=CONTROLLER, kind=kind, call_id=CALL, payload=payload)


def in_spool(doomed: Doomed) -> list[str]:
    return sorted(path.name[33:] for path in doomed.places.spool.iterdir())


async def test_what_has_no_end_yet_is_left_to_the_recorder(doomed: Doomed) -> None:
    assert await start(doomed) == []
    assert len(in_spool(doomed)) == 2


async def test_what_ended_and_is_in_the_vault_is_removed_from_the_spool(doomed: Doomed) -> None:
    kept_path(RECORDING, doomed.places.vault).touch()
    path = key_path(CALL, doomed.places.keys)
    path.parent.mkdir()
    path.touch()
    (doomed.places.spool / f"{RECORDING}-joined.flac").touch()
    assert await start(doomed, ended(Kind.RECORDING_VERIFIED, sha256="ab" * 32)) == []
    assert in_spool(doomed) == []
    assert not orphans_of(recordings(doomed.places.ledger), doomed.places)


async def test_files_without_a_sample_go_where_nothing_was_recorded(doomed: Doomed) -> None:
    for side in ("caller", "agent"):
        write_side(doomed.places.spool, side, silence(0), RECORDING)
    assert await start(doomed, ended(Kind.RECORDING_NOT_STARTED)) == []
    assert in_spool(doomed) == []


@pytest.mark.parametrize("kind", [Kind.RECORDING_NOT_STARTED, Kind.RECORDING_FAILED])
async def test_audio_that_is_nowhere_else_stays_and_is_told_of(doomed: Doomed, kind: Kind) -> None:
    assert await start(doomed, ended(kind)) == ["leftovers.left_in_spool"]
    assert await start(doomed) == ["leftovers.left_in_spool"]
    assert in_spool(doomed) == ["agent.wav", "caller.wav"]


async def test_files_that_nothing_allows_are_entered_once_and_stay(doomed: Doomed) -> None:
    vault, third = doomed.places.vault, "3" * 32
    write_call(doomed.places.spool, 0.1, OTHER)
    (doomed.places.spool / "notes.txt").touch()
    (vault / f"{OTHER}.part").touch()
    (vault / f"{third}.flac.age").touch()
    assert await start(doomed) == ["leftovers.stranger"] * 5
    await start(doomed)

    rows = {row.recording_id: row for row in recordings(doomed.places.ledger)}
    assert set(rows) == {RECORDING, OTHER, third}
    for stray in (OTHER, third):
        found = rows[stray]
        assert (found.state, found.reason, found.controller) == ("failed", NOT_ALLOWED, SYSTEM_STREAM)
    assert doomed.ends() == [Kind.RECORDING_FAILED] * 2
    assert len(list(doomed.places.spool.iterdir())) == 5
    assert len(list(vault.iterdir())) == 2


async def test_what_is_gone_from_the_vault_is_told(doomed: Doomed) -> None:
    assert "leftovers.missing" in await start(doomed, ended(Kind.RECORDING_VERIFIED, sha256="ab" * 32))


async def test_a_directory_that_cannot_be_listed_does_not_keep_the_service_from_starting(
    doomed: Doomed,
) -> None:
    doomed.places.vault.rmdir()
    assert await start(doomed) == ["leftovers.not_looked_for"]
    assert len(in_spool(doomed)) == 2
