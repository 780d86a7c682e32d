"""The sweep: never early, at most a day late, nothing when the clock jumped, and a second one finds nothing to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from asterisk_consent.errors import AudioError, RequestRefusedError
from asterisk_consent.ledger import NewEntry, Recording, find_call, recordings, verify
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind
from asterisk_consent.ledger.payload import LegalHold, Service
from asterisk_consent.model import Outcome, RecordingId
from asterisk_consent.rights import sweeping
from asterisk_consent.rights.sweeping import SweepReport, sweep
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import BEGAN_AT, NUMBER, KeptCalls
from tests.vault.tones import write_call

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TERM_OVER = datetime(2027, 4, 16, tzinfo=AMSTERDAM)
"""The end of the last hour of the ninetieth day after :data:`BEGAN_AT`."""
PROOF_OVER = datetime(2032, 1, 16, tzinfo=AMSTERDAM)


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    sweep(kept.held, clock_confirmed_by="somebody")
    return kept


def sweep_at(kept: KeptCalls, moment: datetime, confirmed_by: str = "somebody") -> SweepReport:
    kept.clock.now = moment.timestamp()
    return sweep(kept.held, clock_confirmed_by=confirmed_by)


def entered_at(kept: KeptCalls, moment: datetime) -> None:
    kept.clock.now = moment.timestamp()
    kept.append(NewEntry(stream=SYSTEM_STREAM, kind=Kind.SERVICE_STARTED, payload=Service(release="0")))


def test_audio_goes_with_the_end_of_its_term_and_not_a_second_before(kept: KeptCalls) -> None:
    kept.recorded(1)
    assert sweep_at(kept, TERM_OVER - timedelta(seconds=1)) == SweepReport(recordings=0, proofs=0)
    assert sweep_at(kept, TERM_OVER) == SweepReport(recordings=1, proofs=0)
    assert f"{hex_id(1)}.audio.age" not in {path.name for path in kept.files()}
    assert find_call(kept.held.ledger, hex_id(1)) is not None
    assert verify(kept.held.ledger).problem is None


@pytest.mark.parametrize(
    "night", [datetime(2026, 12, 29, 11, tzinfo=UTC), datetime(2027, 8, 2, 10, tzinfo=UTC)]
)
def test_the_nights_of_the_clock_change_move_nothing(kept: KeptCalls, night: datetime) -> None:
    kept.recorded(1, began_at=night)
    over = datetime.combine(night.date() + timedelta(days=91), datetime.min.time(), tzinfo=AMSTERDAM)
    assert sweep_at(kept, over - timedelta(seconds=1)).recordings == 0
    assert sweep_at(kept, over).recordings == 1


def test_proof_goes_at_its_own_term_and_takes_the_person_along(kept: KeptCalls) -> None:
    kept.recorded(1)
    kept.decide(2, outcome=Outcome.REFUSED)
    assert sweep_at(kept, TERM_OVER) == SweepReport(recordings=1, proofs=0)
    assert sweep_at(kept, PROOF_OVER - timedelta(seconds=1)).proofs == 0
    assert sweep_at(kept, PROOF_OVER).proofs == 2
    assert find_call(kept.held.ledger, hex_id(1)) is None
    assert kept.holds_bytes(NUMBER.encode()) == []
    assert verify(kept.held.ledger).problem is None


def test_a_second_sweep_finds_nothing_to_do(kept: KeptCalls) -> None:
    kept.recorded(1)
    sweep_at(kept, PROOF_OVER)
    sweep_at(kept, PROOF_OVER)
    assert sweep_at(kept, PROOF_OVER) == SweepReport(recordings=0, proofs=0)


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=3652), timedelta(hours=-1)])
def test_nothing_goes_when_the_clock_jumped(kept: KeptCalls, jump: timedelta) -> None:
    kept.recorded(1, began_at=BEGAN_AT - timedelta(days=200))
    with pytest.raises(RequestRefusedError, match="the clock"):
        sweep_at(kept, datetime.fromtimestamp(kept.clock.now, UTC) + jump, confirmed_by="")
    assert recordings(kept.held.ledger)[0].has_audio


def test_a_jump_before_the_last_entry_is_noticed_too(kept: KeptCalls) -> None:
    kept.recorded(1, began_at=BEGAN_AT - timedelta(days=200))
    later = datetime.fromtimestamp(kept.clock.now, UTC) + timedelta(days=3652)
    entered_at(kept, later)
    with pytest.raises(RequestRefusedError, match="--clock-is-right"):
        sweep_at(kept, later, confirmed_by="")
    assert recordings(kept.held.ledger)[0].has_audio


def test_who_vouched_for_the_clock_is_entered_and_the_next_sweep_asks_nobody(kept: KeptCalls) -> None:
    kept.recorded(1)
    sweep_at(kept, TERM_OVER, confirmed_by="m.jansen")
    assert sweep_at(kept, TERM_OVER + timedelta(days=1), confirmed_by="") == SweepReport(
        recordings=0, proofs=0
    )


def test_a_daily_sweep_needs_nobody(kept: KeptCalls) -> None:
    kept.recorded(1)
    moment = datetime.fromtimestamp(kept.clock.now, UTC)
    swept = 0
    while moment < TERM_OVER + timedelta(days=1):
        swept += sweep_at(kept, moment, confirmed_by="").recordings
        assert swept == (moment >= TERM_OVER)
        moment += timedelta(days=1)
    assert swept == 1


def test_a_recording_whose_term_nobody_knows_is_never_swept(kept: KeptCalls) -> None:
    kept.recorded(1, purposes=("something else",))
    assert sweep_at(kept, PROOF_OVER) == SweepReport(recordings=0, proofs=0)
    assert recordings(kept.held.ledger)[0].has_audio


def test_one_recording_that_cannot_be_removed_keeps_no_other(kept: KeptCalls) -> None:
    for number in (1, 2, 3):
        kept.recorded(number)
    stuck = kept.place.config.vault / f"{hex_id(2)}.flac.age"
    stuck.unlink()
    stuck.mkdir()
    with pytest.raises(AudioError, match="1 of 3 recordings could not be erased"):
        sweep_at(kept, TERM_OVER)
    assert [bool(row.erased_seq) for row in recordings(kept.held.ledger)] == [True, False, True]
    stuck.rmdir()
    assert sweep_at(kept, TERM_OVER).recordings == 1


def test_what_lies_in_the_clear_in_the_spool_goes_with_its_term_too(kept: KeptCalls) -> None:
    kept.decide(1)
    write_call(kept.held.spool, recording=RecordingId(hex_id(1)))
    end = Recording(
        recording_id=hex_id(1), reason="the recording cannot be kept", started_at=int(kept.clock.now)
    )
    stream = kept.controller("p1-nl")
    kept.append(NewEntry(stream=stream, kind=Kind.RECORDING_FAILED, call_id=hex_id(1), payload=end))
    assert sweep_at(kept, TERM_OVER - timedelta(seconds=1)).recordings == 0
    assert list(kept.held.spool.iterdir())
    assert sweep_at(kept, TERM_OVER).recordings == 1
    assert list(kept.held.spool.iterdir()) == []


def test_a_legal_hold_that_is_placed_while_a_sweep_runs_is_respected(kept: KeptCalls) -> None:
    calls = [kept.recorded(number) for number in (1, 2)]
    kept.clock.now = TERM_OVER.timestamp()
    held_one = LegalHold(
        hold_id=hex_id(77),
        recording_id=hex_id(2),
        purpose="training",
        case="C",
        until=int(PROOF_OVER.timestamp()),
        reason="r",
        person="p",
    )

    def place_one(done: int, of: int) -> None:
        if done == 1:
            kept.append(
                NewEntry(
                    stream=kept.controller("p1-nl"),
                    kind=Kind.LEGAL_HOLD_PLACED,
                    call_id=calls[1],
                    payload=held_one,
                )
            )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping, "BATCH", 1)
        assert sweep(kept.held, clock_confirmed_by="somebody", progress=place_one).recordings == 1
    assert [bool(row.erased_seq) for row in recordings(kept.held.ledger)] == [True, False]
