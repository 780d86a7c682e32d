"""The service without its surroundings: a switchboard between a made-up Asterisk and a made-up ledger."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from asterisk_consent.calls.announced import Announced, Policies
from asterisk_consent.calls.awaited import Awaited
from asterisk_consent.calls.session import Surroundings
from asterisk_consent.calls.switchboard import Switchboard
from asterisk_consent.dialogue.events import Part
from asterisk_consent.dialogue.withdrawal.script import SpokenDigit
from asterisk_consent.ledger.entry import NewEntry
from asterisk_consent.model import Call, RecordingId
from asterisk_consent.policy import Policy, parse_policy
from asterisk_consent.policy.model import Receipt
from asterisk_consent.prompts.rendered import Prompt, PromptSet
from tests.calls.asterisk import INFORMATION_MS, QUESTION_MS, FakeAri, FakeAsterisk
from tests.calls.ledger import FakeLedger
from tests.calls.virtual_time import wall_s
from tests.policy.example import EXAMPLE

POLICY = parse_policy(EXAMPLE, file="p1-nl.toml")
"""Agree 1, refuse 2, repeat #; three attempts, one repetition, 4.5 s for the first digit, 60 s in all."""

PROMPTS = PromptSet(
    language="nl",
    name="p1",
    reviewed_by="unreviewed",
    spoken_by="nobody",
    digest="ab" * 32,
    parts={
        part: Prompt(
            path_without_suffix=Path("/prompts") / part, duration_ms=duration_ms, sha256="cd" * 32, text=part
        )
        for part, duration_ms in ((Part.INFORMATION, INFORMATION_MS), (Part.QUESTION, QUESTION_MS))
    },
)

WORD_MS = 400
RECEIPT_MS = 3000
DIGITS = replace(
    PROMPTS,
    name="digits",
    parts={
        digit: Prompt(
            path_without_suffix=Path("/digits") / digit, duration_ms=WORD_MS, sha256="cd" * 32, text=digit
        )
        for digit in SpokenDigit
    },
)
WITH_RECEIPT = Announced(
    policy=replace(POLICY, receipt=Receipt(read_out=True)),
    prompts={
        "nl": replace(
            PROMPTS,
            parts={
                **PROMPTS.parts,
                Part.RECEIPT: replace(PROMPTS.parts[Part.QUESTION], duration_ms=RECEIPT_MS, text="receipt"),
            },
        )
    },
    path="/prompts",
    digits={"nl": DIGITS},
    digits_path="/digits",
)

POLICIES = {
    "p1-receipt": WITH_RECEIPT,
    "p1-nl": Announced(policy=POLICY, prompts={"nl": PROMPTS}, path="/prompts"),
    "p1-mute": Announced(policy=POLICY, fault="no announcement"),
}


@dataclass(slots=True)
class FakeRecorder:
    """Notes what sessions hand over."""

    expected: list[Awaited] = field(default_factory=list)
    unstarted: list[tuple[RecordingId, str]] = field(default_factory=list)
    later: list[NewEntry] = field(default_factory=list)
    doubts: int = 0

    def expect(self, awaited: Awaited) -> None:
        """Note a recording that is allowed."""
        self.expected.append(awaited)

    def doubt(self) -> None:
        """Note that an entry is in doubt."""
        self.doubts += 1

    def enter_later(self, entry: NewEntry) -> None:
        """Note a decision that could not be entered."""
        self.later.append(entry)

    def end_unstarted(self, recording_id: RecordingId, reason: str) -> None:
        """Note a recording that will not be made; it must have been allowed."""
        assert recording_id in [awaited.recording_id for awaited in self.expected]
        self.unstarted.append((recording_id, reason))


def made_up_randomness() -> Callable[[int], bytes]:
    """Return a source of bytes that differ every time and are the same in every run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@dataclass(slots=True)
class Service:
    """Everything at once; made inside a running virtual loop."""

    asterisk: FakeAsterisk = field(default_factory=FakeAsterisk)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    objects: Callable[[Call, Policy], bool] = lambda _call, _policy: False
    """Whether a caller is on a controller's list of objections."""
    ari: FakeAri = field(init=False)
    switchboard: Switchboard = field(init=False)
    policies: Policies = field(init=False)

    def __post_init__(self) -> None:
        self.ari = FakeAri(self.asterisk)
        surroundings = Surroundings(
            ari=self.ari,
            ledger=self.ledger,
            recorder=self.recorder,
            region="GB",
            objects=self.objects,
            now_s=wall_s,
            randomness=made_up_randomness(),
        )
        self.policies = Policies(POLICIES)
        self.switchboard = Switchboard(self.policies, surroundings)
        self.asterisk.tell = self.switchboard.take

    @property
    def continued(self) -> list[str]:
        """The extensions to which calls were sent on."""
        return [words.split()[1] for words in self.asterisk.story if words.startswith("continue ")]

    @property
    def recording_id(self) -> str:
        """The id of the only recording that was allowed."""
        (awaited,) = self.recorder.expected
        return awaited.recording_id

    @property
    def recorded_at(self) -> str:
        """The extension to which the only recorded call was sent on."""
        return f"{self.recording_id}*given*nl"

    async def finish(self) -> None:
        """Let time pass until nobody is being asked any more."""
        for _ in range(2000):
            if not self.switchboard.depth:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"still asking after 200 s: {self.asterisk.story}")


async def settle() -> None:
    """Let everything happen that happens now."""
    await asyncio.sleep(0.001)
