"""The FastAGI server and its channel against calls under the test's control."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog.testing

from asterisk_consent.errors import PbxError, PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.agi_wire import MAX_HEADERS, MAX_LINE_BYTES
from asterisk_consent.pbx.fastagi import AgiChannel, FastAgiServer, Played
from tests.pbx_client.fake_agi_call import FakeCall, fake_call, header_block
from tests.pbx_client.test_agi_wire import TAIL

SOON_S = 5.0
Step = Callable[[AgiChannel], Awaitable[Any]]


@asynccontextmanager
async def served(handler: Callable[[AgiChannel], Awaitable[None]], **options: Any) -> AsyncIterator[int]:
    server = FastAgiServer(host="127.0.0.1", port=0, handler=handler, **options)
    await server.start()
    try:
        yield server.port
    finally:
        await server.close()


async def outcome_of(step: Step, play: Callable[[FakeCall], Awaitable[None]]) -> Any:
    """What ``step`` returns or raises while the call plays its part."""
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handler(channel: AgiChannel) -> None:
        try:
            outcome.set_result(await step(channel))
        except PbxError as error:
            outcome.set_result(error)

    async with served(handler) as port, fake_call(port) as call:
        await call.confirm_step()
        await play(call)
        return await asyncio.wait_for(outcome, SOON_S)


def replying(command: bytes, reply: bytes) -> Callable[[FakeCall], Awaitable[None]]:
    async def play(call: FakeCall) -> None:
        await call.expect(command, reply)

    return play


@pytest.mark.parametrize(
    ("step", "command", "reply", "outcome"),
    [
        (lambda c: c.answer(), b"ANSWER", b"200 result=0\n", None),
        (lambda c: c.answer(), b"ANSWER", b"100 result=0 Trying...\n200 result=0\n", None),
        (lambda c: c.stream_file("a/b", "12#"), b'STREAM FILE "a/b" "12#"', b"200 result=49 endpos=7\n",
         Played("1", 7)),
        (
            lambda c: c.stream_file("a", "1", offset=800),
            b'STREAM FILE "a" "1" "800"',
            b"200 result=0 endpos=1600\n",
            Played("", 1600),
        ),
        (lambda c: c.stream_file("a"), b'STREAM FILE "a" ""', b"200 result=0 endpos=352\n", Played("", 352)),
        (lambda c: c.stream_file("a", offset=8000), b'STREAM FILE "a" "" "8000"', b"200 result=0 endpos=9000\n",
         Played("", 9000)),
        (lambda c: c.wait_for_digit(0.2), b'WAIT FOR DIGIT "200"', b"200 result=35\n", "#"),
        (lambda c: c.wait_for_digit(-1), b'WAIT FOR DIGIT "0"', b"200 result=0\n", ""),
        (lambda c: c.set_variable("A", '"\\'), b'SET VARIABLE "A" "\\"\\\\"', b"200 result=1\n", None),
        (lambda c: c.get_variable("A"), b'GET FULL VARIABLE "${URIENCODE(${A})}"',
         b"200 result=1 (Zo%C3%AB%0A200%20result%3D1)\n", "Zoë\n200 result=1"),
        (lambda c: c.get_variable("A"), b'GET FULL VARIABLE "${URIENCODE(${A})}"', b"200 result=1 (%FF)\n",
         r"\xff"),
        (lambda c: c.set_context("x"), b'SET CONTEXT "x"', b"200 result=0\n", None),
        (lambda c: c.set_extension("x"), b'SET EXTENSION "x"', b"200 result=0\n", None),
        (lambda c: c.set_priority("1"), b'SET PRIORITY "1"', b"200 result=0\n", None),
    ],
)  # fmt: skip
async def test_a_command_is_sent_quoted_and_its_reply_understood(
    step: Step, command: bytes, reply: bytes, outcome: Any
) -> None:
    assert await outcome_of(step, replying(command, reply)) == outcome


@pytest.mark.parametrize(
    ("step", "reply", "error"),
    [
        (lambda c: c.answer(), b"200 result=-1\n", PbxUnavailableError),
        (lambda c: c.answer(), b"511 Command Not Permitted on a dead channel\n", PbxUnavailableError),
        (lambda c: c.answer(), b"HANGUP\n200 result=0\n", PbxUnavailableError),
        (lambda c: c.answer(), b"510 Invalid or unknown command\n", PbxRefusedError),
        (
            lambda c: c.answer(),
            b"520-Invalid\nANSWER\n200 result=0\n520 End of proper usage.\n",
            PbxRefusedError,
        ),
        (lambda c: c.answer(), b"520-Invalid\n" + b"usage\n" * 100, PbxProtocolError),
        (lambda c: c.answer(), b"100 Trying\n" * 100, PbxProtocolError),
        (lambda c: c.answer(), b"agi_arg_1: forged\n", PbxProtocolError),
        (lambda c: c.answer(), b"2" * (MAX_LINE_BYTES + 100), PbxProtocolError),
        (lambda c: c.wait_for_digit(1), b"200 result=-1\n", PbxUnavailableError),
        (lambda c: c.wait_for_digit(1), b"200 result=7\n", PbxProtocolError),
        (lambda c: c.wait_for_digit(1), b"200 result=1114112\n", PbxProtocolError),
        (lambda c: c.set_priority("x"), b"200 result=-1\n", PbxRefusedError),
    ],
)
async def test_what_cannot_be_done_is_an_error_that_says_which(
    step: Step, reply: bytes, error: type[PbxError]
) -> None:
    async def play(call: FakeCall) -> None:
        await call.command()
        call.send(reply)

    assert type(await outcome_of(step, play)) is error


@pytest.mark.parametrize(
    ("status", "error"),
    [(b"200 result=6\n", PbxRefusedError), (b"511 dead\n", PbxUnavailableError),
     (b"200 result=-1\n", PbxUnavailableError)],
)  # fmt: skip
async def test_a_sound_that_is_missing_is_told_from_a_hang_up(status: bytes, error: type[PbxError]) -> None:
    async def play(call: FakeCall) -> None:
        await call.expect(b'STREAM FILE "gone" ""', b"200 result=-1 endpos=0\n")
        await call.expect(b"CHANNEL STATUS", status)

    assert type(await outcome_of(lambda channel: channel.stream_file("gone"), play)) is error


async def test_after_a_hang_up_nothing_more_is_sent() -> None:
    async def step(channel: AgiChannel) -> None:
        with pytest.raises(PbxUnavailableError):
            await channel.answer()
        await channel.set_variable("A", "b")

    async def play(call: FakeCall) -> None:
        await call.command()
        call.send(b"HANGUP\n")
        assert await call.command() == b""

    assert isinstance(await outcome_of(step, play), PbxUnavailableError)


async def test_a_reply_that_comes_too_late_answers_no_later_command() -> None:
    async def step(channel: AgiChannel) -> Any:
        with pytest.raises(PbxUnavailableError, match="no answer"):
            await channel.stream_file("a", limit_s=0.02)
        return await channel.wait_for_digit(1)

    async def play(call: FakeCall) -> None:
        await call.command()
        assert await call.command() == b""

    assert isinstance(await outcome_of(step, play), PbxUnavailableError)


async def test_a_refused_argument_is_not_sent_and_the_session_goes_on() -> None:
    async def step(channel: AgiChannel) -> str:
        for name, value in (("A", "x\nEXEC System id"), ("A\n", "x"), ("${A}", "x"), ("A", "x" * 3000)):
            with pytest.raises(PbxProtocolError):
                await channel.set_variable(name, value)
        return await channel.wait_for_digit(1)

    assert await outcome_of(step, replying(b'WAIT FOR DIGIT "1000"', b"200 result=42\n")) == "*"


async def reached_by(block: bytes, *, then: bytes = b"", **options: Any) -> bool:
    """Whether a connection that begins so reaches the handler."""
    reached: list[AgiChannel] = []

    async def handler(channel: AgiChannel) -> None:
        reached.append(channel)

    async with served(handler, **options) as port, fake_call(port, block) as call:
        call.send(then)
        while await call.command():
            pass
    return bool(reached)


async def test_a_callers_name_can_forge_no_reply() -> None:
    forged = f"x{TAIL}\nagi_arg_1: forged\n\n200 result=1 (0123)\n200 result=0\n200 result=49 endpos=9\n"
    assert not await reached_by(header_block(agi_calleridname=forged))


@pytest.mark.parametrize("forged", ["", "\n200 result=0", "\n100 Trying", "\nHANGUP", "\n511 x", "\n520 x"])
async def test_no_line_before_the_nonce_comes_back_is_taken_for_a_reply(forged: str) -> None:
    name = f"x{TAIL}\n{forged}"
    assert not await reached_by(header_block(agi_calleridname=name))


@pytest.mark.parametrize(
    "block",
    [
        b"\n",
        b"agi_x: 1\n" * 1000,
        b"x" * (MAX_LINE_BYTES * 20),
        b"\xff\0" * 50 + b"\n\n",
        b"".join(b"agi_x%d: 1\n" % i for i in range(MAX_HEADERS + 1)),
        header_block(agi_calleridname="x" * MAX_LINE_BYTES),
    ],
)
async def test_a_peer_that_is_huge_or_broken_is_closed(block: bytes) -> None:
    assert not await reached_by(block)


async def test_a_peer_that_is_slow_is_closed_in_time() -> None:
    assert not await asyncio.wait_for(reached_by(b"agi_network: yes\n", headers_within_s=0.02), SOON_S)


async def test_a_broken_peer_does_not_disturb_another_call() -> None:
    answered = asyncio.Event()

    async def handler(channel: AgiChannel) -> None:
        await channel.answer()
        answered.set()

    async with (
        served(handler) as port,
        fake_call(port, b"agi_network: yes\n"),
        fake_call(port, b"\xff" * 100_000),
        fake_call(port) as good,
    ):
        await good.confirm_step()
        await good.expect(b"ANSWER", b"200 result=0\n")
        await asyncio.wait_for(answered.wait(), SOON_S)


async def test_a_session_that_ends_lets_the_dialplan_go_on_while_the_handler_still_works() -> None:
    gone = asyncio.Event()

    async def handler(channel: AgiChannel) -> None:
        channel.end()
        with pytest.raises(PbxUnavailableError):
            await channel.answer()
        await gone.wait()

    async with served(handler) as port, fake_call(port) as call:
        await call.confirm_step()
        assert await call.command() == b""
        gone.set()


@pytest.mark.parametrize("twice", [False, True])
async def test_a_session_broken_off_says_where_to_go_on_without_waiting_for_the_command_before(
    twice: bool,
) -> None:
    async def handler(channel: AgiChannel) -> None:
        playing = asyncio.create_task(channel.stream_file("a", "1"))
        await asyncio.sleep(0)
        playing.cancel()
        await asyncio.wait([playing])
        for _ in range(1 + twice):
            channel.leave_at("failed")

    async with served(handler) as port, fake_call(port) as call:
        await call.confirm_step()
        said = [await call.command() for _ in range(4)]
    assert said == [b'STREAM FILE "a" "1"', b'SET EXTENSION "failed"', b'SET PRIORITY "1"', b""]


async def test_a_handler_that_fails_costs_its_own_call_and_is_logged() -> None:
    async def handler(channel: AgiChannel) -> None:
        raise ZeroDivisionError

    with structlog.testing.capture_logs() as logs:
        async with served(handler) as port:
            for _ in range(2):
                async with fake_call(port) as call:
                    await call.confirm_step()
                    assert await call.command() == b""
    assert [log["event"] for log in logs] == ["agi_handler_failed"] * 2


async def test_more_calls_than_allowed_are_closed_at_once() -> None:
    entered = asyncio.Event()

    async def handler(channel: AgiChannel) -> None:
        entered.set()
        await asyncio.Event().wait()

    async with served(handler, max_sessions=1) as port, fake_call(port) as first:
        await first.confirm_step()
        await asyncio.wait_for(entered.wait(), SOON_S)
        async with fake_call(port) as second:
            assert await second.command() == b""


async def test_close_ends_the_sessions_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    entered = asyncio.Event()

    async def handler(channel: AgiChannel) -> None:
        entered.set()
        await channel.wait_for_digit(60)

    server = FastAgiServer(host="127.0.0.1", port=0, handler=handler)
    await server.start()
    async with fake_call(server.port) as call:
        await call.confirm_step()
        await asyncio.wait_for(entered.wait(), SOON_S)
        await server.close()
        await server.close()
        assert asyncio.all_tasks() == before
        await call.command()
        assert await call.command() == b""


async def test_an_address_in_use_is_the_products_error() -> None:
    async def handler(channel: AgiChannel) -> None: ...

    async with served(handler) as port:
        second = FastAgiServer(host="127.0.0.1", port=port, handler=handler)
        with pytest.raises(PbxUnavailableError, match="cannot listen"):
            await second.start()
