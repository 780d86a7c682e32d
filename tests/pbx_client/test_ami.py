"""The AMI client against a peer under the test's control."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog.testing

from asterisk_consent.errors import PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.ami import AmiClient, AmiEvent
from asterisk_consent.pbx.backoff import Backoff
from tests.pbx_client.fake_ami import FakeAmi, FakeSession

AT_ONCE = Backoff(first_s=0.0, cap_s=0.0)
SOON_S = 5.0


class Watcher:
    """Receives what the client reports."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[AmiEvent] = asyncio.Queue()
        self.states: asyncio.Queue[bool] = asyncio.Queue()

    async def state(self) -> bool:
        return await asyncio.wait_for(self.states.get(), SOON_S)

    async def event(self, name: str) -> AmiEvent:
        while True:
            event = await asyncio.wait_for(self.events.get(), SOON_S)
            if event.name == name:
                return event


@asynccontextmanager
async def client_of(peer: FakeAmi, watcher: Watcher, **options: Any) -> AsyncIterator[AmiClient]:
    settings = {"host": "127.0.0.1", "port": peer.port, "username": "consent", "secret": "s3cret",
                "on_event": watcher.events.put_nowait, "on_state": watcher.states.put_nowait,
                "backoff": AT_ONCE, **options}  # fmt: skip
    client = AmiClient(**settings)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def logged_in(peer: FakeAmi, **options: Any) -> AsyncIterator[tuple[AmiClient, Watcher, FakeSession]]:
    watcher = Watcher()
    async with client_of(peer, watcher, **options) as client:
        assert await watcher.state()
        yield client, watcher, await peer.sessions.get()


async def next_action(peer: FakeAmi) -> tuple[FakeSession, dict[str, str]]:
    return await asyncio.wait_for(peer.actions.get(), SOON_S)


async def test_logs_in_and_says_so(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, _, _):
        assert client.connected
        (login,) = ami_peer.logins
        assert (login["Username"], login["Secret"], login["Events"]) == ("consent", "s3cret", "on")


async def test_start_returns_at_once_when_asterisk_is_away() -> None:
    waits: asyncio.Queue[float] = asyncio.Queue()

    async def sleep(delay_s: float) -> None:
        waits.put_nowait(delay_s)
        await asyncio.sleep(0)

    peer = FakeAmi()  # never started: its port 0 refuses
    async with client_of(peer, Watcher(), sleep=sleep, backoff=Backoff(first_s=1, cap_s=5)) as client:
        assert not client.connected
        with pytest.raises(PbxUnavailableError):
            await client.action("Ping")
        assert [await asyncio.wait_for(waits.get(), SOON_S) for _ in range(5)] == [1, 2, 4, 5, 5]


async def test_an_action_gets_its_own_answer_whatever_the_order(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, _, _):
        one = asyncio.create_task(client.action("Getvar", Variable="ONE"))
        two = asyncio.create_task(client.action("Getvar", Variable="TWO"))
        session, asked_one = await next_action(ami_peer)
        _, asked_two = await next_action(ami_peer)
        session.answer(asked_two, "Success", "Value: 2")
        session.answer(asked_one, "Success", "Value: 1")
        assert ((await one).get("Value"), (await two).get("Value")) == ("1", "2")


async def test_a_list_comes_whole_and_is_not_mistaken_for_events(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, watcher, _):
        asking = asyncio.create_task(client.action("Status"))
        session, asked = await next_action(ami_peer)
        session.answer(asked, "Success", "EventList: start")
        for name in ("a", "b"):
            session.send("Event: Status", f"ActionID: {asked['ActionID']}", f"Channel: PJSIP/{name}")
        session.send("Event: StatusComplete", f"ActionID: {asked['ActionID']}", "EventList: Complete")
        reply = await asking
        assert [item.get("Channel") for item in reply.items] == ["PJSIP/a", "PJSIP/b"]
        session.send("Event: Last")
        assert await watcher.event("Last")
        assert watcher.events.empty()


async def test_a_refusal_is_an_error_with_asterisks_words(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, _, _):
        asking = asyncio.create_task(client.stop_mixmonitor("PJSIP/a-1", "0x7f"))
        session, asked = await next_action(ami_peer)
        assert (asked["Action"], asked["Channel"], asked["MixMonitorID"]) == (
            "StopMixMonitor", "PJSIP/a-1", "0x7f")  # fmt: skip
        session.answer(asked, "Error", "Message: No such channel")
        with pytest.raises(PbxRefusedError, match="StopMixMonitor was refused: No such channel"):
            await asking
        assert client.connected


async def test_without_an_id_the_newest_recording_is_stopped(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, _, _):
        asking = asyncio.create_task(client.stop_mixmonitor("PJSIP/a-1"))
        session, asked = await next_action(ami_peer)
        assert "MixMonitorID" not in asked
        session.answer(asked)
        await asking


async def test_a_late_answer_is_given_to_nobody(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer, request_timeout_s=0.05) as (client, watcher, _):
        with pytest.raises(PbxUnavailableError):
            await client.action("Slow")
        session, asked = await next_action(ami_peer)
        session.answer(asked, "Success", "Value: late")
        session.send("Event: After")
        await watcher.event("After")
        assert client.connected


async def test_an_answer_that_came_while_the_process_was_stopped_still_counts(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer, request_timeout_s=0.5) as (client, _, _):
        asking = asyncio.create_task(client.action("Getvar"))
        session, asked = await next_action(ami_peer)
        session.answer(asked, "Success", "Value: 1")
        time.sleep(0.55)  # noqa: ASYNC251  # holds the loop past the time limit, as SIGSTOP would
        assert (await asking).get("Value") == "1"


async def test_a_cancelled_action_leaves_nothing_behind(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, _, _):
        asking = asyncio.create_task(client.action("Slow"))
        await next_action(ami_peer)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert client._link is not None
        assert not client._link.protocol.responses


async def test_reconnects_and_reports_both_the_loss_and_the_return(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, watcher, session):
        session.drop()
        assert [await watcher.state(), await watcher.state()] == [False, True]
        assert client.connected
        assert len(ami_peer.logins) == 2


async def test_events_read_before_the_loss_are_all_handed_on_first(ami_peer: FakeAmi) -> None:
    seen: list[str] = []
    done: asyncio.Queue[bool] = asyncio.Queue()

    def on_state(connected: bool) -> None:
        seen.append(str(connected))
        done.put_nowait(connected)

    async with client_of(
        ami_peer, Watcher(), on_event=lambda event: seen.append(event.name), on_state=on_state
    ):
        await done.get()
        session = await ami_peer.sessions.get()
        for number in range(2000):
            session.send(f"Event: E{number}")
        session.drop()
        while await asyncio.wait_for(done.get(), SOON_S):
            pass
    from_first = seen[seen.index("E0") :]
    assert from_first[:2001] == [*(f"E{number}" for number in range(2000)), "False"]


async def test_a_receiver_that_fails_costs_one_event_and_is_logged(ami_peer: FakeAmi) -> None:
    watcher = Watcher()

    def on_event(event: AmiEvent) -> None:
        if event.name == "Bad":
            raise ZeroDivisionError
        watcher.events.put_nowait(event)

    with structlog.testing.capture_logs() as logs:
        async with client_of(ami_peer, watcher, on_event=on_event) as client:
            await watcher.state()
            session = await ami_peer.sessions.get()
            session.send("Event: Bad")
            session.send("Event: Good")
            assert await watcher.event("Good")
            assert client.connected
    assert [log["event_name"] for log in logs if log["event"] == "ami_event_handler_failed"] == ["Bad"]


async def test_a_refused_login_is_reported_once_and_tried_again(ami_peer: FakeAmi) -> None:
    ami_peer.login_answer = ("Error", "Message: Authentication failed")
    watcher = Watcher()
    with structlog.testing.capture_logs() as logs:
        async with client_of(ami_peer, watcher) as client:
            for _ in range(4):
                await asyncio.wait_for(ami_peer.sessions.get(), SOON_S)
            assert not client.connected
            assert watcher.states.empty()
            ami_peer.login_answer = ("Success",)
            assert await watcher.state()
    problems = [log["problem"] for log in logs if log["event"] == "ami_away"]
    assert len(problems) == 1
    assert "does not accept the AMI user or secret" in problems[0]
    assert "s3cret" not in str(logs)


@pytest.mark.parametrize("garbage", [b"\xff" * 70_000, b"no: event\r\n\r\n", b"\r\n:\r\n\r\n"])
async def test_garbage_drops_the_connection_and_only_that(ami_peer: FakeAmi, garbage: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        async with logged_in(ami_peer) as (client, watcher, session):
            asking = asyncio.create_task(client.action("Getvar"))
            await next_action(ami_peer)
            session.send_bytes(garbage)
            with pytest.raises(PbxUnavailableError):
                await asking
            assert [await watcher.state(), await watcher.state()] == [False, True]
            assert client.connected
    assert [log["log_level"] for log in logs if log["event"] == "ami_away"] == ["error"]


async def test_a_peer_that_is_no_manager_is_left_alone(ami_peer: FakeAmi) -> None:
    ami_peer.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with structlog.testing.capture_logs() as logs:
        async with client_of(ami_peer, Watcher()) as client:
            await asyncio.wait_for(ami_peer.sessions.get(), SOON_S)
            await asyncio.wait_for(ami_peer.sessions.get(), SOON_S)
            assert not client.connected
    assert any("does not greet" in log.get("problem", "") for log in logs)


async def test_close_ends_what_waits_and_leaves_no_task(ami_peer: FakeAmi) -> None:
    before = asyncio.all_tasks()
    async with logged_in(ami_peer) as (client, watcher, session):
        asking = asyncio.create_task(client.action("Slow"))
        await next_action(ami_peer)
        await client.close()
        await client.close()
        with pytest.raises(PbxUnavailableError):
            await asking
        assert not client.connected
        assert not await watcher.state()
        await asyncio.wait_for(session.gone.wait(), SOON_S)
    ours = [task for task in asyncio.all_tasks() - before if "serve" not in repr(task.get_coro())]
    assert ours == []


async def test_a_secret_that_would_break_out_is_refused_before_anything_is_sent() -> None:
    on_event: Callable[[AmiEvent], None] = lambda event: None  # noqa: E731
    with pytest.raises(PbxProtocolError):
        AmiClient(host="127.0.0.1", port=1, username="a", secret="b\r\nEvents: off", on_event=on_event)


async def test_a_list_without_end_drops_the_connection(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, watcher, session):
        asking = asyncio.create_task(client.action("Status"))
        _, asked = await next_action(ami_peer)
        session.answer(asked, "Success", "EventList: start")
        item = f"Event: Status\r\nActionID: {asked['ActionID']}\r\n\r\n".encode()
        session.send_bytes(item * 10_001)
        with pytest.raises(PbxUnavailableError):
            await asking
        assert not await watcher.state()


async def test_a_login_can_be_tried_beside_whoever_else_is_there(ami_peer: FakeAmi) -> None:
    async with logged_in(ami_peer) as (client, _, _):
        await client.try_login()
        assert (await asyncio.wait_for(ami_peer.sessions.get(), SOON_S)).gone is not None
        assert len(ami_peer.logins) == 2
        assert client.connected


async def test_a_login_that_is_refused_or_finds_nobody_says_which(ami_peer: FakeAmi) -> None:
    ami_peer.login_answer = ("Error", "Message: Authentication failed")
    client = AmiClient(
        host="127.0.0.1", port=ami_peer.port, username="consent", secret="wrong", on_event=lambda _: None
    )
    with pytest.raises(PbxRefusedError, match="does not accept"):
        await client.try_login()
    client = AmiClient(host="127.0.0.1", port=1, username="consent", secret="x", on_event=lambda _: None)
    with pytest.raises(PbxUnavailableError, match="cannot connect"):
        await client.try_login()
