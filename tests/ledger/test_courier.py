"""Checkpoints while the service runs: taken when there is news, brought elsewhere, and in nobody's way."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from asterisk_consent.errors import WitnessUnavailableError
from asterisk_consent.ledger import Ledger, verify
from asterisk_consent.ledger.checkpoint import Checkpoint
from asterisk_consent.ledger.checkpoints import covered
from asterisk_consent.ledger.courier import Checkpoints, Courier
from asterisk_consent.ledger.keyfile import load_key
from asterisk_consent.ledger.sent import last_sent, sent_path
from tests.ledger.entries import decision
from tests.ledger.test_faults import locked
from tests.ledger.test_witness import checkpoint

SOON_S = 10.0


class Kept:
    """A witness that keeps what it gets, or fails, or hangs; a test waits for what it did."""

    def __init__(self, *, every_s: float = 0.0) -> None:
        self.name = "kept"
        self.every_s = every_s
        self.kept: list[Checkpoint] = []
        self.tries = 0
        self.failing = False
        self.hanging: threading.Event | None = None
        self._changed = threading.Condition()

    def take(self, checkpoint: Checkpoint) -> None:
        if self.hanging is not None:
            self.hanging.wait()
        with self._changed:
            self.tries += 1
            if not self.failing:
                self.kept.append(checkpoint)
            self._changed.notify_all()
        if self.failing:
            raise WitnessUnavailableError("not now", where=self.name)

    def wait_for(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, SOON_S)

    def numbers(self) -> list[int]:
        return [each.number for each in self.kept]


def wait_until(holds: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_a_courier_brings_what_it_is_given() -> None:
    witness = Kept()
    courier = Courier(witness)
    courier.start()
    courier.bring(checkpoint(1))
    witness.wait_for(lambda: witness.numbers() == [1])
    courier.bring(checkpoint(2))
    courier.end()
    courier.join(SOON_S)
    assert witness.numbers() == [1, 2]


def test_what_failed_is_tried_again_told_once_and_told_when_it_works() -> None:
    witness = Kept()
    witness.failing = True
    courier = Courier(witness, retry_s=0.001)
    with capture_logs() as logs:
        courier.start()
        courier.bring(checkpoint(1))
        witness.wait_for(lambda: witness.tries >= 3)
        witness.failing = False
        witness.wait_for(lambda: witness.numbers() == [1])
        courier.end()
        courier.join(SOON_S)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("checkpoint.not_sent", "error"),
        ("checkpoint.sent_again", "info"),
    ]
    assert "kept: not now" in logs[0]["error"]


def test_only_the_newest_is_brought_after_a_failure() -> None:
    witness = Kept()
    witness.failing = True
    courier = Courier(witness, retry_s=3600.0)
    courier.start()
    courier.bring(checkpoint(1))
    witness.wait_for(lambda: witness.tries == 1)
    courier.bring(checkpoint(2))
    courier.bring(checkpoint(3))
    witness.failing = False
    courier.end()
    courier.join(SOON_S)
    assert witness.numbers() == [3]


def test_a_witness_that_wants_few_gets_the_newest_when_it_is_time_and_the_last_at_the_end() -> None:
    witness = Kept(every_s=3600.0)
    courier = Courier(witness)
    courier.start()
    courier.bring(checkpoint(1))
    witness.wait_for(lambda: witness.numbers() == [1])
    for number in (2, 3, 4):
        courier.bring(checkpoint(number))
    courier.end()
    courier.join(SOON_S)
    assert witness.numbers() == [1, 4]


def started(ledger: Path, *witnesses: Kept, every_s: float = 0.005) -> Checkpoints:
    checkpoints = Checkpoints(
        ledger, key=ledger.with_name("checkpoint.key"), witnesses=witnesses, every_s=every_s
    )
    checkpoints.start()
    return checkpoints


async def test_the_service_takes_one_at_its_start_one_with_news_and_one_at_its_end(
    ledger: Ledger, path: Path
) -> None:
    witness = Kept()
    checkpoints = started(path, witness)
    witness.wait_for(lambda: witness.numbers() == [1])
    await ledger.append(decision(1))
    witness.wait_for(lambda: witness.numbers() == [1, 2])
    checkpoints.end()
    slow = started(path, witness, every_s=3600.0)
    await ledger.append(decision(2))
    slow.end()
    assert witness.numbers() == [1, 2, 3]
    assert verify(path, checkpoints=witness.kept).problem is None
    assert [each.seq for each in witness.kept] == [2, 3, 4]


async def test_without_news_no_checkpoint_is_taken(ledger: Ledger, path: Path) -> None:
    witness = Kept()
    started(path, witness).end()
    started(path, witness).end()
    assert witness.numbers() == [1]


async def test_a_key_that_cannot_be_used_is_told_once_and_nothing_else_happens(
    ledger: Ledger, path: Path
) -> None:
    path.with_name("checkpoint.key").write_text("not a key")
    witness = Kept()
    with capture_logs() as logs:
        checkpoints = started(path, witness)
        await ledger.append(decision(1))
        checkpoints.end()
        path.with_name("checkpoint.key").unlink()
        started(path, witness).end()
    assert [line["event"] for line in logs] == ["checkpoint.not_taken", "checkpoint.key_made"]
    assert witness.numbers() == [1]


async def test_a_key_that_is_gone_is_made_anew_and_the_change_is_an_error_in_the_log(
    ledger: Ledger, path: Path
) -> None:
    witness = Kept()
    started(path, witness).end()
    before = load_key(path.with_name("checkpoint.key")).public
    path.with_name("checkpoint.key").unlink()
    with capture_logs() as logs:
        started(path, witness).end()
    changes = [line for line in logs if line["event"] == "checkpoint.key_changed"]
    assert [(line["log_level"], line["before"]) for line in changes] == [("error", before)]
    assert len({each.key for each in witness.kept}) == 2
    assert verify(path, checkpoints=witness.kept).problem is None


async def test_a_locked_ledger_is_told_and_the_next_time_it_works(ledger: Ledger, path: Path) -> None:
    witness = Kept()
    with capture_logs() as logs:
        with locked(path):
            checkpoints = started(path, witness)
            wait_until(lambda: logs[-1:] and logs[-1]["event"] == "checkpoint.not_taken")
        witness.wait_for(lambda: witness.numbers() == [1])
        checkpoints.end()
    assert logs[-1]["event"] == "checkpoint.taken_again"


async def test_a_witness_that_hangs_holds_up_neither_another_one_nor_the_end(
    ledger: Ledger, path: Path
) -> None:
    hanging, other = Kept(), Kept()
    hanging.hanging = threading.Event()
    checkpoints = started(path, hanging, other)
    other.wait_for(lambda: other.numbers() == [1])
    await ledger.append(decision(1))
    began = time.monotonic()
    checkpoints.end(0.3)
    assert time.monotonic() - began < 1.0
    assert other.numbers() == [1, 2]
    hanging.hanging.set()
    checkpoints.end()


async def test_the_end_comes_in_time_though_the_ledger_is_locked(ledger: Ledger, path: Path) -> None:
    witness = Kept()
    checkpoints = started(path, witness, every_s=3600.0)
    witness.wait_for(lambda: witness.numbers() == [1])
    await ledger.append(decision(1))
    with locked(path):
        began = time.monotonic()
        checkpoints.end(0.3)
        assert time.monotonic() - began < 1.0
        assert covered(path).seq == 2
    checkpoints.end()
    assert witness.numbers() == [1, 2]


def test_what_a_witness_took_is_noted_beside_the_ledger(ledger: Ledger, path: Path) -> None:
    witness, failing = Kept(), Kept()
    failing.name, failing.failing = "failing", True
    started(path, witness, failing).end()
    last = last_sent(path, "kept")
    assert last == witness.kept[-1]
    assert last_sent(path, "failing") is None


def test_what_cannot_be_noted_is_told_and_keeps_nothing_from_being_brought(
    ledger: Ledger, path: Path
) -> None:
    witness = Kept()
    sent_path(path, "kept").mkdir()
    with capture_logs() as logs:
        started(path, witness).end()
    assert witness.numbers() == [1]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["checkpoint.not_noted"]


def test_without_a_place_elsewhere_the_log_says_that_checkpoints_stay(tmp_path: Path) -> None:
    with capture_logs() as logs:
        started(tmp_path / "none.sqlite").end()
    assert logs[0]["event"] == "checkpoint.stays_here"


@pytest.mark.parametrize("within_s", [0.0, 0.1])
def test_an_end_without_a_ledger_is_an_end(tmp_path: Path, within_s: float) -> None:
    started(tmp_path / "none.sqlite").end(within_s)
