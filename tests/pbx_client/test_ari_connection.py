"""The ARI connection is kept up by itself: resynchronised before the first event, in order, and left for good
only when another client took the name."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
import structlog.testing

from asterisk_consent.errors import PbxUnavailableError
from asterisk_consent.pbx.ari import AriClient, AriEvent
from asterisk_consent.pbx.ari_wire import EVENT_TYPES
from asterisk_consent.pbx.backoff import Backoff
from tests.pbx_client.fake_ari import APP, FILTER, PASSWORD, USER, FakeAri, FakeSocket, fake_ari

AT_ONCE = Backoff(first_s=0.001, cap_s=0.001)
PATIENCE_S = 5.0


class Listener:
    """The handler: what it was told, in order."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.events: asyncio.Queue[AriEvent] = asyncio.Queue()
        self.ready = asyncio.Event()
        self.ready.set()
        self.faults: list[Exception] = []

    def take(self, event: AriEvent) -> None:
        self.told.put_nowait(event.digit or event.type)
        self.events.put_nowait(event)

    async def connected(self) -> None:
        self.told.put_nowait("connected")
        await self.ready.wait()
        if self.faults:
            raise self.faults.pop()

    def disconnected(self) -> None:
        self.told.put_nowait("disconnected")

    def replaced(self) -> None:
        self.told.put_nowait("replaced")

    async def hear(self, *expected: str) -> None:
        """Check what is told next."""
        async with asyncio.timeout(PATIENCE_S):
            assert [await self.told.get() for _ in expected] == list(expected)


class Connection:
    """A client that runs against a peer."""

    def __init__(self, client: AriClient, listener: Listener, peer: FakeAri) -> None:
        self.client = client
        self.listener = listener
        self.peer = peer
        self.running = asyncio.create_task(client.run(listener))

    async def socket(self) -> FakeSocket:
        """Return the peer's end of the next WebSocket."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.peer.sockets.get()


@asynccontextmanager
async def running(
    peer: FakeAri, *, password: str = PASSWORD, backoff: Backoff = AT_ONCE, ping_interval_s: float = 5.0
) -> AsyncIterator[Connection]:
    async with AriClient(
        url=peer.url,
        username=USER,
        password=password,
        app=APP,
        backoff=backoff,
        ping_interval_s=ping_interval_s,
    ) as client:
        connection = Connection(client, Listener(), peer)
        try:
            yield connection
        finally:
            connection.running.cancel()
            await asyncio.wait([connection.running])


def noting(asked: list[int], *, cap_s: float, enough: int, done: asyncio.Event) -> Backoff:
    """A back-off that does not wait, and notes after how many failures it was asked."""

    class Noting(Backoff):
        def delay_s(self, failures: int) -> float:
            asked.append(failures)
            if len(asked) >= enough:
                done.set()
            return 0.0

    return Noting(cap_s=cap_s)


async def until(told: Callable[[], bool]) -> None:
    """Let things go on until it is so."""
    for _ in range(5000):
        if told():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come to that")


async def test_the_event_filter_is_set_after_every_connect_and_before_anybody_is_told(
    ari_peer: FakeAri,
) -> None:
    async with running(ari_peer) as connection:
        for connects in (1, 2, 3):
            socket = await connection.socket()
            await connection.listener.hear("connected")
            assert ari_peer.story == ["GET /events", FILTER] * connects
            socket.drop()
            await connection.listener.hear("disconnected")
    allowed = {each["type"] for each in msgspec.json.decode(ari_peer.filters[-1])["allowed"]}
    assert allowed == set(EVENT_TYPES)
    assert "ApplicationReplaced" in allowed


async def test_the_connection_is_asked_for_by_name_and_for_its_own_calls_only(ari_peer: FakeAri) -> None:
    async with running(ari_peer) as connection:
        await connection.socket()
        query = dict((await ari_peer.requests.get()).query)
    assert query == {"app": APP, "subscribeAll": "false"}


async def test_a_filter_that_is_refused_ends_the_connection_before_anybody_is_told(
    ari_peer: FakeAri,
) -> None:
    ari_peer.answers[FILTER] = (500, b"")
    async with running(ari_peer) as connection:
        await (await connection.socket()).gone.wait()
        assert connection.listener.told.empty()
        assert not connection.client.connected
        del ari_peer.answers[FILTER]
        await connection.listener.hear("connected")


async def test_events_wait_until_the_handler_is_ready(ari_peer: FakeAri) -> None:
    async with running(ari_peer) as connection:
        connection.listener.ready.clear()
        socket = await connection.socket()
        await socket.send(type="StasisStart")
        await connection.listener.hear("connected")
        await connection.client.set_global("A", "1")
        assert connection.listener.told.empty()
        connection.listener.ready.set()
        await connection.listener.hear("StasisStart")


async def test_a_handler_that_cannot_resynchronise_ends_that_connection_and_gets_another(
    ari_peer: FakeAri,
) -> None:
    async with running(ari_peer) as connection:
        connection.listener.faults.append(PbxUnavailableError("no answer"))
        socket = await connection.socket()
        await connection.listener.hear("connected", "disconnected")
        await socket.gone.wait()
        await connection.listener.hear("connected")
        assert connection.client.connected


async def test_no_event_of_a_burst_is_lost_or_overtakes_another(ari_peer: FakeAri) -> None:
    async with running(ari_peer) as connection:
        socket = await connection.socket()
        for number in range(3000):
            await socket.send(type="ChannelDtmfReceived", digit=str(number), padding="x" * 300)
        await connection.listener.hear("connected", *(str(number) for number in range(3000)))


async def test_an_event_keeps_what_asterisk_says_of_its_channel_and_playback(ari_peer: FakeAri) -> None:
    async with running(ari_peer) as connection:
        socket = await connection.socket()
        await socket.send(
            type="StasisStart",
            timestamp="2026-11-23T01:00:00.250+0100",
            application=APP,
            args=["ask", "p1-nl"],
            channel={
                "id": "1795395166.3",
                "name": "PJSIP/anna-1",
                "caller": {"name": "Zoë", "number": "+442079460123"},
                "dialplan": {"context": "c", "exten": "s", "priority": 3, "app_name": "Stasis"},
                "creationtime": "whatever",
            },
        )
        await socket.send(
            type="PlaybackFinished",
            playback={"id": "p", "target_uri": "channel:1795395166.3", "state": "done"},
        )
        start, finished = await connection.listener.events.get(), await connection.listener.events.get()
    assert start.channel is not None
    assert (start.channel.id, start.args) == ("1795395166.3", ["ask", "p1-nl"])
    assert (start.channel.caller.name, start.channel.dialplan.app_name) == ("Zoë", "Stasis")
    assert start.at_s == pytest.approx(1795392000.25)
    assert finished.playback is not None
    assert (finished.playback.channel_id, finished.playback.state) == ("1795395166.3", "done")


async def test_a_peer_that_answers_no_ping_is_left_for_a_new_connection(ari_peer: FakeAri) -> None:
    ari_peer.answers_pings = False
    async with running(ari_peer, ping_interval_s=0.05) as connection:
        await connection.socket()
        await connection.listener.hear("connected", "disconnected")
        ari_peer.answers_pings = True
        await connection.listener.hear("connected")


async def test_a_peer_that_is_silent_but_answers_pings_is_kept(ari_peer: FakeAri) -> None:
    async with running(ari_peer, ping_interval_s=0.4) as connection:
        socket = await connection.socket()
        await connection.listener.hear("connected")
        async with asyncio.timeout(PATIENCE_S):
            await socket.pings.get()
            await socket.pings.get()
        assert connection.listener.told.empty()
        assert connection.client.connected


async def test_a_ping_of_the_peer_is_answered(ari_peer: FakeAri) -> None:
    async with running(ari_peer) as connection:
        socket = await connection.socket()
        await socket.ping(b"are you there")
        async with asyncio.timeout(PATIENCE_S):
            assert await socket.pongs.get() == b"are you there"


async def test_a_client_that_was_replaced_says_so_once_and_does_not_come_back(ari_peer: FakeAri) -> None:
    async with running(ari_peer) as connection:
        socket = await connection.socket()
        await socket.send(type="ApplicationReplaced", application=APP)
        await socket.send(type="StasisStart")
        await connection.listener.hear("connected", "disconnected", "replaced")
        async with asyncio.timeout(PATIENCE_S):
            await connection.running
            await socket.gone.wait()
        assert connection.listener.told.empty()
    assert ari_peer.story == ["GET /events", FILTER]


async def test_the_wait_grows_while_connections_do_not_last(ari_peer: FakeAri) -> None:
    asked: list[int] = []
    done = asyncio.Event()
    backoff = noting(asked, cap_s=5.0, enough=4, done=done)
    async with running(ari_peer, backoff=backoff) as connection:
        while not done.is_set():
            (await connection.socket()).drop()
            await until(lambda: done.is_set() or not ari_peer.sockets.empty())
    assert asked[:4] == [1, 2, 3, 4]


async def test_the_wait_begins_anew_after_a_connection_that_lasted(ari_peer: FakeAri) -> None:
    asked: list[int] = []
    done = asyncio.Event()
    backoff = noting(asked, cap_s=0.0, enough=3, done=done)
    async with running(ari_peer, backoff=backoff) as connection:
        for _ in range(3):
            socket = await connection.socket()
            await connection.listener.hear("connected")
            socket.drop()
            await connection.listener.hear("disconnected")
        await done.wait()
    assert asked[:3] == [1, 1, 1]


async def test_a_wrong_password_is_reported_once_however_often_it_is_tried(ari_peer: FakeAri) -> None:
    asked: list[int] = []
    done = asyncio.Event()
    with structlog.testing.capture_logs() as logs:
        async with running(ari_peer, password="wrong", backoff=noting(asked, cap_s=5.0, enough=5, done=done)):
            await done.wait()
    (line,) = logs
    assert line["log_level"] == "warning"
    for said in ("password", "401", ari_peer.url, "ari_user", "ari.conf"):
        assert said in line["error"]
    assert PASSWORD not in str(logs)


async def test_another_reason_is_reported_again_and_so_is_the_return(ari_peer: FakeAri) -> None:
    ari_peer.answers["GET /events"] = (503, b"")
    with structlog.testing.capture_logs() as logs:
        async with running(ari_peer) as connection:
            await until(lambda: len(ari_peer.story) >= 3)
            ari_peer.answers["GET /events"] = (404, b"")
            tried = len(ari_peer.story)
            await until(lambda: len(ari_peer.story) >= tried + 3)
            del ari_peer.answers["GET /events"]
            await connection.listener.hear("connected")
            await until(lambda: logs[-1]["event"] == "ari.connected")
    assert [line["event"] for line in logs] == ["ari.unavailable", "ari.unavailable", "ari.connected"]
    assert ["503" in logs[0]["error"], "404" in logs[1]["error"]] == [True, True]


async def test_a_peer_that_closes_is_reported(ari_peer: FakeAri) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(ari_peer) as connection:
            socket = await connection.socket()
            await connection.listener.hear("connected")
            await socket.close()
            await connection.listener.hear("disconnected", "connected")
    assert [line["event"] for line in logs][:2] == ["ari.connected", "ari.unavailable"]
    assert "ended" in logs[1]["error"]


async def test_an_asterisk_that_comes_up_later_is_found() -> None:
    async with fake_ari() as gone:
        url = gone.url
    listener = Listener()
    async with AriClient(url=url, username=USER, password=PASSWORD, app=APP, backoff=AT_ONCE) as client:
        task = asyncio.create_task(client.run(listener))
        await asyncio.sleep(0)
        async with fake_ari(int(url.split(":")[2].partition("/")[0])) as peer:
            await listener.hear("connected")
            assert peer.story[:2] == ["GET /events", FILTER]
            task.cancel()
            await asyncio.wait([task])


async def test_closing_leaves_no_task_and_no_connection(ari_peer: FakeAri) -> None:
    before = asyncio.all_tasks()
    async with running(ari_peer) as connection:
        socket = await connection.socket()
        await connection.listener.hear("connected")
        await connection.client.set_global("A", "1")
        connections = set(ari_peer.connections)
    async with asyncio.timeout(PATIENCE_S):
        await socket.gone.wait()
    await until(lambda: all(each is None or each.is_closing() for each in connections))
    await until(lambda: asyncio.all_tasks() <= before)
    assert connection.listener.told.get_nowait() == "disconnected"
    assert not connection.client.connected


async def test_a_run_without_an_open_client_keeps_trying_and_says_why() -> None:
    asked: list[int] = []
    done = asyncio.Event()
    client = AriClient(
        url="http://127.0.0.1:1/ari",
        username=USER,
        password=PASSWORD,
        app=APP,
        backoff=noting(asked, cap_s=5.0, enough=2, done=done),
    )
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(client.run(Listener()))
        await done.wait()
        task.cancel()
        await asyncio.wait([task])
    assert ["not open" in line["error"] for line in logs] == [True]
