"""Invariants 7 and 10: a service that is killed, or whose disk fails, at any change of a file loses nothing allowed.

The changes are counted as calls of the system, of the thread that works on recordings and of the one that writes the
ledger; see ``traced``. What runs is the real recorder on a real ledger.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

import pytest

from tests.calls.doomed import Doomed
from tests.calls.killed_service import CLOSED, RESTARTED
from tests.calls.traced import Point, Service

KILLED, TIMED_OUT = -9, -14
AT_A_TIME = 2
RANDOM_ROUNDS = 15
RANDOM_KILLS = 6

Check = Callable[[Service, Point, Doomed], list[str]]


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Doomed:
    return asyncio.run(Doomed.make(tmp_path_factory.mktemp("doomed") / "first"))


@pytest.fixture(scope="module")
def services() -> Iterator[list[Service]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Service()) for _ in range(AT_A_TIME)]


@pytest.fixture(scope="module")
def points(doomed: Doomed, services: list[Service]) -> list[Point]:
    """Every call that changes something on the way of the recording when nothing fails."""
    place = doomed.copied(doomed.directory.with_name("counted"))
    points = services[0].count(place.directory, CLOSED)
    assert place.faults() == []
    return points


def failing(doomed: Doomed, services: list[Service], points: list[Point], check: Check) -> list[str]:
    """Return the points at which the check found something, and what."""
    name = secrets.token_hex(4)
    free: SimpleQueue[Service] = SimpleQueue()
    for service in services:
        free.put(service)

    def at(number: int) -> list[str]:
        service = free.get()
        try:
            place = doomed.copied(doomed.directory.with_name(f"{name}-{number}"))
            return check(service, points[number], place)
        finally:
            free.put(service)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = zip(points, pool.map(at, range(len(points))), strict=True)
    return [f"{point}: {fault}" for point, faults in found for fault in faults]


def killed(service: Service, point: Point, place: Doomed) -> list[str]:
    status = service.kill_at(point, place.directory, CLOSED)
    again = service.run(place.directory, RESTARTED)
    return [*([f"ended {status}, {again}"] if (status, again) != (KILLED, 0) else []), *place.faults()]


def test_the_points_are_those_of_the_whole_way(points: list[Point]) -> None:
    did = " ".join(point.what for point in points)
    for step in (
        "caller.wav",
        "joined.flac",
        ".audio.age.part",
        ".flac.age",
        "emptying.wav",
        "ledger.sqlite",
    ):
        assert step in did
    calls = [(point.thread, point.call) for point in points]
    assert calls.count(("worker", "fsync")) >= 5
    assert calls.count(("worker", "rename")) == 3
    assert calls.count(("ledger-writer", "fdatasync")) >= 4


def test_killed_before_any_change_nothing_is_lost_and_the_end_is_entered_once(
    doomed: Doomed, services: list[Service], points: list[Point]
) -> None:
    assert failing(doomed, services, points, killed) == []


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_whichever_change_fails_the_service_goes_on_and_brings_the_recording_to_its_end(
    doomed: Doomed, services: list[Service], points: list[Point], error: str
) -> None:
    def failed(service: Service, point: Point, place: Doomed) -> list[str]:
        status = service.fail_at(point, error, place.directory, CLOSED)
        return [*([f"ended {status}"] if status else []), *place.faults()]

    assert failing(doomed, services, points, failed) == []


def test_killed_again_and_again_at_random_nothing_is_lost(doomed: Doomed, services: list[Service]) -> None:
    moments = random.Random(20_260_101)
    service = services[0]
    cut_short = 0
    for number in range(RANDOM_ROUNDS):
        place = doomed.copied(doomed.directory.with_name(f"random-{number}"))
        for what in (CLOSED, *(RESTARTED,) * RANDOM_KILLS):
            cut_short += service.kill_after(moments.uniform(0.0, 0.04), place.directory, what) == TIMED_OUT
        assert service.run(place.directory, RESTARTED) == 0
        assert place.faults() == []
    assert cut_short > RANDOM_ROUNDS
