"""The ledger that the tests of ``calls`` use behaves as the real one where they rely on it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asterisk_consent.ledger import Kind, Ledger
from asterisk_consent.model import Outcome
from tests.calls.ledger import FakeLedger
from tests.ledger.entries import decision, hex_id, open_ledger, recorded


@pytest.fixture(params=["fake", "real"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FakeLedger | Ledger]:
    if request.param == "fake":
        yield FakeLedger()
        return
    opened = await open_ledger(tmp_path / "ledger.db")
    yield opened
    await opened.close()


async def test_an_agreement_opens_the_recording_it_allows(ledger: FakeLedger | Ledger) -> None:
    await ledger.append(decision(1, recording=7))
    await ledger.append(decision(2, Outcome.REFUSED))

    (row,) = await ledger.open_recordings()

    assert (row.recording_id, row.call_id, row.controller) == (hex_id(7), hex_id(1), "voorbeeld-bv")
    assert row.channel


@pytest.mark.parametrize("kind", [Kind.RECORDING_VERIFIED, Kind.RECORDING_FAILED, Kind.RECORDING_NOT_STARTED])
async def test_each_end_closes_it_and_a_start_does_not(kind: Kind, ledger: FakeLedger | Ledger) -> None:
    await ledger.append(decision(7, recording=7))
    await ledger.append(recorded(Kind.RECORDING_STARTED, 7))
    assert len(await ledger.open_recordings()) == 1

    await ledger.append(recorded(kind, 7))
    assert await ledger.open_recordings() == []


async def test_a_recording_that_is_closing_is_still_open(ledger: FakeLedger | Ledger) -> None:
    await ledger.append(decision(7, recording=7))

    await ledger.set_closing(hex_id(7))
    await ledger.set_closing(hex_id(8))

    assert [row.recording_id for row in await ledger.open_recordings()] == [hex_id(7)]


async def test_what_was_asked_for_before_a_write_that_was_answered_is_there(
    ledger: FakeLedger | Ledger,
) -> None:
    unanswered = asyncio.create_task(ledger.append(decision(7, recording=7)))
    await asyncio.sleep(0)

    await ledger.set_closing(hex_id(7))

    assert [row.recording_id for row in await ledger.open_recordings()] == [hex_id(7)]
    await unanswered


async def test_a_probe_leaves_no_entry(ledger: FakeLedger | Ledger) -> None:
    await ledger.probe()

    assert await ledger.open_recordings() == []
