"""The policies that calls are asked under, each with what is played for it.

Rule: a call is asked only under a policy that is approved and with the announcement that was approved with it, looked
at again before each call; whatever else is the case has a fault, and its calls go on unrecorded. A call keeps what it
began with: policies are exchanged all together, and only for calls to come.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import structlog

from asterisk_consent.dialogue.events import Part
from asterisk_consent.dialogue.script import Script
from asterisk_consent.dialogue.withdrawal.script import SpokenDigit, spoken_digits
from asterisk_consent.model import Basis, Direction, Mode, Outcome
from asterisk_consent.policy import ChosenBy, Policy
from asterisk_consent.prompts.rendered import PromptSet

log = structlog.get_logger(__name__)

RECEIPT_GROUP = 3
"""How many digits of a receipt are read out before a pause."""
WITHDRAW, STOP = "consent-withdraw", "consent-stop"
_SIGNS = {"*": "star", "#": "hash"}
CHANGED = "the announcement was changed after it was approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One file of a part: its path as Asterisk sees it, without suffix, and its length."""

    path: str
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What is played for a call and what the answers mean.

    :param policy: ``None`` where the number's policy is not known.
    :param prompts: by language; empty where the announcement cannot be played.
    :param path: the directory of the policy's announcements as Asterisk sees it.
    :param digits: by language, the digits in which the receipt is read out; empty where it is not.
    :param digits_path: their directory as Asterisk sees it.
    :param fault: why calls are not asked, as it is entered; empty where they are.
    :param detail: the same for whoever has to mend it.
    """

    policy: Policy | None = None
    prompts: Mapping[str, PromptSet] = field(default_factory=dict)
    path: str = ""
    digits: Mapping[str, PromptSet] = field(default_factory=dict)
    digits_path: str = ""
    fault: str = ""
    detail: str = ""

    def segments(self, part: Part, language: str) -> tuple[Segment, ...]:
        """Return the files of a part, one a language that it is spoken in."""
        return tuple(
            Segment(path=f"{self.path}/{tag}/{part}", duration_ms=self.prompts[tag].parts[part].duration_ms)
            for tag in self.languages_of(part, language)
        )

    def files(self, parts: Iterable[Part], language: str, *, receipt: str) -> list[tuple[Part, Segment]]:
        """Return the files of these parts, the digits of the receipt with the part that announces it."""
        files = []
        for part in parts:
            files += [(part, segment) for segment in self.segments(part, language)]
            if part is Part.RECEIPT:
                digits = spoken_digits(receipt, group=RECEIPT_GROUP)
                files += [(part, self._digit(digit, language)) for digit in digits]
        return files

    def _digit(self, digit: SpokenDigit, language: str) -> Segment:
        duration_ms = self.digits[language].parts[digit].duration_ms
        return Segment(path=f"{self.digits_path}/{language}/{digit}", duration_ms=duration_ms)

    def languages_of(self, part: Part, language: str) -> list[str]:
        """Return the languages a part is spoken in: all of the menu in their order for the menu, else this one."""
        menu = self.policy.language.menu if self.policy else ()
        return [tag for _, tag in menu] if part is Part.MENU else [language]

    def leaves_alone(self, dialled: str) -> bool:
        """Tell whether such a call is none of ours: nothing is asked, recorded or kept about it."""
        return self.policy is not None and (self.policy.mode is Mode.OFF or self.policy.excludes(dialled))


UNKNOWN_POLICY = Announced(fault="unknown policy")


class Policies:
    """All policies of one service, by the id that the dialplan names."""

    def __init__(self, announced: Mapping[str, Announced]) -> None:
        self._announced = dict(announced)

    def replace(self, announced: Mapping[str, Announced]) -> None:
        """Exchange all of them at once; calls being asked keep theirs."""
        self._announced = dict(announced)

    def find(self, policy: str) -> Announced:
        """Return what a call under this policy is asked with; a changed announcement is a fault."""
        announced = self._announced.get(policy, UNKNOWN_POLICY)
        if announced.fault or all(prompts.unchanged() for prompts in announced.prompts.values()):
            return announced
        log.error("policy.announcement_changed", policy=policy, effect="calls pass unrecorded")
        # Until it is approved and loaded anew, also where the old bytes come back.
        self._announced[policy] = replace(announced, fault=CHANGED)
        return self._announced[policy]

    def asked(self) -> list[str]:
        """Return the ids of the policies under which calls are asked."""
        return sorted(
            name for name, announced in self._announced.items() if announced.prompts and not announced.fault
        )

    def left_alone(self) -> Iterator[str]:
        """Yield what the dialplan compares: policies that are off, and ``policy=number`` of excluded entities."""
        for name, announced in self._announced.items():
            policy = announced.policy
            if policy is not None and policy.mode is Mode.OFF:
                yield name
            elif policy is not None:
                yield from (f"{name}={number}" for entity in policy.excluded for number in entity.numbers)

    def codes(self) -> Iterator[str]:
        """Yield what the dialplan looks up of policies with codes: the policy, then its controller and features.

        Each second value is ``controller:feature of who called:feature of who answered``, empty where there is none.
        """
        for name, announced in self._announced.items():
            policy = announced.policy
            if policy is not None and not announced.fault and policy.takes_refusal:
                of_caller, of_agent = policy.codes.withdraw, policy.codes.agent_stop
                if of_caller or of_agent:
                    yield name
                    yield f"{policy.controller.id}:{feature(WITHDRAW, of_caller)}:{feature(STOP, of_agent)}"


def feature(name: str, code: str) -> str:
    """Name the feature of Asterisk by which a code is dialled (``dialplan/features.conf``), empty without a code."""
    return "-".join([name, *(_SIGNS.get(sign, sign) for sign in code)]) if code else ""


def script_of(policy: Policy | None) -> Script:
    """Return what the policy prescribes; a call that cannot be asked gets one in which no digit counts."""
    if policy is None:
        return Script(mode=Mode.OFF)
    return Script(
        mode=policy.mode,
        agree_digit=policy.digits.agree,
        refuse_digit=policy.digits.refuse,
        repeat_digit=policy.digits.repeat,
        refusal=Outcome.REFUSED if policy.basis is Basis.CONSENT else Outcome.OBJECTED,
        takes_refusal=policy.takes_refusal,
        menu=policy.language.menu if policy.language.chosen_by is ChosenBy.MENU else (),
        attempts=policy.timing.attempts,
        repeats=policy.timing.repeats,
        first_digit_s=policy.timing.first_digit_s,
        overall_s=policy.timing.overall_s,
        reads_receipt=policy.receipt.read_out,
    )


def fault_of(announced: Announced, direction: Direction) -> str:
    """Return why a call in this direction is not asked; empty where it is."""
    policy = announced.policy
    if not announced.fault and policy is not None and direction not in policy.directions:
        return f"the policy is not for {direction} calls"
    return announced.fault
