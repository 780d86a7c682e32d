"""Policies and callers at random: mostly sensible, so that many calls are asked, and wrong in every way now and then.

The texts are the sentences of the shipped ones, put together by kind of policy, with what they lack of a language.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from asterisk_consent.prompts.text import DUTIES, load_text
from tests.policy.shipped import TEXTS

LANGUAGES = ("nl", "en", "fr")
DIALLED = "1001"
"""What every caller dials."""
NEVER_S = float("inf")

_MORE: Mapping[str, Mapping[str, str]] = {
    "nl": {},
    "en": {
        "legal_obligation": "because the law demands it,",
        "no_refusal": "The law obliges us to record; you cannot refuse.",
    },
    "fr": {
        "content": "votre voix et ce que vous dites.",
        "withdrawal": "Vous pouvez retirer votre accord à tout moment.",
        "legal_obligation": "car la loi l'exige,",
        "agree": "Tapez {agree_digit} si vous êtes d'accord,",
        "refuse": "{refuse_digit} si vous refusez,",
        "repeat": "ou {repeat_digit} pour réécouter.",
        "no_refusal": "La loi nous y oblige ; vous ne pouvez pas refuser.",
    },
}
_INFORMATION = ("controller", "recording", "monitoring", "purposes", "storage", "address")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "asked": (*_INFORMATION, "content", "withdrawal", "agree", "refuse", "repeat", "choose"),
    "asked-once": (*_INFORMATION, "content", "withdrawal", "agree", "refuse", "choose"),
    "offered": (*_INFORMATION, "objection", "object", "choose"),
    "told": (*_INFORMATION, "objection", "choose"),
    "ordered": (*_INFORMATION, "legal_obligation", "no_refusal", "choose"),
}
"""What a text of each kind says."""


def write_texts(directory: Path) -> None:
    """Write a text of every kind in every language."""
    for language in LANGUAGES:
        known: dict[str, str] = {}
        announcements = set((TEXTS / language).glob("*.toml")) - {TEXTS / language / "withdrawal.toml"}
        for file in sorted(announcements, reverse=True):
            for sentences in load_text(file).parts.values():
                known |= sentences
        known |= _MORE[language]
        (directory / language).mkdir()
        for kind, duties in _KINDS.items():
            lines = ['reviewed_by = "nobody"']
            for part, sentences in DUTIES.items():
                said = [duty for duty in sentences if duty in duties]
                lines += [f"[{part}]"] if said else []
                lines += [f"{duty} = {_text(known[duty])}" for duty in said]
            (directory / language / f"{kind}.toml").write_text("\n".join(lines), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What one caller does and what happens around the call, in seconds after its arrival."""

    digits: tuple[tuple[float, str], ...]
    hangs_up_at_s: float
    breaks_at_s: float
    broken_for_s: float
    stops_at_s: float
    language: str
    presentation: str
    entry_takes_s: float
    failures: int
    unanswered: int
    cut_short: str

    @property
    def is_undisturbed(self) -> bool:
        """Whether nothing happens to the service, its ledger or its connection."""
        lasts = self.breaks_at_s == self.stops_at_s == NEVER_S
        return lasts and not self.failures and not self.unanswered


def _seldom(
    value: object, instead: st.SearchStrategy[object], *, once_in: int = 8
) -> st.SearchStrategy[object]:
    return st.integers(0, once_in - 1).flatmap(lambda lot: instead if lot == once_in - 1 else st.just(value))


def _tenths(low: float, high: float) -> st.SearchStrategy[float]:
    return st.integers(round(low * 10), round(high * 10)).map(lambda tenths: tenths / 10)


_PLANS = [
    "1",
    "1",
    "1",
    "1",
    "",
    "2",
    "2",
    "9",
    "9",
    "31",
    "71",
    "12",
    "99",
    "3331",
    "#*A0",
    "11",
    "29",
    "7777",
]
"""What a caller presses, one after the other, once the language is chosen."""


@st.composite
def _presses(draw: st.DrawFn) -> tuple[tuple[float, str], ...]:
    presses: list[tuple[float, str]] = []
    at_s = 0.03 + draw(_tenths(0.5, 6.0))  # never in the moment in which anything else happens
    chosen = draw(st.sampled_from(["4", "4", "4", "5", "6", ""]))
    presses += [(at_s, chosen)] if chosen else []
    at_s += draw(st.one_of(_tenths(0.1, 28.0), _tenths(14.0, 20.0), _tenths(14.0, 20.0)))
    for digit in draw(st.sampled_from(_PLANS)):
        presses.append((at_s, digit))
        at_s += draw(_tenths(0.1, 15.0))
    return tuple(presses)


@st.composite
def callers(draw: st.DrawFn) -> Caller:
    """A caller who presses, waits or hangs up whenever it comes to mind."""
    at = _tenths(0.0, 60.0).map(lambda at_s: at_s + 0.06)
    cuts = st.sampled_from(["information", "question", "menu"])
    return Caller(
        digits=draw(_presses()),
        hangs_up_at_s=float(str(draw(_seldom(NEVER_S, at)))),
        breaks_at_s=float(str(draw(_seldom(NEVER_S, at)))),
        broken_for_s=draw(_tenths(0.1, 20.0)),
        stops_at_s=float(str(draw(_seldom(NEVER_S, at, once_in=16)))),
        language=draw(st.sampled_from(["nl", "nl", "nl_BE", "en_GB", "fr", "sv", ""])),
        presentation=draw(st.sampled_from(["allowed", "allowed_not_screened", "prohib_not_screened"])),
        entry_takes_s=draw(st.sampled_from([*[0.0] * 8, 0.4, 5.0])),
        failures=draw(st.sampled_from([0] * 24 + [1, -1])),
        unanswered=draw(st.sampled_from([0] * 15 + [1])),
        cut_short=str(draw(_seldom("", cuts, once_in=16))),
    )


class _Flaws:
    """What is wrong with a policy: nothing, for more than half of them; else every value now and then."""

    def __init__(self, *, some: bool) -> None:
        self.some = some

    def __call__(
        self, value: object, instead: st.SearchStrategy[object], *, once_in: int = 12
    ) -> st.SearchStrategy[object]:
        """Return the value, or now and then something instead of it."""
        return _seldom(value, instead, once_in=once_in) if self.some else st.just(value)


@st.composite
def policies(draw: st.DrawFn) -> str:
    """A policy file, as TOML."""
    flaws = _Flaws(some=draw(st.sampled_from([False, False, False, True, True])))
    mode = draw(st.sampled_from(["opt-in"] * 6 + ["opt-out"] * 6 + ["notice"] * 4 + ["off"]))
    mode = str(draw(flaws(mode, st.just("ask"), once_in=20)))
    languages = draw(st.sampled_from([*[("nl",)] * 4, ("en",), ("nl", "en"), ("fr", "nl"), LANGUAGES]))
    basis, kind = draw(_basis_and_kind(flaws, mode))
    lines = [
        'id = "random"',
        "version = 1",
        f"mode = {_text(mode)}",
        f"basis = {_text(basis)}",
        f"jurisdiction = {_text(draw(st.sampled_from(['NL', 'NL', 'GB', 'FR', 'NO', 'BE', 'ES'])))}",
        f"direction = {_text(draw(st.sampled_from(['incoming', 'incoming', 'incoming', 'both', 'outgoing'])))}",
        f"assessment = {_text(draw(flaws('LIA 2026-05', st.just(''), once_in=20)))}",
        f"special_category = {_text(draw(flaws(False, st.just(True))))}",
        f"card_data = {_text(draw(flaws(False, st.just(True), once_in=20)))}",
    ]
    if mode != "off":
        lines += [
            f"next_review = {draw(flaws('2027-10-01', st.sampled_from(['2026-11-30', '2020-01-01'])))}",
            f"proof_term = {_text(draw(flaws('10 years', st.sampled_from(['1 day', '1 month', 'ever']))))}",
        ]
    lines += ["[controller]", 'id = "controller"', 'name = "Voorbeeld BV"']
    lines += ['dpo = "dpo@example"', 'authority = "the authority"', 'privacy_notice = "https://example"']
    lines += ["[approval]", 'role = "dpo"']
    lines += draw(_digits(flaws, kind))
    lines += draw(_timing(flaws))
    if mode != "off":
        lines += draw(_language(flaws, languages))
        lines += [
            "[announcement]",
            f"text = {_text(draw(flaws(kind, st.sampled_from([*_KINDS, 'none']))))}",
        ]
        for language in languages:
            lines += [f"[announcement.{language}]", f"address = {_text(f'example {language}')}"]
        lines += draw(_purposes(flaws, languages))
    lines += draw(_rest(flaws, mode))
    return "\n".join([*lines, ""])


@st.composite
def _basis_and_kind(draw: st.DrawFn, flaws: _Flaws, mode: str) -> tuple[str, str]:
    interests = st.sampled_from(["legitimate-interests"] * 3 + ["public-task", "contract"])
    match mode:
        case "opt-in":
            basis = flaws("consent", st.sampled_from(["contract", "legal-obligation"]))
            return str(draw(basis)), draw(st.sampled_from(["asked", "asked-once"]))
        case "opt-out":
            return str(
                draw(flaws(draw(interests), st.sampled_from(["consent", "legal-obligation"])))
            ), "offered"
        case "notice" if draw(st.booleans()):
            return "legal-obligation", "ordered"
        case _:
            return str(draw(flaws(draw(interests), st.just("consent")))), "told"


@st.composite
def _digits(draw: st.DrawFn, flaws: _Flaws, kind: str) -> list[str]:
    some = st.sampled_from(["", "1", "2", "3", "9", "*", "12"])
    usual = {
        "asked": {"agree": "1", "refuse": "2", "repeat": "3"},
        "asked-once": {"agree": "1", "refuse": "2"},
        "offered": {"refuse": "9"},
        "told": {},
        "ordered": {"refuse": "9"} if draw(st.booleans()) else {},
    }[kind]
    chosen = {
        key: str(draw(flaws(usual.get(key, ""), some, once_in=25))) for key in ("agree", "refuse", "repeat")
    }
    return ["[digits]", *(f"{key} = {_text(digit)}" for key, digit in chosen.items() if digit)]


@st.composite
def _timing(draw: st.DrawFn, flaws: _Flaws) -> list[str]:
    return [
        "[timing]",
        f"attempts = {draw(flaws(draw(st.integers(1, 5)), st.sampled_from([0, 6]), once_in=40))}",
        f"repeats = {draw(flaws(draw(st.integers(1, 5)), st.sampled_from([0, 6]), once_in=20))}",
        f"first_digit_s = {draw(flaws(draw(_tenths(1.0, 7.0)), st.just(8), once_in=40)):.2f}",
        f"overall_s = {draw(flaws(draw(_tenths(5.0, 300.0)), st.just(1000), once_in=40)):.1f}",
    ]


@st.composite
def _language(draw: st.DrawFn, flaws: _Flaws, languages: tuple[str, ...]) -> list[str]:
    several = ["menu", "menu", "dialled", "channel"]
    chosen_by = draw(
        st.sampled_from(several if len(languages) > 1 else ["fixed", "fixed", "channel", "dialled"])
    )
    chosen_by = str(draw(flaws(chosen_by, st.sampled_from([*several, "fixed"]))))
    lines = ["[language]", f"chosen_by = {_text(chosen_by)}"]
    any_language = flaws(draw(st.sampled_from([*languages, "unrecorded"])), st.sampled_from(LANGUAGES))
    if chosen_by != "menu" and draw(st.booleans()):
        lines.append(f"otherwise = {_text(draw(any_language))}")
    if chosen_by == "menu":
        lines.append("[language.menu]")
        digits = list(str(draw(flaws("456", st.sampled_from(["9*1", "12#", "654"])))))
        lines += [f"{_text(digit)} = {_text(tag)}" for digit, tag in zip(digits, languages, strict=False)]
    if chosen_by == "dialled":
        lines.append("[language.dialled]")
        numbers = draw(st.permutations([DIALLED, "1002", "1003"]))
        lines += [f"{number} = {_text(tag)}" for number, tag in zip(numbers, languages, strict=False)]
    return lines


@st.composite
def _purposes(draw: st.DrawFn, flaws: _Flaws, languages: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    names = draw(
        st.sampled_from([("training",), ("training", "evidence"), ("training", "quality", "evidence")])
    )
    for number, name in enumerate(names):
        # The first purpose is announced in every language, or else there might be nothing to say in one.
        whole = not number and not (flaws.some and draw(st.booleans()))
        announced = [tag for tag in languages if whole or draw(st.integers(0, 2))]
        keep = draw(st.sampled_from(["30 days", "1 month", "4 weeks"] if number else ["30 days", "1 month"]))
        lines += ["[[purposes]]", f"name = {_text(draw(flaws(name, st.just('training'), once_in=30)))}"]
        lines += [f"keep = {_text(draw(flaws(keep, st.just('11 years'))))}"]
        lines += [f"live_listening = {_text(draw(st.booleans()))}"]
        lines += ["[purposes.announced]", *(f"{tag} = {_text(f'{name} {tag}')}" for tag in announced)]
        if not draw(st.integers(0, 5)):
            lines += ["[purposes.extension]", 'until = "the end"']
            lines += [f"at_most = {_text(draw(flaws('10 years', st.just('10 days'))))}"]
    return lines


@st.composite
def _rest(draw: st.DrawFn, flaws: _Flaws, mode: str) -> list[str]:
    lines: list[str] = []
    if mode != "off" and draw(st.booleans()):
        lines += ["[access]", 'granted_by = "dpo"', "[[access.roles]]", 'name = "manager"']
        lines += [f"purposes = [{_text(draw(flaws('training', st.just('marketing'))))}]"]
    if not draw(st.integers(0, 9)):
        lines += ["[[excluded]]", 'name = "Zorg"']
        lines += [f"numbers = [{_text(draw(st.sampled_from(['1008', '1009', DIALLED])))}]"]
    if draw(st.booleans()):
        lines += ["[codes]", 'pause = "*7"', f"withdraw = {_text(draw(flaws('*9', st.just('*77'))))}"]
    if draw(flaws(True, st.just(False), once_in=20)):
        lines += ["[agents]", 'basis = "contract"']
        lines += [f"notice = {_text(draw(flaws('handbook', st.just(''), once_in=20)))}"]
    if not draw(flaws(True, st.just(False), once_in=20)):
        lines += ["[unknown]", "key = 1"]
    return lines


def _text(value: object) -> str:
    return json.dumps(value)
