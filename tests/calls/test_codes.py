"""A code that is dialled during the call withdraws, once, and is never lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.calls.codes import DialledCodes
from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.standing import standing_of
from asterisk_consent.model import RecordingId, Right
from asterisk_consent.rights.erasing import erase_calls
from asterisk_consent.rights.requests import Way
from asterisk_consent.vault.names import CODES, code_path, id_in_spool
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import KeptCalls

RECORDING = RecordingId(hex_id(1))


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    kept.trust_the_clock()
    return kept


def codes_of(kept: KeptCalls) -> DialledCodes:
    return DialledCodes(kept.requests, kept.place.config.spool)


def dial(kept: KeptCalls, code: str = "withdraw", *, recording: RecordingId = RECORDING) -> Path:
    path = code_path(recording, code, kept.place.config.spool)
    path.touch()
    return path


def ways(kept: KeptCalls, call_id: str) -> list[tuple[Right, str]]:
    return [(each.right, each.way) for each in standing_of(kept.held.ledger, call_id).requests]


@pytest.mark.parametrize("code", CODES)
def test_each_code_withdraws_and_its_file_goes_only_then(kept: KeptCalls, code: str) -> None:
    call_id = kept.decide(1)
    path = dial(kept, code)
    codes_of(kept).take(RECORDING)
    assert ways(kept, call_id) == [(Right.WITHDRAWAL, Way.CODE)]
    assert not path.exists()


def test_a_recording_that_ends_after_the_code_is_dropped_though_nobody_took_the_code_in_yet(
    kept: KeptCalls,
) -> None:
    call_id = kept.decide(1)
    assert not codes_of(kept).drops(RECORDING, call_id)
    dial(kept)
    assert codes_of(kept).drops(RECORDING, call_id)


def test_who_dialled_it_is_entered_and_nobody_else_is_named(kept: KeptCalls) -> None:
    call_id = kept.recorded(1)
    dial(kept, "stop")
    codes_of(kept).take(RECORDING)
    (request,) = standing_of(kept.held.ledger, call_id).requests
    assert request.erase_at == 0  # whoever is on the call is identified by it: nothing waits
    answer = kept.requests.carry_out(request.seq)
    assert answer is not None
    assert answer.settled


def test_dialled_by_both_and_twice_it_is_one_withdrawal(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    for code in (*CODES, *CODES):
        dial(kept, code)
        codes_of(kept).take_all()
    assert ways(kept, call_id) == [(Right.WITHDRAWAL, Way.CODE)]
    assert not list(kept.place.config.spool.iterdir())


def test_a_code_waits_where_the_ledger_cannot_be_written_and_is_logged(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    path = dial(kept)
    with closing(sqlite3.connect(kept.held.ledger, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError):
            codes_of(kept).take(RECORDING)
        with capture_logs() as logs:
            codes_of(kept).take_all()
    assert [line["event"] for line in logs] == ["codes.not_taken_in"]
    assert path.exists()
    codes_of(kept).take_all()
    assert ways(kept, call_id) == [(Right.WITHDRAWAL, Way.CODE)]


def test_what_was_entered_before_a_crash_is_not_entered_again(
    kept: KeptCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = kept.decide(1)
    path = dial(kept)

    def crash(self: Path, *, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            codes_of(kept).take(RECORDING)
    assert path.exists()
    codes_of(kept).take_all()
    assert ways(kept, call_id) == [(Right.WITHDRAWAL, Way.CODE)]
    assert not path.exists()


def test_a_code_of_a_call_that_was_erased_meanwhile_is_done_with(kept: KeptCalls) -> None:
    call_id = kept.decide(1)
    erase_calls([call_id], "its term ended", kept.held)
    path = dial(kept)
    codes_of(kept).take_all()
    assert not path.exists()


def test_the_file_of_a_code_belongs_to_its_recording_and_nothing_else_is_one(kept: KeptCalls) -> None:
    spool = kept.place.config.spool
    assert {id_in_spool(code_path(RECORDING, code, spool)) for code in CODES} == {RECORDING}
    for name in ("withdraw", f"{RECORDING}-withdraw.wav", f"{RECORDING[1:]}-stop", f"{RECORDING}-stopped"):
        (spool / name).touch()
    codes_of(kept).take_all()
    assert len(list(spool.iterdir())) == 4
