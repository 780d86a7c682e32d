"""A caller of the demo: the role, what is known of the call, and everything a person can do in it.

Rule: what a caller is said to hear comes from the sound that arrived, and what a caller does is done on a real
SIP call; only the words of the announcement are shown by the clock, from the moment it is first heard.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asterisk_consent.dialogue.events import Part
from asterisk_consent.model import Outcome
from tests.pbx.demo_repertoire import Repertoire
from tests.pbx.ears import Heard, NotHeardError, laid_out
from tests.pbx.rtp import StreamEndedError
from tests.pbx.sip import Call, CallRefusedError, SipPhone
from tests.pbx.sip_transport import SipTimeoutError
from tests.pbx.sound import level_db, sound_spans

AGENT_HZ = 1000
WITHIN_S = 20.0
"""How long a caller waits for anything before it counts as not happening; a busy machine is slow."""

_RECENT_PACKETS = 15
_RECENT_S = 0.3
_HEARD_DB = -45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who calls which number, and what has to come of it.

    :param wish: what the caller wants.
    :param caller_id: the number shown.
    :param hz: the caller's voice: nobody else's sounds like it.
    :param policy: of the number dialled; empty where there is none.
    :param language: the one the caller is informed in; empty where none is chosen.
    :param outcome: ``None`` where nothing may be entered.
    :param digit: the one that decides.
    """

    name: str
    wish: str
    number: str
    caller_id: str
    hz: int
    policy: str = ""
    language: str = ""
    outcome: Outcome | None = None
    digit: str = ""

    @property
    def is_recorded(self) -> bool:
        """Whether a recording has to come of it."""
        return self.outcome is not None and self.outcome.allows_recording

    @property
    def stays(self) -> bool:
        """Whether the caller waits for the agent."""
        return self.outcome is not Outcome.ABANDONED


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Words that are being said to a caller; ``began_at`` is monotonic."""

    text: str
    began_at: float
    duration_s: float


@dataclass(slots=True, kw_only=True)
class Caller:
    """What is known of one call, brought up to date while it goes on; moments are monotonic, 0 where it has
    not happened.
    """

    role: Role
    doing: str = "has not called yet"
    speech: Speech | None = None
    failure: str = ""
    called_at: float = 0.0
    chose_at: float = 0.0
    """When a language was chosen."""
    pressed_at: float = 0.0
    """When the digit was pressed that decides."""
    told_from_at: float = 0.0
    """When the caller first heard anything but the agent, once the language was known."""
    told_until_at: float = 0.0
    """When the caller last heard anything before the agent."""
    agent_at: float = 0.0
    ended_at: float = 0.0
    spoken_to_s: float = 0.0
    """How long the caller heard anything before the agent."""
    told: Heard | None = None
    """Everything heard before the agent, or before the caller hung up."""

    @property
    def name(self) -> str:
        """The caller's name."""
        return self.role.name

    @property
    def with_agent_s(self) -> float:
        """How long the caller heard the agent."""
        return self.ended_at - self.agent_at if self.agent_at else 0.0


Tell = Callable[[Caller], None]


class Act:
    """One caller on the phone; each method is something a person does."""

    def __init__(self, caller: Caller, phone: SipPhone, repertoire: Repertoire, tell: Tell) -> None:
        self.caller = caller
        self._role = caller.role
        self._phone = phone
        self._repertoire = repertoire
        self._tell = tell
        self._call: Call | None = None

    async def dial(self, uri: str) -> None:
        """Call and wait for the answer."""
        self.caller.called_at = time.monotonic()
        self._does(f"dials {self._role.number}")
        name = f"{self._role.name} Voorbeeld"
        self._call = await self._phone.call(
            uri, caller=self._role.caller_id, name=name, answer_within_s=WITHIN_S
        )

    async def listen(self, part: Part, *, for_s: float | None = None) -> None:
        """Listen to a part of the announcement, to its end or for a while."""
        text, length_s = self._spoken(part)
        before = self.caller.speech
        start_at = before.began_at + before.duration_s if before else await self._sound()
        self._does(f"hears the {part}", Speech(text=text, began_at=start_at, duration_s=length_s))
        wait_s = length_s if for_s is None else min(for_s, length_s)
        await asyncio.sleep(max(0.0, start_at + wait_s - time.monotonic()))

    async def say_nothing(self, part: Part) -> None:
        """Let the time for an answer pass until the question comes again, and once more."""
        self._does("says nothing, presses nothing")
        await asyncio.sleep(1.0)
        await self.listen(part)
        self._does("says nothing again")

    async def choose(self) -> None:
        """Choose one's own language in the menu."""
        digit = self._repertoire.digit_of(self._role.policy, self._role.language)
        self._does(f"presses {digit}: {self._role.wish}")
        self.caller.chose_at = await self.call.digit(digit)
        await asyncio.sleep(_RECENT_S)  # the last words of the menu

    async def press(self, meaning: str) -> None:
        """Press the digit that decides."""
        self._does(f"presses {self._role.digit}: {meaning}")
        self.caller.pressed_at = await self.call.digit(self._role.digit)

    async def await_agent(self, meaning: str) -> None:
        """Do nothing more until the agent is there."""
        self._does(meaning)
        await self.reach_agent()

    async def reach_agent(self) -> None:
        """Wait to hear the agent.

        :raises NotHeardError: no agent in time.
        """
        caller = self.caller
        language_at = caller.chose_at or caller.called_at
        since = caller.pressed_at or language_at
        caller.agent_at = await self.call.heard(AGENT_HZ, within_s=WITHIN_S, since=since)
        caller.told = heard = self.call.received.between(caller.called_at, caller.agent_at - 0.05)
        spans = [
            (heard.started_at + start, heard.started_at + end)
            for start, end in sound_spans(heard.samples, heard.rate, _HEARD_DB)
        ]
        caller.spoken_to_s = sum(end - start for start, end in spans)
        told = [(max(start, language_at), end) for start, end in spans if end > language_at]
        if told:
            caller.told_from_at, caller.told_until_at = told[0][0], told[-1][1]
        waited = f", {caller.agent_at - caller.pressed_at:.1f} s after the digit" if caller.pressed_at else ""
        self._does(f"with the agent{waited}")

    async def talk(self, for_s: float) -> None:
        """Talk with the agent in sentences."""
        end_at = self.caller.agent_at + for_s
        while time.monotonic() < end_at:
            self.call.tone(self._role.hz)
            await asyncio.sleep(1.4)
            self.call.quiet()
            await asyncio.sleep(0.6)

    async def hang_up(self, meaning: str = "") -> None:
        """End the call."""
        self.caller.ended_at = time.monotonic()
        if self.caller.told is None:
            self.caller.told = self.call.received
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

    def _spoken(self, part: Part) -> tuple[str, float]:
        """The words of a part and how long they last; the menu is in all its languages."""
        role = self._role
        if part is Part.MENU:
            spoken = [each.parts[part] for each in self._repertoire.menu(role.policy)]
        else:
            spoken = [self._repertoire.prompts[role.policy][role.language].parts[part]]
        return " ".join(each.text for each in spoken), sum(each.duration_ms for each in spoken) / 1000

    async def _sound(self) -> float:
        """Wait until something is heard; return when."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            recent = self.call.stream.listener.arrivals[-_RECENT_PACKETS:]
            fresh = [(at, packet) for at, packet in recent if at > time.monotonic() - _RECENT_S]
            heard = laid_out(fresh)
            if len(heard.samples) and level_db(heard.samples) > _HEARD_DB:
                return time.monotonic()
            await asyncio.sleep(0.05)
        raise NotHeardError(f"nothing was heard within {WITHIN_S:g} s")

    def _does(self, what: str, speech: Speech | None = None) -> None:
        self.caller.doing, self.caller.speech = what, speech
        self._tell(self.caller)


Story = Callable[[Act], Awaitable[None]]


async def play(act: Act, story: Story, uri: str) -> None:
    """Let one caller live through a call; what goes wrong is noted, and the others go on."""
    try:
        await act.dial(uri)
        await story(act)
    except (NotHeardError, CallRefusedError, SipTimeoutError, StreamEndedError) as error:
        act.give_up(str(error))
