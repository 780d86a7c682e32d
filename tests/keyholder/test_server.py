"""The key holder: the keys of one call, after the entry of who reads it and why; and nothing else, to nobody else."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from asterisk_consent.errors import (
    ConsentError,
    KeysError,
    RequestRefusedError,
)
from asterisk_consent.keyholder.client import ask
from asterisk_consent.keyholder.listening import listen
from asterisk_consent.keyholder.server import AT_ONCE, AT_ONCE_OF_ONE
from asterisk_consent.keyholder.wire import MAX_REQUEST_BYTES, Refused, Released, read_answer
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.opening import open_call
from asterisk_consent.ledger.payload import Access, Decision, Export
from asterisk_consent.model import RecordingId
from asterisk_consent.rights.access import Wanted, opener_of
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import identity_path
from asterisk_consent.vault.kept import open_kept
from asterisk_consent.vault.proof_keys import destroy_proof_keys
from tests.keyholder.conftest import NOBODY, key_holder
from tests.keyholder.place import REASON, RECORDED, RESTRICTED, UNKNOWN, Place, request_line
from tests.ledger.entries import CALLER, CONTROLLER
from tests.vault.keyring import Keyring
from tests.vault.tones import RATE

PROOF = Wanted(call_id=RECORDED, kind=Kind.PROOF_OPENED, person="somebody else", reason=REASON)
EXPORT = replace(PROOF, kind=Kind.RECORDING_EXPORTED, recipient="the caller's lawyer")


async def asked(socket: Path, wanted: Wanted, on_behalf_of: str = "") -> tuple[Identity, ...]:
    return await asyncio.to_thread(ask, socket, wanted, on_behalf_of=on_behalf_of)


@asynccontextmanager
async def connected(socket: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def answered(socket: Path, sent: bytes) -> Released | Refused:
    """Send bytes, and nothing after them."""
    async with connected(socket) as (reader, writer):
        writer.write(sent)
        writer.write_eof()
        return read_answer(await reader.read())


async def test_the_keys_of_a_calls_proof_open_everything_entered_about_it(place: Place, socket: Path) -> None:
    keys = await asked(socket, PROOF)
    opened = [entry.payload for entry in open_call(place.ledger, RECORDED, opener_of(keys))]
    assert isinstance(opened[0], Decision)
    assert opened[0].caller == CALLER
    assert isinstance(opened[-1], Access)


async def test_the_key_of_a_calls_audio_opens_its_recording_and_who_gets_it_is_entered(
    place: Place, socket: Path
) -> None:
    (key,) = await asked(socket, EXPORT)
    with open_kept(RecordingId(RECORDED), place.vault, key) as audio:
        assert audio.rate == RATE
    (entered,) = place.accesses()
    assert isinstance(entered, Export)
    assert (entered.recipient, entered.reason) == ("the caller's lawyer", REASON)


async def test_the_keys_of_one_call_open_no_other(place: Place, socket: Path) -> None:
    keys = await asked(socket, PROOF)
    assert Keyring(place.keys).here not in keys
    with pytest.raises(KeysError):
        open_call(place.ledger, RESTRICTED, opener_of(keys))


async def test_the_access_is_entered_before_the_first_byte_of_the_answer(place: Place, socket: Path) -> None:
    async with connected(socket) as (reader, writer):
        writer.write(request_line())
        first = await reader.readexactly(1)
        entered = place.reads()
        answer = read_answer(first + await reader.read())
    assert entered == [Kind.PROOF_OPENED]
    assert isinstance(answer, Released)


async def test_no_key_leaves_when_the_access_cannot_be_entered(place: Place, socket: Path) -> None:
    with closing(sqlite3.connect(place.ledger, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        answer = await answered(socket, request_line())
    assert isinstance(answer, Refused)
    assert answer.error == "ledger_unavailable"
    assert place.reads() == []


async def test_who_is_entered_is_who_the_kernel_says_whatever_is_sent(place: Place, socket: Path) -> None:
    await asked(socket, PROOF)
    await asked(socket, PROOF, on_behalf_of="anna")
    assert [entered.person for entered in place.accesses()] == ["root", "root for anna"]
    assert isinstance(await answered(socket, request_line(person="anna")), Refused)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (replace(PROOF, reason=""), "no reason given"),
        (replace(PROOF, reason=" \t\n"), "no reason given"),
        (replace(EXPORT, recipient=" "), "no recipient given"),
        (replace(PROOF, call_id=UNKNOWN), "no such call"),
        (replace(PROOF, call_id=RESTRICTED), "restricted"),
        (replace(PROOF, call_id="../../etc/passwd"), "cannot be asked"),
        (replace(PROOF, reason="x" * 5000), "cannot be asked"),
    ],
)
async def test_what_may_not_be_read_is_refused_and_nothing_entered(
    place: Place, socket: Path, wanted: Wanted, why: str
) -> None:
    with pytest.raises(RequestRefusedError, match=why):
        await asked(socket, wanted)
    assert place.reads() == []


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\n",
        b"{}\n",
        request_line()[:-1],
        request_line(version=2),
        request_line(surprise=1),
        request_line(kind="recording.erased"),
        request_line(call_id=RECORDED + "\n"),
        request_line(call_id="A" * 32),
        request_line(reason="x" * MAX_REQUEST_BYTES),
        b"x" * (MAX_REQUEST_BYTES + 2),
    ],
)
async def test_what_is_no_request_is_answered_with_the_products_error(
    place: Place, socket: Path, sent: bytes
) -> None:
    assert isinstance(await answered(socket, sent), Refused)
    assert place.reads() == []


async def test_an_identity_that_is_taken_away_opens_nothing_from_the_next_request_on(
    place: Place, socket: Path
) -> None:
    await asked(socket, PROOF)
    identity_path(CONTROLLER, place.identities).unlink()
    with pytest.raises(KeysError, match="cannot be read"):
        await asked(socket, PROOF)
    assert len(place.reads()) == 1


async def test_a_destroyed_key_is_told_as_the_command_line_tells_it(place: Place, socket: Path) -> None:
    destroy_proof_keys([RECORDED], place.keys)
    keys = await asked(socket, PROOF)  # of the access that was entered just now
    with pytest.raises(KeysError):
        open_call(place.ledger, RECORDED, opener_of(keys))


async def test_every_refusal_is_logged_with_who_which_call_and_why(place: Place, socket: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        for wanted in (replace(PROOF, call_id=RESTRICTED), replace(PROOF, reason="")):
            with pytest.raises(ConsentError) as refused:
                await asked(socket, wanted)
            assert refused.value.what == logs[-1]["why"]
        await asked(socket, PROOF)
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("keyholder.refused", "warning"),
        ("keyholder.browsing", "warning"),
        ("keyholder.released", "info"),
    ]
    assert {log["person"] for log in logs} == {"root"}
    assert [log["call_id"] for log in logs] == [RESTRICTED, RECORDED, RECORDED]


async def test_no_key_and_no_reason_is_logged(place: Place, socket: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        keys = await asked(socket, PROOF)
        with pytest.raises(RequestRefusedError):
            await asked(socket, replace(PROOF, call_id=UNKNOWN))
    assert len(logs) == 2
    assert not [key for key in keys if key.secret in str(logs)]
    assert REASON not in str(logs)


async def test_who_asks_more_often_than_work_explains_is_refused_and_shown(place: Place) -> None:
    path = place.root / "socket"
    holder = key_holder(place, per_minute=2)
    await holder.start(listen(path, NOBODY))
    for _ in range(2):
        await asked(path, PROOF)
    with (
        structlog.testing.capture_logs() as logs,
        pytest.raises(RequestRefusedError, match="2 requests in a minute"),
    ):
        await asked(path, PROOF)
    await holder.close()
    assert [log["event"] for log in logs] == ["keyholder.browsing"]
    assert len(place.reads()) == 2


async def test_who_says_nothing_is_let_go_and_others_are_answered_meanwhile(place: Place) -> None:
    path = place.root / "socket"
    holder = key_holder(place, within_s=0.3)
    await holder.start(listen(path, NOBODY))
    async with connected(path) as (reader, _):
        assert await asked(path, PROOF)
        answer = read_answer(await asyncio.wait_for(reader.read(), 5.0))
    await holder.close()
    assert isinstance(answer, Refused)
    assert "no request within 0.3 s" in answer.what


async def test_there_are_never_more_connections_than_stated_and_one_user_has_a_few(
    place: Place, socket: Path
) -> None:
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(connected(socket)) for _ in range(AT_ONCE + 3)]
        ends = [asyncio.create_task(reader.read()) for reader, _ in idle]
        done, waiting = await asyncio.wait(ends, timeout=1.0)
        assert len(waiting) == AT_ONCE_OF_ONE
        assert len(done) == len(idle) - AT_ONCE_OF_ONE
    await asyncio.gather(*ends)
    assert await asked(socket, PROOF)


async def test_ending_the_key_holder_lets_go_of_every_peer(place: Place) -> None:
    path = place.root / "socket"
    holder = key_holder(place)
    await holder.start(listen(path, NOBODY))
    async with connected(path) as (reader, _):
        await asyncio.sleep(0.05)
        await holder.close()
        assert await asyncio.wait_for(reader.read(), 1.0) == b""
    with pytest.raises(KeysError, match="cannot be asked"):
        await asked(path, PROOF)
