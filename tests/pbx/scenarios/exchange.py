"""The phones around the PBX: callers with a number each, and a desk that answers all of them.

Rule: before the deciding digit, or until a phone rings where none decides, a caller sounds another tone than after
it, so that a recording tells by its sound when it began. An agent's end of a call is found by the caller's number, a
channel by the SIP Call-ID.
"""

import asyncio
import itertools
import re
import time
from types import MappingProxyType
from typing import Self

from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Announcement, announcement_of
from tests.pbx.sip import Call, SipPhone

BEFORE_HZ = 2000
CALLER_HZ = 1500
AGENT_HZ = 1000
ANSWERS_AFTER_S = 0.3

ANNOUNCED = MappingProxyType(
    {
        "1002": ("p2-nb", "nb"),
        "1003": ("p3-nl", "nl"),
        "1004": ("p4-logging", "en"),
        "1021": ("p1-nl", "en"),
        "1220": ("legal-nl", "nl"),
        "1230": ("receipt-nl", "nl"),
    }
)
"""Policy and language by the number dialled; every other number is p1-nl in Dutch, or lets the caller choose."""
MENU = MappingProxyType({"1": "nl", "2": "fr", "3": "en", "4": "de"})
"""The menu of p5-be, in the order its sentences are spoken."""

_DRAMA_NUMBER = re.compile(r"44207946(\d{4})")
_numbers = itertools.count(100)


def next_number() -> str:
    """A number from the range that Ofcom keeps for drama, each once per run."""
    return f"+44207946{next(_numbers) % 1000:04d}"


class Desk(SipPhone):
    """The agents: everybody who calls is answered and hears 1000 Hz."""

    def __init__(self, *, port: int) -> None:
        super().__init__(port=port, on_invite=self._answer)
        self.rang_at: dict[str, float] = {}
        self._rings: dict[str, asyncio.Event] = {}
        self._answered: dict[str, asyncio.Future[Call]] = {}

    def answered(self, number: str) -> "asyncio.Future[Call]":
        """The agent's end of the call from this number, once it is there."""
        return self._answered.setdefault(_key(number), asyncio.get_running_loop().create_future())

    def rings(self, number: str) -> asyncio.Event:
        """Set once a phone rings for this number."""
        return self._rings.setdefault(_key(number), asyncio.Event())

    async def _answer(self, call: Call) -> None:
        invite = call.invite
        assert invite is not None
        key = _key(invite.get("P-Asserted-Identity") or invite.get("From"))
        self.rang_at[key] = call.placed_at
        self.rings(key).set()
        call.ring()
        await asyncio.sleep(ANSWERS_AFTER_S)
        call.tone(AGENT_HZ)
        call.accept()
        waiting = self.answered(key)
        if not waiting.done():
            waiting.set_result(call)


class Caller:
    """One person on the phone; moments are ``time.monotonic()``."""

    def __init__(self, exchange: "Exchange", call: Call, *, dialled: str, number: str) -> None:
        self.call = call
        self.dialled = dialled
        self.number = number
        self.channel = ""
        self.channel_name = ""
        self.pressed_at = 0.0
        self.menu_s = 0.0
        self.stays_s = 0.0
        self.joined_at = 0.0
        self.recorders = ""
        self.agent: Call | None = None
        self.exchange = exchange
        self.announcement = exchange.announced(*ANNOUNCED.get(dialled, ("p1-nl", "nl")))

    @property
    def rang_at(self) -> float:
        """When the agent's phone rang for this caller."""
        return self.exchange.desk.rang_at[_key(self.number)]

    async def connected(self, *, within_s: float = 10.0) -> None:
        """Wait for the answer and find Asterisk's channel."""
        await self.call.answered(within_s=within_s)
        self.call.tone(BEFORE_HZ)
        self.channel, self.channel_name = await self.exchange.channel_of(self.call)

    async def wait(self, after_answer_s: float) -> None:
        """Stay on the line until so long after the answer.

        :raises AssertionError: the line went dead meanwhile.
        """
        await asyncio.wait(
            [asyncio.ensure_future(self.call.ended.wait())],
            timeout=max(0.0, self.call.answered_at + after_answer_s - time.monotonic()),
        )
        assert not self.call.ended.is_set(), f"{self.dialled}: the line went dead"

    async def choose_language(self, digit: str) -> None:
        """Choose a language of the menu of p5-be: the announcement begins in it."""
        self.menu_s = await self.call.digit(digit) - self.call.answered_at
        self.announcement = self.exchange.announced("p5-be", MENU[digit])

    async def wait_in_information(self, for_s: float) -> None:
        """Listen to the information for so long."""
        await self.wait(self.menu_s + for_s)

    async def wait_for_question(self, more_s: float = 1.0) -> None:
        """Listen to the information, and to the question for so long."""
        await self.wait(self.menu_s + self.announcement.information_s + more_s)

    async def wait_for_silence(self, more_s: float = 1.0) -> None:
        """Listen to the whole announcement, and so long to the silence after it."""
        await self.wait(self.menu_s + self.announcement.whole_s + more_s)

    async def press(self, digit: str) -> None:
        """Press a digit; from then on the caller sounds what belongs into a recording."""
        self.pressed_at = await self.call.digit(digit)
        if not self.call.ended.is_set():
            self.call.tone(CALLER_HZ)

    async def reach_agent(self, *, within_s: float = 6.0) -> Call:
        """Wait until the agent has answered and the caller hears it.

        :raises AssertionError: that does not happen in time.
        """
        desk = self.exchange.desk
        try:
            async with asyncio.timeout(within_s):
                await desk.rings(self.number).wait()
                self.call.tone(CALLER_HZ)
                self.agent = await asyncio.shield(desk.answered(self.number))
        except TimeoutError:
            raise AssertionError(f"{self.dialled}: the agent was not reached within {within_s:g} s") from None
        await self.call.heard(AGENT_HZ, within_s=3.0, since=self.agent.answered_at - 0.1)
        return self.agent

    async def look_for_recorders(self) -> None:
        """Ask Asterisk's console what records this call now."""
        console = self.exchange.pbx.asterisk.console
        self.recorders = await asyncio.to_thread(console, f"mixmonitor list {self.channel_name}")

    async def hang_up(self) -> None:
        """End the call."""
        await self.call.hangup()


class Exchange:
    """All phones of a scenario: ``async with``, then ``dial``."""

    def __init__(self, pbx: DevelopmentPbx) -> None:
        self.pbx = pbx
        self._announced: dict[tuple[str, str], Announcement] = {}
        self.desk = Desk(port=pbx.settings.agent_port)
        self._phone = SipPhone()

    async def __aenter__(self) -> Self:
        await self.desk.__aenter__()
        await self._phone.__aenter__()
        await asyncio.to_thread(self.pbx.answer_with, self.pbx.sip_agent())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._phone.__aexit__(*error)
        await self.desk.__aexit__(*error)

    @property
    def announcement(self) -> Announcement:
        """What most numbers say."""
        return self.announced("p1-nl", "nl")

    @property
    def menu_s(self) -> float:
        """How long it takes to name the languages of p5-be."""
        return sum(self.announced("p5-be", language).part_s("menu") for language in MENU.values())

    def announced(self, policy: str, language: str) -> Announcement:
        """What a policy says in a language."""
        found = self._announced.get((policy, language))
        if found is None:
            found = self._announced[policy, language] = announcement_of(self.pbx.settings, policy, language)
        return found

    def dial(
        self, dialled: str, *, number: str = "", name: str | bytes = "", privacy: bool = False
    ) -> Caller:
        """Begin a call."""
        number = number or next_number()
        call = self._phone.dial(self.pbx.sip_uri(dialled), caller=number, name=name, privacy=privacy)
        return Caller(self, call, dialled=dialled, number=number)

    async def connect(self, dialled: str, *, number: str = "", name: str | bytes = "") -> Caller:
        """Call and wait for the answer."""
        caller = self.dial(dialled, number=number, name=name)
        await caller.connected()
        return caller

    async def channel_of(self, call: Call) -> tuple[str, str]:
        """The id and the name of Asterisk's channel for a call of ours."""
        _, channels = await asyncio.to_thread(self.pbx.asterisk.ari, "GET", "channels")
        for channel in channels:
            if channel["protocol_id"] == call.dialog.call_id:
                return channel["id"], channel["name"]
        return "", ""


def _key(text: str) -> str:
    found = _DRAMA_NUMBER.search(text)
    return found[1] if found else text
