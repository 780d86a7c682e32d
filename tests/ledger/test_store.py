"""What the service may rely on when it appends."""

import asyncio
from pathlib import Path

import pytest

from asterisk_consent.errors import LedgerError
from asterisk_consent.ledger import (
    Kind,
    Ledger,
    append_from_outside,
    find_recording,
    list_calls,
    recordings,
    verify,
)
from asterisk_consent.ledger.chain import Head
from asterisk_consent.ledger.opening import decision_of, open_call
from asterisk_consent.model import Outcome, RecordingState
from tests.ledger.entries import CALLER, decision, hex_id, open_ledger, recorded
from tests.ledger.open_sealing import OpenSealer, open_sealed


async def test_entries_follow_ledger_created_in_the_order_they_were_appended(
    ledger: Ledger, path: Path
) -> None:
    places = [await ledger.append(decision(number)) for number in range(5)]
    assert [place.seq for place in places] == [2, 3, 4, 5, 6]
    report = verify(path, expected=Head(seq=places[2].seq, hash=places[2].hash))
    assert report.problem is None
    assert report.head == Head(seq=6, hash=places[-1].hash)


async def test_a_group_of_a_thousand_appends_is_one_chain(ledger: Ledger, path: Path) -> None:
    places = await asyncio.gather(*(ledger.append(decision(number)) for number in range(1000)))
    assert sorted(place.seq for place in places) == list(range(2, 1002))
    assert verify(path).problem is None


async def test_a_cancelled_append_leaves_its_group_whole(ledger: Ledger, path: Path) -> None:
    appends = [asyncio.ensure_future(ledger.append(decision(number))) for number in range(20)]
    await asyncio.sleep(0)
    appends[7].cancel()
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert isinstance(results.pop(7), asyncio.CancelledError)
    assert not [result for result in results if isinstance(result, BaseException)]
    assert verify(path).problem is None


async def test_a_second_service_is_refused_and_told_who_writes(ledger: Ledger, path: Path) -> None:
    with pytest.raises(LedgerError, match=r"another service writes this ledger \(process \d+\)"):
        await open_ledger(path)


async def test_a_ledger_goes_on_where_it_ended(path: Path) -> None:
    first = await open_ledger(path)
    before = await first.append(decision(1))
    await first.close()
    second = await open_ledger(path)
    after = await second.append(decision(2))
    await second.close()
    assert after.seq == before.seq + 1
    assert verify(path).problem is None


async def test_nothing_is_appended_after_close(path: Path) -> None:
    ledger = await open_ledger(path)
    await ledger.close()
    await ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        await ledger.append(decision(1))


async def test_commands_and_service_append_to_one_chain(ledger: Ledger, path: Path) -> None:
    async def from_outside(number: int) -> None:
        await asyncio.to_thread(append_from_outside, path, decision(number), sealer=OpenSealer())

    await asyncio.gather(
        *(ledger.append(decision(number)) for number in range(50)),
        *(from_outside(number) for number in range(100, 130)),
    )
    report = verify(path)
    assert report.problem is None
    assert report.entries == 81


async def test_only_an_agreement_keeps_who_called(ledger: Ledger, path: Path) -> None:
    kept = {}
    for number, outcome in enumerate(Outcome):
        await ledger.append(decision(number, outcome))
        found = decision_of(open_call(path, hex_id(number), open_sealed))
        assert found is not None
        kept[outcome] = found.caller
    keeps = {Outcome.GIVEN, Outcome.INFORMED}
    assert kept == {outcome: CALLER if outcome in keeps else None for outcome in Outcome}
    assert {call.outcome for call in list_calls(path) if call.subject} == keeps


async def test_a_recording_passes_its_states_and_keeps_its_first_end(ledger: Ledger, path: Path) -> None:
    def state() -> RecordingState:
        row = find_recording(path, hex_id(1))
        assert row is not None
        return row.state

    await ledger.append(decision(1, recording=1))
    assert state() is RecordingState.ALLOWED
    await ledger.append(recorded(Kind.RECORDING_STARTED, 1))
    assert state() is RecordingState.RECORDING
    await ledger.set_closing(hex_id(1))
    assert state() is RecordingState.CLOSING
    assert verify(path).problem is None
    assert [row.recording_id for row in await ledger.open_recordings()] == [hex_id(1)]
    await ledger.append(recorded(Kind.RECORDING_VERIFIED, 1))
    await ledger.append(recorded(Kind.RECORDING_FAILED, 1, reason="late"))
    await ledger.set_closing(hex_id(1))
    assert state() is RecordingState.VERIFIED
    assert await ledger.open_recordings() == []


async def test_the_first_decision_of_a_call_is_the_effective_one(ledger: Ledger, path: Path) -> None:
    await ledger.append(decision(1, Outcome.REFUSED))
    await ledger.append(decision(1, Outcome.GIVEN))
    assert [call.outcome for call in list_calls(path)] == [Outcome.REFUSED]


async def test_a_recording_without_a_decision_is_listed_all_the_same(ledger: Ledger, path: Path) -> None:
    await ledger.append(recorded(Kind.RECORDING_FAILED, 9, reason="no agreement"))
    assert [(row.state, row.reason, row.allowed_seq) for row in recordings(path)] == [
        (RecordingState.FAILED, "no agreement", 0)
    ]
