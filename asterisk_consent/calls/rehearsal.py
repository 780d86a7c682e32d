"""Has the conversation of a policy without a telephone: what is spoken, what a digit does, what it comes to.

Rule: dialogue, opening, entry and ways out are those of a call; only sound and time are missing. A part is being
played until it is let go on, so a digit typed before that is pressed during it; silence lasts as long as the policy
says, at once; nothing is written down.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from asterisk_consent.calls.announced import Announced, script_of
from asterisk_consent.calls.call_file import CallFile
from asterisk_consent.calls.session import opening
from asterisk_consent.calls.ways_out import recording_extension, way_out
from asterisk_consent.dialogue.commands import (
    AppendEntry,
    CancelTimer,
    Command,
    PlayPrompt,
    ReleaseCall,
    SetTimer,
    StartRecording,
    StopPrompt,
)
from asterisk_consent.dialogue.events import (
    CallLeft,
    ChannelHungUp,
    DigitReceived,
    EntryCommitted,
    Event,
    Part,
    PartPlayed,
    PlaybackFailed,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Dialogue, State
from asterisk_consent.ledger.payload import Decision
from asterisk_consent.model import DIGITS, Call, Mode, Outcome, RecordingId
from asterisk_consent.policy import Policy

GO_ON = "\n"
"""What is spoken ends, or the silence lasts until its time-out."""
HANG_UP = "q"
TIME_OUT = "t"
"""The time for the whole conversation is over."""

_RECORDING = RecordingId("0" * 32)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A part begins to be played."""

    part: Part
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """What was being played is stopped."""

    part: Part


@dataclass(frozen=True, slots=True)
class Waiting:
    """Everything was played; a digit is waited for."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NoEffect:
    """A digit changes nothing now; ``wrong`` where silence will not be taken for having nothing against it."""

    digit: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Something was typed that is no digit and none of the other keys."""

    typed: str


Happening = Spoken | BrokenOff | Waiting | NoEffect | NotUnderstood


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the conversation came to.

    :param outcome: ``None`` where the policy leaves such a call alone.
    :param granted: names of the purposes that a recording may be used for.
    :param not_granted: the others, each with why not.
    :param caller: what is kept of the caller's number.
    :param variables: what the dialplan reads afterwards.
    """

    outcome: Outcome | None
    digit: str = ""
    reason: str = ""
    language: str = ""
    recorded: bool = False
    granted: tuple[str, ...] = ()
    not_granted: tuple[tuple[str, str], ...] = ()
    caller: str | None = None
    variables: Mapping[str, str]


class Rehearsal:
    """One conversation.

    :param spoken: by language, the text of each part.
    :param region: where numbers without a country code belong.
    """

    def __init__(
        self, policy: Policy, spoken: Mapping[str, Mapping[str, str]], call: Call, *, region: str
    ) -> None:
        self.result: Result | None = None
        self.policy = policy
        self._spoken = spoken
        self._call = call
        self._announced = Announced(policy=policy)
        self._file = CallFile(call, announced=self._announced, region=region, clock_s=lambda: 0.0)
        self._dialogue = Dialogue(script=script_of(policy))
        self._playing: deque[tuple[Part, str]] = deque()
        self._play = 0
        self._decision: Decision | None = None
        self._way_out = ""
        self._recorded = False
        self._events: deque[Event] = deque()
        self._happened: list[Happening] = []

    @property
    def is_silent(self) -> bool:
        """Whether nothing is being played and a digit is waited for."""
        return self.result is None and not self._playing

    def begin(self) -> list[Happening]:
        """Let the call arrive; return what happens until somebody may press something."""
        if self._announced.leaves_alone(self._call.dialled):
            self.result = Result(
                outcome=None,
                not_granted=self._refused_purposes((), "such a call is left alone"),
                variables=_variables("off", "", recorded=False, alias=""),
            )
            return []
        return self._feed(opening(self._call, self._announced))

    def take(self, key: str) -> list[Happening]:
        """Take one key; return what happens until somebody may press something again."""
        if self.result is not None:
            return []
        if key == GO_ON:
            return self._go_on()
        if key == HANG_UP:
            return self._feed(ChannelHungUp())
        if key == TIME_OUT:
            return self._feed(TimerFired(Timer.OVERALL))
        if len(key) == 1 and key in DIGITS:
            return self._press(key)
        return [NotUnderstood(key)]

    def _press(self, digit: str) -> list[Happening]:
        before = self._dialogue
        happened = self._feed(DigitReceived(digit))
        after = self._dialogue
        if (before.state, before.play) == (after.state, after.play):
            counts = after.script.mode is Mode.OPT_OUT and after.wrong_digit and not before.wrong_digit
            happened.append(NoEffect(digit, wrong=counts))
        return happened

    def _go_on(self) -> list[Happening]:
        if not self._playing:
            return self._feed(TimerFired(Timer.FIRST_DIGIT))
        part, _ = self._playing.popleft()
        if self._playing and self._playing[0][0] is part:
            self._speak()
            return self._taken()
        return self._feed(PartPlayed(self._play, part, complete=True))

    def _feed(self, event: Event) -> list[Happening]:
        self._events.append(event)
        while self._events:
            play = self._dialogue.play
            event = self._events.popleft()
            self._dialogue, commands = step(self._dialogue, event)
            for command in commands:
                self._carry_out(command)
            if isinstance(event, PartPlayed) and self._playing and self._dialogue.play == play:
                self._speak()
        if self._dialogue.state is State.GONE and self._decision is not None:
            self._settle(self._decision)
        return self._taken()

    def _carry_out(self, command: Command) -> None:
        match command:
            case PlayPrompt(play, parts, language):
                self._begin(play, parts, language)
            case StopPrompt():
                if self._playing:
                    self._happened.append(BrokenOff(self._playing[0][0]))
                self._playing.clear()
            case SetTimer(Timer.FIRST_DIGIT, seconds):
                self._happened.append(Waiting(seconds))
            case SetTimer() | CancelTimer():
                pass
            case AppendEntry(outcome, digit, reason):
                self._append(outcome, digit, reason)
            case StartRecording():
                self._recorded = True
                self._way_out = recording_extension(_RECORDING, self._dialogue)
                self._events.append(CallLeft())
            case ReleaseCall(outcome):
                self._way_out = way_out(outcome, self._dialogue.language)

    def _begin(self, play: int, parts: tuple[Part, ...], language: str) -> None:
        segments = [(part, tag) for part in parts for tag in self._announced.languages_of(part, language)]
        missing = [f"{tag}: {part}" for part, tag in segments if part not in self._spoken.get(tag, {})]
        if missing:
            self._events.append(PlaybackFailed(play, f"no announcement ({', '.join(missing)})"))
            return
        self._play = play
        self._playing = deque(segments)
        self._speak()

    def _speak(self) -> None:
        part, language = self._playing[0]
        self._happened.append(Spoken(part, language, self._spoken[language][part]))

    def _append(self, outcome: Outcome, digit: str, reason: str) -> None:
        entry = self._file.entry(
            outcome,
            language=self._dialogue.language,
            digit=digit,
            reason=reason,
            played_ms=0,
            recording_id=_RECORDING,
        )
        if isinstance(entry.payload, Decision):
            self._decision = entry.payload
        self._events.append(EntryCommitted())

    def _settle(self, decision: Decision) -> None:
        why = f"not announced in {self._dialogue.language}" if self._recorded else "nothing may be recorded"
        self.result = Result(
            outcome=decision.outcome,
            digit=decision.digit,
            reason=decision.reason,
            language=self._dialogue.language,
            recorded=self._recorded,
            granted=decision.purposes,
            not_granted=self._refused_purposes(decision.purposes, why),
            caller=decision.caller,
            variables=self._read_afterwards(),
        )

    def _refused_purposes(self, granted: tuple[str, ...], why: str) -> tuple[tuple[str, str], ...]:
        return tuple((each.name, why) for each in self.policy.purposes if each.name not in granted)

    def _read_afterwards(self) -> Mapping[str, str]:
        """Return the variables as the extension that the call is sent to sets them; a call that is gone has none."""
        _, outcome, language = self._way_out.split("*") if self._way_out else ("", "", "")
        return _variables(outcome, language, recorded=self._recorded, alias=self._call.alias)

    def _taken(self) -> list[Happening]:
        happened, self._happened = self._happened, []
        return happened


def _variables(outcome: str, language: str, *, recorded: bool, alias: str) -> Mapping[str, str]:
    return {
        "CONSENT_OUTCOME": outcome,
        "CONSENT_RECORDED": "1" if recorded else "0",
        "CONSENT_LANGUAGE": language,
        "CONSENT_ID": alias,
    }
