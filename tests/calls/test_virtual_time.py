"""The loop whose clock jumps."""

import asyncio
import time

import pytest

from tests.calls.virtual_time import EPOCH_S, in_virtual_time, wall_s


@in_virtual_time
async def test_time_passes_at_once_and_exactly() -> None:
    began_s = time.monotonic()

    await asyncio.sleep(3600)

    assert wall_s() == pytest.approx(EPOCH_S + 3600)
    assert time.monotonic() - began_s < 60


@in_virtual_time
async def test_timers_fire_in_their_order() -> None:
    fired: list[int] = []
    loop = asyncio.get_running_loop()
    for seconds in (3, 1, 2):
        loop.call_later(seconds, fired.append, seconds)

    await asyncio.sleep(4)

    assert fired == [1, 2, 3]


def test_what_would_wait_for_ever_fails_at_once() -> None:
    @in_virtual_time
    async def wait_for_nothing() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing is going to happen"):
        wait_for_nothing()
