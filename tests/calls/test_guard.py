"""A recording ends where somebody is on the line who is not party to the decision."""

import asyncio

import pytest

from asterisk_consent.calls.guard import RETRIES_S, Guard
from asterisk_consent.errors import PbxError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.ami import AmiEvent


class FakeRecorder:
    """Records the channels it was told to."""

    def __init__(self, *recorded: str) -> None:
        self._recorded = recorded

    def is_recorded(self, channel: str) -> bool:
        return channel in self._recorded


class FakeBridges:
    """Bridges and who is in them; counts how often somebody looked."""

    def __init__(self, bridges: dict[str, list[str]]) -> None:
        self._bridges = bridges
        self.looks = 0

    async def channels_in_bridge(self, bridge_id: str) -> list[str]:
        self.looks += 1
        if bridge_id not in self._bridges:
            raise PbxUnavailableError("no answer from Asterisk")
        return self._bridges[bridge_id]

    async def bridges(self) -> list[list[str]]:
        return list(self._bridges.values())


class FakeMixMonitors:
    """Notes what was stopped, or fails: always, or so often."""

    def __init__(self, error: PbxError | None = None, *, times: int = 1000) -> None:
        self.stopped: list[str] = []
        self._error = error
        self._times = times

    async def stop_mixmonitor(self, channel: str, mixmonitor_id: str = "") -> None:
        self.stopped.append(channel)
        if self._error is not None and len(self.stopped) <= self._times:
            raise self._error


def transfer(of: str, to: str) -> AmiEvent:
    return AmiEvent(name="AttendedTransfer", fields={"SecondTransfererUniqueid": of, "TransfereeChannel": to})


def enter(bridge: str, count: int | None) -> AmiEvent:
    fields = {"BridgeUniqueid": bridge} | ({} if count is None else {"BridgeNumChannels": str(count)})
    return AmiEvent(name="BridgeEnter", fields=fields)


@pytest.fixture
def mixmonitors() -> FakeMixMonitors:
    return FakeMixMonitors()


@pytest.fixture
def bridges() -> FakeBridges:
    return FakeBridges({"two": ["anna", "agent"], "three": ["anna", "agent", "chief"]})


@pytest.fixture
def guard(bridges: FakeBridges, mixmonitors: FakeMixMonitors) -> Guard:
    return Guard(recorder=FakeRecorder("anna"), bridges=bridges, mixmonitors=mixmonitors)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_recording_does_not_move_to_a_stranger(guard: Guard, mixmonitors: FakeMixMonitors) -> None:
    guard.take(transfer(of="anna", to="PJSIP/stranger-1"))
    await settle()

    assert mixmonitors.stopped == ["PJSIP/stranger-1"]


async def test_a_transfer_of_a_call_that_is_not_recorded_is_left_alone(
    guard: Guard, mixmonitors: FakeMixMonitors
) -> None:
    guard.take(transfer(of="somebody", to="PJSIP/stranger-1"))
    await settle()

    assert mixmonitors.stopped == []


@pytest.mark.parametrize("count", [3, None])
async def test_a_recording_stops_when_a_third_person_joins(
    count: int | None, guard: Guard, mixmonitors: FakeMixMonitors
) -> None:
    guard.take(enter("three", count))
    await settle()

    assert mixmonitors.stopped == ["anna"]


async def test_two_people_who_talk_are_left_alone(guard: Guard, mixmonitors: FakeMixMonitors) -> None:
    guard.take(enter("two", None))
    await settle()

    assert mixmonitors.stopped == []


async def test_an_ordinary_call_costs_no_request(guard: Guard, bridges: FakeBridges) -> None:
    for count in (1, 2):
        guard.take(enter("two", count))
    await settle()

    assert bridges.looks == 0


async def test_who_joined_while_nobody_watched_is_found_afterwards(
    guard: Guard, mixmonitors: FakeMixMonitors
) -> None:
    guard.look_again()
    await settle()

    assert mixmonitors.stopped == ["anna"]


async def test_other_events_mean_nothing(guard: Guard, mixmonitors: FakeMixMonitors) -> None:
    guard.take(AmiEvent(name="Hangup", fields={"Uniqueid": "anna"}))
    await settle()

    assert mixmonitors.stopped == []


async def test_a_bridge_that_cannot_be_looked_at_does_not_end_the_guard(
    guard: Guard, mixmonitors: FakeMixMonitors
) -> None:
    guard.take(enter("unknown", 3))
    guard.take(enter("three", 3))
    await settle()

    assert mixmonitors.stopped == ["anna"]


async def test_a_stop_that_fails_does_not_end_the_guard(bridges: FakeBridges) -> None:
    failing = FakeMixMonitors(PbxUnavailableError("no answer from AMI"))
    guard = Guard(recorder=FakeRecorder("anna", "agent"), bridges=bridges, mixmonitors=failing)

    guard.take(enter("three", 3))
    await settle()

    assert failing.stopped == ["anna", "agent"]


async def test_a_stop_that_comes_before_the_recording_has_moved_is_tried_again(bridges: FakeBridges) -> None:
    early = FakeMixMonitors(PbxRefusedError("Could not stop monitoring channel"), times=2)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    guard = Guard(recorder=FakeRecorder("anna"), bridges=bridges, mixmonitors=early, sleep=pause)
    guard.take(transfer(of="anna", to="PJSIP/stranger-1"))
    await settle()

    assert early.stopped == ["PJSIP/stranger-1"] * 3
    assert pauses == list(RETRIES_S[:2])


async def test_a_stop_is_not_tried_again_for_ever(bridges: FakeBridges) -> None:
    refusing = FakeMixMonitors(PbxRefusedError("Could not stop monitoring channel"))
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    guard = Guard(recorder=FakeRecorder("anna"), bridges=bridges, mixmonitors=refusing, sleep=pause)
    guard.take(transfer(of="anna", to="PJSIP/stranger-1"))
    await settle()

    assert refusing.stopped == ["PJSIP/stranger-1"] * (len(RETRIES_S) + 1)
    assert sum(pauses) < 2
