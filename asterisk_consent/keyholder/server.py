"""Answers on the key holder's socket: one request a connection, the keys of one call at most.

Rule: the first byte of an answer that holds a key is written after the entry of the access is on disk; a slow, huge or
broken peer costs its own connection only; no key and no reason is in the log, and every refusal is.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from asterisk_consent.errors import BrowsingError, ConsentError, RequestRefusedError
from asterisk_consent.keyholder.pace import Pace
from asterisk_consent.keyholder.peer import Peer, peer_of
from asterisk_consent.keyholder.wire import (
    MAX_REQUEST_BYTES,
    Refused,
    Released,
    Request,
    encode,
    read_request,
    refused,
)
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.read import find_call
from asterisk_consent.rights.access import Places, Wanted, release
from asterisk_consent.vault.identities import identity_path, load_identities

WITHIN_S = 5.0
"""For a peer to send its request, and again to take the answer."""
AT_ONCE = 16
"""Connections that are being answered."""
AT_ONCE_OF_ONE = 4
_ALREADY_SENT_S = 0.2
_ASK_FOR_IT = "Ask an administrator to put you into it"

log = structlog.get_logger("asterisk_consent.keyholder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the key holder can read: where the calls' keys are, and what opens them."""

    places: Places
    identities: Path
    """Read anew for every request, so that taking a file away has effect at once."""


class KeyHolder:
    """The server; made with what it holds and whom it answers, ended with :meth:`close`.

    :param group: members of this Unix group are answered.
    :param monotonic_s: a clock that only goes forward.
    """

    def __init__(
        self,
        holdings: Holdings,
        *,
        group: int,
        per_minute: int,
        within_s: float = WITHIN_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holdings = holdings
        self._group = group
        self._within_s = within_s
        self._monotonic_s = monotonic_s
        self._pace = Pace(per_minute=per_minute, at_once=AT_ONCE_OF_ONE)
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self, listening: socket.socket) -> None:
        """Answer on this socket."""
        self._server = await asyncio.start_unix_server(self._accept, sock=listening, limit=MAX_REQUEST_BYTES)

    async def close(self) -> None:
        """Stop listening, and let go of every peer."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._answering) >= AT_ONCE:
            log.warning("keyholder.refused", why=f"more than {AT_ONCE} connections at once")
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer), name="keyholder-answer")
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = peer_of(writer.get_extra_info("socket"))
            writer.write(encode(await self._answer(peer, reader)))
            async with asyncio.timeout(self._within_s):
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            log.info("keyholder.peer_gone")
        except Exception:
            log.exception("keyholder.failed")
        finally:
            writer.transport.abort()

    async def _answer(self, peer: Peer, reader: asyncio.StreamReader) -> Released | Refused:
        wanted = None
        try:
            async with self._counted(peer, reader):
                wanted = _wanted(read_request(await self._line(reader)), peer)
                if not wanted.reason.strip():
                    raise BrowsingError("no reason given", remedy="Say why with --reason TEXT")
                keys = await asyncio.to_thread(self._release, wanted)
        except ConsentError as error:
            event = "keyholder.browsing" if isinstance(error, BrowsingError) else "keyholder.refused"
            log.warning(event, why=error.what, **_described(peer, wanted))
            return refused(error)
        log.info("keyholder.released", **_described(peer, wanted))
        return Released(keys)

    @contextlib.asynccontextmanager
    async def _counted(self, peer: Peer, reader: asyncio.StreamReader) -> AsyncIterator[None]:
        try:
            if not peer.may_ask(self._group):
                raise RequestRefusedError("you are not in the group that may ask", remedy=_ASK_FOR_IT)
            self._pace.begin(peer.uid, self._monotonic_s())
        except RequestRefusedError:
            # Closing with something unread would reset the connection, and the peer not be told.
            with contextlib.suppress(TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
                async with asyncio.timeout(_ALREADY_SENT_S):
                    await reader.readuntil(b"\n")
            raise
        try:
            yield
        finally:
            self._pace.end(peer.uid)

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._within_s):
                return await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise RequestRefusedError(f"a request is longer than {MAX_REQUEST_BYTES} bytes") from None
        except asyncio.IncompleteReadError:
            raise RequestRefusedError("a request is one line, and this one has no end") from None
        except TimeoutError:
            raise RequestRefusedError(f"no request within {self._within_s:g} s") from None

    def _release(self, wanted: Wanted) -> tuple[str, ...]:
        places, directory = self._holdings.places, self._holdings.identities
        call = find_call(places.ledger, wanted.call_id)
        identities = () if call is None else load_identities(identity_path(call.controller, directory))
        return tuple(key.secret for key in release(wanted, places=places, identities=identities))


def _wanted(request: Request, peer: Peer) -> Wanted:
    return Wanted(
        call_id=request.call_id,
        kind=Kind(request.kind),
        person=peer.person(request.on_behalf_of),
        reason=request.reason,
        purpose=request.purpose,
        recipient=request.recipient,
    )


def _described(peer: Peer, wanted: Wanted | None) -> dict[str, str | int]:
    """Return what the log says: who, which call, what; never the reason, which may name somebody."""
    if wanted is None:
        return {"person": peer.login, "uid": peer.uid}
    return {"person": wanted.person, "uid": peer.uid, "call_id": wanted.call_id, "kind": wanted.kind.value}
