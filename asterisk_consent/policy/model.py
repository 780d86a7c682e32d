"""A recording policy as values: what the controller promises, before anybody is asked.

Rule: frozen, and complete enough to publish: everything that a policy says is here, also what other parts of the
product carry out (access, legal holds, reports). Words follow GDPR and ISO/IEC TS 27560.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from asterisk_consent.model import Basis, Direction, Mode
from asterisk_consent.policy.term import Term


class ChosenBy(StrEnum):
    """How the language of a call is chosen."""

    FIXED = "fixed"
    DIALLED = "dialled"
    CHANNEL = "channel"
    MENU = "menu"


UNRECORDED = "unrecorded"
"""What ``language.otherwise`` says where a call without a chosen language is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """How a recording may be kept past its term: by hand, for a reason, never past ``at_most`` after the call."""

    until: str
    at_most: Term
    second_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a recording may be used for.

    :param keep: how long, from the call on.
    :param announced: by language, the words that name it to the caller; a language that is missing does not.
    """

    name: str
    keep: Term
    announced: Mapping[str, str]
    live_listening: bool = False
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Who decides on the recording, and where to turn to (GDPR art. 4(7), 13(1)(a) and (b), 13(2)(d))."""

    id: str
    name: str
    address: str = ""
    timezone: str = "UTC"
    dpo: str = ""
    authority: str = ""
    breach_contact: str = ""
    privacy_notice: str = ""
    authorised_contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """Who runs the PBX on the controller's behalf (GDPR art. 28)."""

    name: str
    contact: str
    breach_contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who may use recordings, for which purposes, how, and who stands in."""

    name: str
    purposes: tuple[str, ...]
    ways: tuple[str, ...]
    """Of ``recording`` and ``live``."""
    deputy: str = ""
    established_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody outside who may receive a recording (GDPR art. 4(9), 13(1)(e))."""

    name: str
    address: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A legal entity whose calls are neither listened to nor recorded, and the numbers it is called on."""

    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """What holds for the people who answer (GDPR art. 13, 88)."""

    basis: str = ""
    notice: str = ""
    works_council: str = ""
    aliases: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """How requests are answered (GDPR art. 12(3), 15(3))."""

    answer_within: Term
    copy_holds: str
    copy_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What is counted over calls, and how long that is kept."""

    keep: Term
    per_agent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How the language of a call is chosen among those that are announced.

    :param menu: digit and language, in the order they are named.
    :param dialled: number dialled and language.
    :param otherwise: the language where none was chosen, or :data:`UNRECORDED`.
    """

    chosen_by: ChosenBy
    otherwise: str
    menu: tuple[tuple[str, str], ...] = ()
    dialled: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """What a caller presses; empty where there is no digit for it."""

    agree: str = ""
    refuse: str = ""
    repeat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Attempts and time-outs, in seconds."""

    attempts: int = 2
    repeats: int = 2
    first_digit_s: float = 5.0
    overall_s: float = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """What is dialled during the call; empty where there is none."""

    withdraw: str = ""
    pause: str = ""
    agent_stop: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a caller who is recorded is given of the call: the digits to withdraw with.

    :param read_out: whether they are read out before the call is put through.
    """

    read_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of one policy.

    :param text: the name of its announcement texts, ``sounds/<language>/<text>.toml``.
    :param addresses: by language, where to read more, as it is spoken; its keys are the languages announced.
    :param spoken_names: by language, the controller's name as it is spoken, where that differs from its name.
    """

    id: str
    version: int
    title: str
    mode: Mode
    basis: Basis
    assessment: str
    jurisdiction: str
    directions: tuple[Direction, ...]
    controller: Controller
    processor: Processor | None
    approving_role: str
    granting_role: str
    next_review: date | None
    special_category: bool
    card_data: bool
    proof_term: Term
    language: Language
    digits: Digits
    timing: Timing
    codes: Codes
    text: str
    addresses: Mapping[str, str]
    spoken_names: Mapping[str, str]
    purposes: tuple[Purpose, ...]
    roles: tuple[Role, ...]
    recipients: tuple[Recipient, ...]
    excluded: tuple[Excluded, ...]
    agents: Agents
    rights: Rights
    reports: Reports | None
    receipt: Receipt = Receipt()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which the policy is announced."""
        return tuple(self.addresses)

    @property
    def live_listening(self) -> bool:
        """Whether some purpose allows listening while the call goes on."""
        return any(purpose.live_listening for purpose in self.purposes)

    @property
    def takes_refusal(self) -> bool:
        """Whether a refusal is respected; with a legal obligation it is answered with that obligation."""
        return self.basis is not Basis.LEGAL_OBLIGATION

    def announced_purposes(self, language: str) -> tuple[Purpose, ...]:
        """Return the purposes that a caller in this language is told; no other is granted for the call."""
        return tuple(purpose for purpose in self.purposes if language in purpose.announced)

    def language_of(self, *, dialled: str, channel_language: str) -> str:
        """Return the language that a call begins with; empty where the caller chooses, or none fits."""
        match self.language.chosen_by:
            case ChosenBy.FIXED:
                return self.languages[0]
            case ChosenBy.DIALLED:
                chosen = dict(self.language.dialled).get(dialled, "")
            case ChosenBy.CHANNEL:
                chosen = _matching(channel_language, self.languages)
            case ChosenBy.MENU:
                return ""
        otherwise = "" if self.language.otherwise == UNRECORDED else self.language.otherwise
        return chosen or otherwise

    def excludes(self, dialled: str) -> bool:
        """Tell whether the number belongs to an entity whose calls are left alone."""
        return any(dialled in entity.numbers for entity in self.excluded)


def _matching(wanted: str, languages: tuple[str, ...]) -> str:
    """Return the language that fits a tag such as ``nl_BE`` best: itself, or the one it is a form of."""
    by_tag = {language.lower(): language for language in languages}
    tag = wanted.replace("_", "-").lower()
    while tag not in by_tag and "-" in tag:
        tag = tag.rpartition("-")[0]
    return by_tag.get(tag, "")
