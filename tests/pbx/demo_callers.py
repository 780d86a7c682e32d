"""The five callers of the demo: what each wants, does, and hears.

Rule: what a caller is said to hear comes from the sound that arrived, and what a caller does is done on a real
SIP call; only the words of the announcement are shown by the clock, from the moment it is first heard.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asterisk_consent.prompts.rendered import PromptSet
from tests.pbx.ears import NotHeardError, laid_out
from tests.pbx.rtp import StreamEndedError
from tests.pbx.sip import Call, CallRefusedError, SipPhone
from tests.pbx.sip_transport import SipTimeoutError
from tests.pbx.sound import level_db, sound_spans

CALLER_HZ = 440
AGENT_HZ = 1000
WITHIN_S = 20.0
"""How long a caller waits for anything before it counts as not happening; a busy machine is slow."""

_RECENT_PACKETS = 15
_HEARD_DB = -45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Words that are being said to a caller; ``began_at`` is monotonic."""

    text: str
    began_at: float
    duration_s: float


@dataclass(slots=True, kw_only=True)
class Caller:
    """What is known of one caller, brought up to date while the call goes on; moments are monotonic, 0 where
    it has not happened.
    """

    name: str
    wish: str
    number: str
    caller_id: str
    doing: str = "has not called yet"
    speech: Speech | None = None
    failure: str = ""
    called_at: float = 0.0
    pressed_at: float = 0.0
    agent_at: float = 0.0
    ended_at: float = 0.0
    spoken_to_s: float = 0.0
    """How long the caller heard anything before the agent."""

    @property
    def with_agent_s(self) -> float:
        """How long the caller heard the agent."""
        return self.ended_at - self.agent_at if self.agent_at else 0.0


Tell = Callable[[Caller], None]


class Act:
    """One caller on the phone; each method is something a person does."""

    def __init__(self, caller: Caller, phone: SipPhone, announcement: PromptSet, tell: Tell) -> None:
        self.caller = caller
        self._phone = phone
        self._announcement = announcement
        self._tell = tell
        self._call: Call | None = None

    async def dial(self, uri: str) -> None:
        """Call and wait for the answer."""
        self.caller.called_at = time.monotonic()
        self._does(f"dials {self.caller.number}")
        name = f"{self.caller.name} Voorbeeld"
        self._call = await self._phone.call(
            uri, caller=self.caller.caller_id, name=name, answer_within_s=WITHIN_S
        )

    async def listen(self, part: str, *, for_s: float | None = None) -> None:
        """Listen to a part of the announcement, to its end or for a while."""
        spoken = self._announcement.parts[part]
        before = self.caller.speech
        length_s = spoken.duration_ms / 1000
        start_at = before.began_at + before.duration_s if before else await self._sound()
        self._does(f"hears the {part}", Speech(text=spoken.text, began_at=start_at, duration_s=length_s))
        wait_s = length_s if for_s is None else min(for_s, length_s)
        await asyncio.sleep(max(0.0, start_at + wait_s - time.monotonic()))

    async def say_nothing(self) -> None:
        """Let the time for an answer pass until the question comes again, and once more."""
        self._does("says nothing, presses nothing")
        await asyncio.sleep(1.0)
        await self.listen("question")
        self._does("says nothing again")

    async def press(self, digit: str, meaning: str) -> None:
        """Press a digit."""
        self._does(f"presses {digit}: {meaning}")
        self.caller.pressed_at = await self.call.digit(digit)

    async def reach_agent(self) -> None:
        """Wait to hear the agent.

        :raises NotHeardError: no agent in time.
        """
        since = self.caller.pressed_at or self.caller.called_at
        caller = self.caller
        caller.agent_at = await self.call.heard(AGENT_HZ, within_s=WITHIN_S, since=since)
        heard = self.call.received.between(caller.called_at, caller.agent_at - 0.05)
        caller.spoken_to_s = sum(
            end - start for start, end in sound_spans(heard.samples, heard.rate, _HEARD_DB)
        )
        waited = f", {caller.agent_at - caller.pressed_at:.1f} s after the digit" if caller.pressed_at else ""
        self._does(f"talks with the agent{waited}")

    async def talk(self, for_s: float) -> None:
        """Talk with the agent in sentences."""
        end_at = self.caller.agent_at + for_s
        while time.monotonic() < end_at:
            self.call.tone(CALLER_HZ)
            await asyncio.sleep(1.4)
            self.call.quiet()
            await asyncio.sleep(0.6)

    async def hang_up(self, meaning: str = "") -> None:
        """End the call."""
        self.caller.ended_at = time.monotonic()
        await self.call.hangup()
        self._does(meaning or f"has hung up, after {self.caller.with_agent_s:.1f} s with the agent")

    def give_up(self, reason: str) -> None:
        """Note that the call did not go as it should have."""
        self.caller.failure = reason
        self.caller.ended_at = self.caller.ended_at or time.monotonic()
        self._does(f"FAILED: {reason}")

    @property
    def call(self) -> Call:
        """The call; it was placed."""
        assert self._call is not None
        return self._call

    async def _sound(self) -> float:
        """Wait until something is heard; return when."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            recent = self.call.stream.listener.arrivals[-_RECENT_PACKETS:]
            fresh = [(at, packet) for at, packet in recent if at > time.monotonic() - 0.3]
            heard = laid_out(fresh)
            if len(heard.samples) and level_db(heard.samples) > _HEARD_DB:
                return time.monotonic()
            await asyncio.sleep(0.05)
        raise NotHeardError(f"nothing was heard within {WITHIN_S:g} s")

    def _does(self, what: str, speech: Speech | None = None) -> None:
        self.caller.doing, self.caller.speech = what, speech
        self._tell(self.caller)


async def agree(act: Act) -> None:
    """Listen, agree while the question is asked, talk."""
    await act.listen("information")
    await act.listen("question", for_s=3.5)
    await act.press("1", "yes, you may record")
    await act.reach_agent()
    await act.talk(8.0)
    await act.hang_up()


async def refuse(act: Act) -> None:
    """Refuse in the middle of the information: a no counts at any moment."""
    await act.listen("information", for_s=7.0)
    await act.press("2", "no, do not record")
    await act.reach_agent()
    await act.talk(6.0)
    await act.hang_up()


async def stay_silent(act: Act) -> None:
    """Give no answer at all: silence is never an agreement."""
    await act.listen("information")
    await act.listen("question")
    await act.say_nothing()
    await act.reach_agent()
    await act.talk(4.0)
    await act.hang_up()


async def hang_up_early(act: Act) -> None:
    """Hang up while the information is read out."""
    await act.listen("information", for_s=5.0)
    await act.hang_up("has hung up in the announcement")


async def call_for_help(act: Act) -> None:
    """Call the emergency number: nothing may come before the agent."""
    await act.reach_agent()
    await act.talk(4.0)
    await act.hang_up()


Story = Callable[[Act], Awaitable[None]]

CAST: tuple[tuple[str, str, str, str, Story], ...] = (
    ("Anna", "agrees", "1001", "+442079460101", agree),
    ("Bram", "refuses", "1001", "+442079460102", refuse),
    ("Carla", "says nothing", "1001", "+442079460103", stay_silent),
    ("Daan", "hangs up", "1001", "+442079460104", hang_up_early),
    ("Eva", "needs help", "112", "+442079460105", call_for_help),
)
"""Name, what the caller wants, number dialled, number shown (Ofcom's range for drama), what happens."""


async def play(act: Act, story: Story, uri: str) -> None:
    """Let one caller live through a call; what goes wrong is noted, and the others go on."""
    try:
        await act.dial(uri)
        await story(act)
    except (NotHeardError, CallRefusedError, SipTimeoutError, StreamEndedError) as error:
        act.give_up(str(error))
