"""The phone against itself over loopback: what it promises to the tests that use it on Asterisk."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from tests.pbx import sip_message, sound
from tests.pbx.ears import NotHeardError
from tests.pbx.g711 import Law
from tests.pbx.sip import Call, CallRefusedError, SipAgent, SipPhone
from tests.pbx.sip_message import Media, Request, SipSyntaxError
from tests.pbx.sip_transport import Address


@pytest.fixture
async def agent() -> AsyncIterator[SipAgent]:
    async with SipAgent(port=0, tone=1000, answer_after_s=0.02) as answering:
        yield answering


def uri_of(phone: SipPhone) -> str:
    return f"sip:agent@127.0.0.1:{phone.port}"


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
async def test_both_sides_hear_each_other(agent: SipAgent, codec: Law) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent), codec=codec)
        other = await agent.next_call()
        call.tone(440, dbfs=-12)
        await call.heard(1000, within_s=3)
        began_at = await other.heard(440, within_s=3)
        assert other.answered_at - 0.1 <= began_at <= time.monotonic()
        await other.heard(440, since=began_at + 0.3, within_s=3)
        assert other.stream.talker.law == codec
        heard = other.received.between(began_at + 0.05, time.monotonic() - 0.1)
        assert sound.tone_db(heard.samples, heard.rate, 440) == pytest.approx(-12, abs=0.5)
        assert sound.tone_db(heard.samples, heard.rate, 1000) < -52


async def test_digits_arrive_once_each_and_in_order(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent))
        other = await agent.next_call()
        for digit in "11*D":
            await call.digit(digit, duration_ms=60)
        assert await other.heard_digits(4, within_s=3) == "11*D"
        assert [heard.duration_ms for heard in other.digits] == [60] * 4


async def test_a_digit_is_not_pressed_before_its_moment(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent))
        due_at = time.monotonic() + 0.15
        assert await call.digit("1", at=due_at, duration_ms=20) >= due_at


async def test_what_is_not_sounded_is_not_heard() -> None:
    async with SipAgent(port=0, tone=0, answer_after_s=0) as silent, SipPhone() as phone:
        call = await phone.call(uri_of(silent))
        with pytest.raises(NotHeardError, match="no 1000 Hz"):
            await call.heard(1000, within_s=0.3)


async def test_silence_after_sound_is_noticed_with_its_beginning(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent))
        other = await agent.next_call()
        await call.heard(1000, within_s=3)
        other.quiet()
        quiet_at = time.monotonic()
        assert await call.fell_silent(for_s=0.2, within_s=3) == pytest.approx(quiet_at, abs=0.1)


async def test_a_hang_up_ends_the_call_on_both_sides(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent))
        other = await agent.next_call()
        await call.hangup()
        await asyncio.wait_for(other.ended.wait(), 2)
        assert (call.ended_by_peer, other.ended_by_peer) == (False, True)
        back = await phone.call(uri_of(agent))
        await (await agent.next_call()).hangup()
        await asyncio.wait_for(back.ended.wait(), 2)
        assert back.ended_by_peer


async def test_a_caller_who_gives_up_cancels_the_call() -> None:
    async with SipAgent(port=0, answer_after_s=30) as slow, SipPhone() as phone:
        with pytest.raises(CallRefusedError, match="no answer in"):
            await phone.call(uri_of(slow), answer_within_s=0.1)
        assert phone.calls[0].refusal is not None
        assert phone.calls[0].refusal.status == 487
        assert slow.calls[0].ended.is_set()


async def test_a_phone_that_takes_no_calls_is_busy() -> None:
    async with SipPhone() as busy, SipPhone() as phone:
        with pytest.raises(CallRefusedError) as refused:
            await phone.call(uri_of(busy))
        assert refused.value.status == 486


async def test_options_are_answered(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        assert (await phone.options(f"sip:127.0.0.1:{agent.port}")).status == 200


async def test_hold_and_resume_change_the_direction_on_the_other_side(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent))
        other = await agent.next_call()
        await call.hold()
        assert other.stream.peer_direction == "sendonly"
        assert call.stream.peer_direction == "recvonly"
        await call.resume()
        assert other.stream.peer_direction == "sendrecv"


async def test_requests_repeated_by_the_network_are_handled_once(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        call = await phone.call(uri_of(agent))
        await agent.next_call()
        assert call.invite is not None
        phone._transport.send(call.invite.pack(), call.dialog.peer)
        await phone.options(uri_of(agent))  # answered after whatever was sent before it
        assert len(agent.calls) == 1


async def test_a_lost_request_is_sent_again() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.setblocking(False)
        async with SipPhone() as phone:
            call = phone.dial(f"sip:agent@127.0.0.1:{deaf.getsockname()[1]}")
            loop = asyncio.get_running_loop()
            assert await loop.sock_recv(deaf, 65536) == await loop.sock_recv(deaf, 65536)
            call.stream.close()


@pytest.mark.parametrize(
    "name",
    [
        'O"Hara, \\ Jansen',
        "${SHELL(touch /tmp/x)},^{EVAL},;tag=evil",
        "شركة 😀",
        b"raw \x00 \xff bytes",
        b'x" <sip:forged@127.0.0.1>;tag=forged, "y',
        "x" * 4096,
    ],
)
async def test_hostile_names_are_sent_as_they_are_given(agent: SipAgent, name: str | bytes) -> None:
    async with SipPhone() as phone:
        await phone.call(uri_of(agent), caller="+442079460456", name=name)
        shown = (await agent.next_call()).dialog.remote
        raw = name if isinstance(name, bytes) else name.replace("\\", "\\\\").replace('"', '\\"').encode()
        assert raw in shown.encode("utf-8", "surrogateescape")
        assert "+442079460456" in shown


async def test_a_withheld_number_is_only_in_the_asserted_identity(agent: SipAgent) -> None:
    async with SipPhone() as phone:
        await phone.call(uri_of(agent), caller="+442079460456", privacy=True)
        invite = (await agent.next_call()).invite
        assert invite is not None
        assert "anonymous.invalid" in invite.get("From")
        assert "+442079460456" not in invite.get("From")
        assert "+442079460456" in invite.get("P-Asserted-Identity")
        assert invite.get("Privacy") == "id"


async def test_a_transfer_names_the_call_it_replaces(agent: SipAgent) -> None:
    seen: list[Request] = []

    async def answer(call: Call) -> None:
        call.accept()
        taken = call.take

        def see(request: Request, peer: Address) -> None:
            seen.append(request)
            taken(request, peer)

        call.take = see  # type: ignore[method-assign]  # a spy on what arrives

    async with SipPhone(on_invite=answer) as other, SipPhone() as phone:
        first, second = await phone.call(uri_of(agent)), await phone.call(uri_of(other))
        response = await second.refer("sip:1001@127.0.0.1", replaces=first)
        assert response.status == 405  # our own phone cannot be transferred
    transfer = next(request for request in seen if request.method == "REFER")
    assert f"Replaces={first.dialog.call_id.replace('@', '%40')}%3Bto-tag%3D" in transfer.get("Refer-To")


@pytest.mark.parametrize("datagram", [b"", b"hello\r\n\r\n", b"INVITE sip:x SIP/2.0\r\nno colon\r\n\r\n"])
def test_what_is_not_sip_is_refused(datagram: bytes) -> None:
    with pytest.raises(SipSyntaxError):
        sip_message.parse(datagram)


def test_a_description_without_a_codec_of_ours_is_refused() -> None:
    with pytest.raises(SipSyntaxError, match="no codec"):
        Media.parse("c=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 9 101\r\n")
