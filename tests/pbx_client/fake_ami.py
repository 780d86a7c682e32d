"""A manager interface under the test's control, on a loopback port of its own choice.

It greets, answers ``Login`` and ``Ping`` as Asterisk 22 does, and leaves every other action to the test.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Action = dict[str, str]


class FakeSession:
    """One connection of a client."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.gone = asyncio.Event()

    def send(self, *lines: str) -> None:
        """Write one message."""
        self.send_bytes("\r\n".join((*lines, "", "")).encode())

    def send_bytes(self, data: bytes) -> None:
        """Write anything."""
        self._writer.write(data)

    def answer(self, action: Action, response: str = "Success", *more: str) -> None:
        """Answer ``action``."""
        self.send(f"Response: {response}", f"ActionID: {action['ActionID']}", *more)

    def drop(self) -> None:
        """Close the connection."""
        self._writer.close()


class FakeAmi:
    """The peer: what it received, and switches for how it misbehaves."""

    def __init__(self) -> None:
        self.port = 0
        self.greeting = b"Asterisk Call Manager/11.0.0\r\n"
        self.login_answer: tuple[str, ...] | None = ("Success", "Message: Authentication accepted")
        self.answers_pings = True
        self.logins: list[Action] = []
        self.pings: asyncio.Queue[Action] = asyncio.Queue()
        self.actions: asyncio.Queue[tuple[FakeSession, Action]] = asyncio.Queue()
        self.sessions: asyncio.Queue[FakeSession] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        session = FakeSession(writer)
        session.send_bytes(self.greeting)
        self.sessions.put_nowait(session)
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode().strip()
                fields = dict(line.split(": ", 1) for line in text.split("\r\n") if ": " in line)
                self._take(session, fields)
        except (asyncio.IncompleteReadError, ConnectionError):
            session.gone.set()
        finally:
            writer.close()

    def _take(self, session: FakeSession, action: Action) -> None:
        match action.get("Action"):
            case "Login":
                self.logins.append(action)
                if self.login_answer is not None:
                    session.answer(action, *self.login_answer)
                    session.send("Event: FullyBooted", "Status: Fully Booted")
            case "Ping":
                self.pings.put_nowait(action)
                if self.answers_pings:
                    session.answer(action, "Success", "Ping: Pong")
            case _:
                self.actions.put_nowait((session, action))


@asynccontextmanager
async def fake_ami() -> AsyncIterator[FakeAmi]:
    """Run a peer for the length of the block."""
    peer = FakeAmi()
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(peer.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
