"""An announcement played to somebody of the house: heard to its end, or said why not, and always hung up."""

import asyncio
from dataclasses import dataclass, field

import pytest

from asterisk_consent.calls.audition import APP, Audition
from asterisk_consent.errors import PbxError, PbxRefusedError
from asterisk_consent.pbx.ari import AriClient, AriEvent, AriHandler, ChannelSnapshot, PlaybackSnapshot
from tests.calls.virtual_time import in_virtual_time

CHANNEL = "audition-1"
LENGTH_S = 20.0


@dataclass(slots=True)
class Telephone:
    """What the called person does, in seconds; never, where it is infinite."""

    answers_after_s: float = 3.0
    hangs_up_after_s: float = float("inf")
    story: list[str] = field(default_factory=list)
    refuses: bool = False


class FakeAri(AriClient):
    """The client without a network, with a telephone at its other end."""

    def __init__(self, telephone: Telephone) -> None:
        super().__init__(url="http://127.0.0.1:1/ari", username="a", password="b", app=APP)
        self._telephone = telephone
        self._handler: AriHandler | None = None

    async def run(self, handler: AriHandler) -> None:
        """Be connected until cancelled."""
        self._handler = handler
        await handler.connected()
        await asyncio.Event().wait()

    async def request(self, method: str, path: str, **params: str) -> bytes:
        """Note the request, and let the telephone do what follows from it."""
        telephone = self._telephone
        telephone.story.append(f"{method} {path}")
        if path.endswith(CHANNEL) and method == "POST":
            if telephone.refuses:
                raise PbxRefusedError("Asterisk answered 400", status=400)
            assert (params["endpoint"], params["app"]) == ("PJSIP/100", APP)
            self._later(1.0, "ChannelDestroyed", channel="somebody-else")
            self._later(telephone.answers_after_s, "StasisStart")
            self._later(telephone.answers_after_s + telephone.hangs_up_after_s, "ChannelDestroyed")
        elif "/play/" in path:
            assert params["media"] == "sound:/prompts/nl/information"
            self._later(LENGTH_S, "PlaybackFinished")
        return b""

    def _later(self, seconds: float, kind: str, channel: str = CHANNEL) -> None:
        if seconds == float("inf"):
            return
        playback = PlaybackSnapshot(id="p", target_uri=f"channel:{CHANNEL}", state="done")
        event = AriEvent(
            type=kind,
            channel=None if kind == "PlaybackFinished" else ChannelSnapshot(id=channel),
            playback=playback if kind == "PlaybackFinished" else None,
        )
        assert self._handler is not None
        asyncio.get_running_loop().call_later(seconds, self._handler.take, event)


async def audition(telephone: Telephone) -> float:
    """Hold one; return how long it took."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    held = Audition(
        FakeAri(telephone), endpoint="PJSIP/100", media="sound:/prompts/nl/information", channel=CHANNEL
    )
    try:
        await held.hold(length_s=LENGTH_S)
    finally:
        assert telephone.story[-1] == f"DELETE /channels/{CHANNEL}", "it hangs up whatever happened"
    return loop.time() - began_s


@in_virtual_time
async def test_it_plays_to_the_end_once_somebody_answered() -> None:
    assert await audition(Telephone()) == pytest.approx(3.0 + LENGTH_S, abs=0.1)


@in_virtual_time
async def test_nobody_answers() -> None:
    telephone = Telephone(answers_after_s=float("inf"))
    with pytest.raises(PbxError, match=r"PJSIP/100: nobody answered\. Name a telephone that is registered"):
        await audition(telephone)
    assert not any("/play/" in words for words in telephone.story)


@in_virtual_time
async def test_who_hangs_up_before_the_end_has_not_heard_it() -> None:
    with pytest.raises(PbxError, match="not heard to its end"):
        await audition(Telephone(hangs_up_after_s=5.0))


@in_virtual_time
async def test_a_telephone_that_asterisk_does_not_know_is_told() -> None:
    with pytest.raises(PbxRefusedError):
        await audition(Telephone(refuses=True))
