"""Requests of the ARI client: limited in time and size, over kept connections, with ids that name nothing else."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from asterisk_consent.errors import PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx import ari
from asterisk_consent.pbx.ari import AriClient, ChannelSnapshot
from tests.pbx_client.fake_ari import APP, PASSWORD, USER, FakeAri
from tests.pbx_client.raw_peer import raw_peer

CHANNEL = "1795395166.3"


@pytest.fixture
async def client(ari_peer: FakeAri) -> AsyncIterator[AriClient]:
    async with AriClient(url=ari_peer.url, username=USER, password=PASSWORD, app=APP) as opened:
        yield opened


def impatient(url: str, *, password: str = PASSWORD) -> AriClient:
    return AriClient(url=url, username=USER, password=password, app=APP, request_timeout_s=0.3)


async def test_each_method_of_a_channel_is_one_request_in_the_words_of_ari(
    ari_peer: FakeAri, client: AriClient
) -> None:
    channel = client.channels.get(channel_id=CHANNEL)
    await channel.set_variable("TIMEOUT(absolute)", "27.500")
    await channel.play(media="sound:/a/information,sound:/a/question", playback_id="consent-1-1")
    await channel.continue_in_dialplan(context="asterisk-consent", extension="refused")
    await client.stop_playback("consent-1-1")

    asked = [ari_peer.requests.get_nowait() for _ in range(ari_peer.requests.qsize())]
    assert ari_peer.story == [
        f"POST /channels/{CHANNEL}/variable",
        f"POST /channels/{CHANNEL}/play/consent-1-1",
        f"POST /channels/{CHANNEL}/continue",
        "DELETE /playbacks/consent-1-1",
    ]
    assert [dict(request.query) for request in asked] == [
        {"variable": "TIMEOUT(absolute)", "value": "27.500"},
        {"media": "sound:/a/information,sound:/a/question"},
        {"context": "asterisk-consent", "extension": "refused", "priority": "1"},
        {},
    ]


async def test_answers_that_are_looked_into_are_read(ari_peer: FakeAri, client: AriClient) -> None:
    ari_peer.answers = {
        "GET /channels": (200, b'[{"id":"1.1","state":"Up","unknown":[1]}]'),
        "GET /bridges/b-1": (200, b'{"id":"b-1","channels":["1.1","1.2"]}'),
        "GET /asterisk/variable": (200, b'{"value":"1795395166"}'),
        "GET /asterisk/info": (200, b'{"system":{"version":"22.10.1","entity_id":"x"}}'),
        "GET /asterisk/modules": (
            200,
            b'[{"name":"func_rand.so","status":"Running"},{"name":"res_hep.so","status":"Not Running"}]',
        ),
    }
    assert await client.channels.list() == [ChannelSnapshot(id="1.1", state="Up")]
    assert await client.channels_in_bridge("b-1") == ["1.1", "1.2"]
    assert await client.get_global("CONSENT_HEARTBEAT") == "1795395166"
    assert await client.asterisk_version() == "22.10.1"
    assert await client.running_modules() == {"func_rand.so"}


async def test_one_connection_carries_all_requests_made_one_after_the_other(
    ari_peer: FakeAri, client: AriClient
) -> None:
    for number in range(10):
        await client.set_global("CONSENT_HEARTBEAT", str(number))
    assert len(ari_peer.story) == 10
    assert len(ari_peer.connections) == 1


async def test_no_answer_in_time_is_told_as_unknown_and_spoils_no_later_request(ari_peer: FakeAri) -> None:
    ari_peer.silent.add("GET /channels")
    async with impatient(ari_peer.url) as client:
        with pytest.raises(PbxUnavailableError, match="no answer") as raised:
            await client.channels.list()
        assert raised.value.where == "GET /channels"
        await client.set_global("A", "1")


async def test_an_answer_that_stops_in_its_middle_is_told_as_unknown() -> None:
    async def stop_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")
        await reader.read()

    async with raw_peer(stop_in_the_middle) as url, impatient(url) as client:
        with pytest.raises(PbxUnavailableError):
            await client.channels.list()


async def test_a_connection_refused_is_told_as_unavailable() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with impatient(f"http://127.0.0.1:{port}/ari") as client:
        with pytest.raises(PbxUnavailableError):
            await client.channels.list()


@pytest.mark.parametrize("status", [400, 404, 409, 500, 503])
async def test_an_error_status_is_told_with_its_number_and_place(
    status: int, ari_peer: FakeAri, client: AriClient
) -> None:
    path = f"/channels/{CHANNEL}/variable"
    ari_peer.answers[f"POST {path}"] = (status, b"")
    with pytest.raises(PbxRefusedError, match=str(status)) as raised:
        await client.channels.get(channel_id=CHANNEL).set_variable("A", "1")
    assert (raised.value.status, raised.value.where) == (status, f"POST {path}")


async def test_a_redirection_is_not_followed(ari_peer: FakeAri, client: AriClient) -> None:
    ari_peer.answers["GET /channels"] = (302, b"")
    with pytest.raises(PbxRefusedError):
        await client.channels.list()
    assert ari_peer.story == ["GET /channels"]


async def test_a_wrong_password_is_told_with_what_to_do(ari_peer: FakeAri) -> None:
    async with impatient(ari_peer.url, password="wrong") as client:
        with pytest.raises(PbxRefusedError, match="password") as raised:
            await client.channels.list()
    assert raised.value.status == 401
    assert "ari_password" in raised.value.remedy


async def test_a_playback_that_is_not_there_is_as_good_as_stopped(
    ari_peer: FakeAri, client: AriClient
) -> None:
    ari_peer.answers["DELETE /playbacks/p"] = (404, b"")
    await client.stop_playback("p")
    assert ari_peer.story == ["DELETE /playbacks/p"]


@pytest.mark.parametrize("status", [401, 409, 500])
async def test_a_playback_that_was_not_stopped_is_told(
    status: int, ari_peer: FakeAri, client: AriClient
) -> None:
    ari_peer.answers["DELETE /playbacks/p"] = (status, b"")
    with pytest.raises(PbxRefusedError) as raised:
        await client.stop_playback("p")
    assert raised.value.status == status


@pytest.mark.parametrize(
    "identity", ["a/b", "a?b=c", "a#b", "a%2fb", "a b", "a\r\nb", "../../x", "é\x00", "+"]
)
async def test_an_id_from_outside_stays_one_segment_of_the_path(
    identity: str, ari_peer: FakeAri, client: AriClient
) -> None:
    await client.channels.get(channel_id=identity).continue_in_dialplan(context="c", extension="e")
    request = ari_peer.requests.get_nowait()
    assert len(request.rel_url.raw_parts) == len(["/", "ari", "channels", "ID", "continue"])
    assert request.rel_url.parts[-2] == identity
    assert set(request.query) == {"context", "extension", "priority"}


@pytest.mark.parametrize("identity", ["", ".", ".."])
async def test_an_id_that_would_name_another_place_is_not_sent(
    identity: str, ari_peer: FakeAri, client: AriClient
) -> None:
    channel = client.channels.get(channel_id=identity)
    for request in (
        channel.continue_in_dialplan(context="c", extension="e"),
        client.stop_playback(identity),
        client.channels_in_bridge(identity),
    ):
        with pytest.raises(PbxProtocolError):
            await request
    assert ari_peer.story == []


@pytest.mark.parametrize("value", ["a&b=c", "1,2;3 + 4%20", "${SHELL(x)}", "é\r\n\x00"])
async def test_a_value_from_outside_stays_one_parameter(
    value: str, ari_peer: FakeAri, client: AriClient
) -> None:
    await client.set_global("A", value)
    assert dict(ari_peer.requests.get_nowait().query) == {"variable": "A", "value": value}


async def test_an_answer_longer_than_any_of_aris_is_not_read_to_its_end() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        while True:
            writer.write(chunk)
            sent += len(chunk)
            await writer.drain()

    async with raw_peer(pour) as url, AriClient(url=url, username=USER, password=PASSWORD, app=APP) as client:
        with pytest.raises(PbxProtocolError, match="longer"):
            await client.channels.list()
    assert sent < 4 * ari.MAX_ANSWER_BYTES


async def test_a_client_that_is_not_open_says_so() -> None:
    client = impatient("http://127.0.0.1:1/ari")
    with pytest.raises(PbxUnavailableError, match="not open"):
        await client.channels.list()
