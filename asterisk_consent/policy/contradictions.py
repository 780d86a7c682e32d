"""What in a policy contradicts itself, whatever the law of the place says; pure.

Rule: nothing here is a matter of opinion: a policy with one of these errors would promise what the product, or
anybody, cannot keep. Each rule is one small function that yields its findings.
"""

from collections.abc import Callable, Iterator
from datetime import date

from asterisk_consent.model import Basis, Mode
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.policy.model import UNRECORDED, ChosenBy, Policy
from asterisk_consent.toml_lines import inside

Rule = Callable[[Policy, date], Iterator[tuple[Severity, str, str, str]]]
"""Yields severity, place, what, instead."""

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


def contradictions(policy: Policy, *, today: date, line_of: Callable[[str], int]) -> list[Finding]:
    """Return what contradicts itself; ``line_of`` tells the line of a place of the file."""
    return [
        Finding(severity=severity, rule=name, place=place, what=what, instead=instead, line=line_of(place))
        for name, rule in RULES.items()
        for severity, place, what, instead in rule(policy, today)
    ]


def _digits_needed(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """Each mode needs its digits, and has no other."""
    digits = policy.digits
    if policy.mode is Mode.OPT_IN:
        for key in ("agree", "refuse"):
            if not getattr(digits, key):
                yield _ERROR, f"digits.{key}", f"opt-in needs a digit to {key}", f'write {key} = "…"'
    elif digits.agree:
        yield _ERROR, "digits.agree", f"nobody is asked to agree with mode '{policy.mode}'", "take it out"
    if policy.mode is Mode.OPT_OUT and not digits.refuse:
        yield _ERROR, "digits.refuse", "opt-out needs a digit to object", 'write refuse = "9"'
    if policy.mode is Mode.NOTICE:
        if digits.refuse and policy.takes_refusal:
            what = "a notice takes no digit: who objects tells the agent"
            yield _ERROR, "digits.refuse", what, "take it out, or write mode = 'opt-out'"
        if digits.repeat:
            yield _ERROR, "digits.repeat", "a notice is not repeated: nothing is asked", "take it out"


def _one_meaning(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A digit has one meaning at a time."""
    meanings: dict[str, str] = {}
    for key in ("agree", "refuse", "repeat"):
        digit = getattr(policy.digits, key)
        if digit and digit in meanings:
            what = f"'{digit}' means both {meanings[digit]} and {key}"
            yield _ERROR, f"digits.{key}", what, "give each meaning a digit of its own"
        elif digit:
            meanings[digit] = key
    for digit, language in policy.language.menu:
        if digit == policy.digits.refuse:
            what = f"'{digit}' means both {language} and refuse, which counts in the menu already"
            yield _ERROR, inside("language.menu", digit), what, "give the language another digit"


def _language_announced(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """What can be chosen is announced, and what is announced can be chosen."""
    language, announced = policy.language, policy.languages
    chosen = [
        *((inside("language.menu", digit), tag) for digit, tag in language.menu),
        *((inside("language.dialled", number), tag) for number, tag in language.dialled),
    ]
    if language.otherwise != UNRECORDED:
        chosen.append(("language.otherwise", language.otherwise))
    for place, tag in chosen:
        if tag not in announced:
            instead = f"write a section [announcement.{tag}], or one of {', '.join(announced)}"
            yield _ERROR, place, f"'{tag}' has no announcement", instead
    if language.chosen_by in (ChosenBy.MENU, ChosenBy.DIALLED):
        for tag in announced:
            if tag not in [chosen_tag for _, chosen_tag in chosen]:
                yield (
                    _WARNING,
                    f"announcement.{tag}",
                    f"nobody can choose '{tag}'",
                    "take it out, or offer it",
                )


def _repeat_kept(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A digit that repeats everything does so at least once."""
    if policy.digits.repeat and not policy.timing.repeats:
        what = f"'{policy.digits.repeat}' is to repeat everything, and nothing is ever repeated"
        yield _ERROR, "timing.repeats", what, "write at least 1, or take digits.repeat out"


def _menu(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A menu offers a choice, and no choice is no agreement, nor silence to a notice that was understood."""
    language = policy.language
    if language.chosen_by is not ChosenBy.MENU:
        return
    if len(language.menu) < 2:
        yield _ERROR, "language.menu", "a menu of one language is no choice", "write chosen_by = 'fixed'"
    tags = [tag for _, tag in language.menu]
    for digit, tag in language.menu:
        if tags.count(tag) > 1:
            place = inside("language.menu", digit)
            yield _ERROR, place, f"'{tag}' is offered twice", "keep one digit a language"
            break
    if language.otherwise != UNRECORDED:
        what = "a caller who chose no language was not informed in one"
        yield _ERROR, "language.otherwise", what, f"write otherwise = '{UNRECORDED}', or leave it out"


def _purpose_announced(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A purpose is announced, or it is granted for no call."""
    for number, purpose in enumerate(policy.purposes, 1):
        place = f"purposes[{number}].announced"
        missing = [language for language in policy.languages if language not in purpose.announced]
        if len(missing) == len(policy.languages):
            what = f"'{purpose.name}' is announced in no language, so no call is ever recorded for it"
            yield _ERROR, place, what, "write the words that name it to the caller, or take the purpose out"
        elif missing:
            what = (
                f"'{purpose.name}' is not announced in {', '.join(missing)} and not granted for calls in it"
            )
            yield _WARNING, place, what, "write its words, and have the text reviewed anew"
        for language in purpose.announced:
            if language not in policy.languages:
                what = f"'{language}' is not announced"
                yield _ERROR, inside(place, language), what, f"write a section [announcement.{language}]"
    for language in policy.languages:
        if policy.purposes and not policy.announced_purposes(language):
            what = f"no purpose is announced in {language}: nothing could be recorded"
            yield _ERROR, f"announcement.{language}", what, "write the words of at least one purpose"


def _purpose_once(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A purpose has one term."""
    names = [purpose.name for purpose in policy.purposes]
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            yield _ERROR, f"purposes[{number}].name", f"'{name}' is there twice", "keep one, with one term"


def _extension_longer(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """Keeping longer is longer than keeping."""
    for number, purpose in enumerate(policy.purposes, 1):
        extension = purpose.extension
        if extension is not None and not extension.at_most.is_longer_than(purpose.keep):
            what = f"extended to {extension.at_most}, but kept {purpose.keep} anyway"
            yield (
                _ERROR,
                f"purposes[{number}].extension.at_most",
                what,
                "write a longer term, or no extension",
            )


def _proof_outlives(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """As long as there is a recording its ground can be shown (GDPR art. 7(1), 5(2))."""
    for purpose in policy.purposes:
        kept = purpose.extension.at_most if purpose.extension else purpose.keep
        if kept.may_outlast(policy.proof_term):
            what = f"the proof goes after {policy.proof_term}, a recording for '{purpose.name}' after {kept}"
            yield _ERROR, "proof_term", what, f"write '{kept}' or longer"


def _opt_in_is_consent(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """Who is asked for agreement is not recorded on another basis anyway."""
    if policy.mode is Mode.OPT_IN and policy.basis is not Basis.CONSENT:
        what = f"opt-in asks for consent, but the basis is '{policy.basis}'"
        yield _ERROR, "basis", what, "write basis = 'consent', or mode = 'opt-out' or 'notice'"
    if policy.basis is Basis.LEGAL_OBLIGATION and policy.mode is Mode.OPT_OUT:
        what = "what the law demands cannot be objected to"
        yield _ERROR, "mode", what, "write mode = 'notice'"


def _access_fits(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """Nobody has access for a purpose, or in a way, that the policy does not have."""
    purposes = {purpose.name: purpose for purpose in policy.purposes}
    one_of_them = f"write one of {', '.join(purposes)}" if purposes else "take it out"
    for number, role in enumerate(policy.roles, 1):
        for name in role.purposes:
            place = f"access.roles[{number}].purposes"
            if name not in purposes:
                yield _ERROR, place, f"'{name}' is no purpose of this policy", one_of_them
            elif role.ways == ("live",) and not purposes[name].live_listening:
                what = f"'{role.name}' may only listen live, and '{name}' does not allow that"
                yield (
                    _ERROR,
                    place,
                    what,
                    "write live_listening = true at the purpose, or ways = ['recording']",
                )
    if policy.roles and not policy.granting_role:
        yield _ERROR, "access.granted_by", "nobody grants the access", "name the role that does"
    for number, recipient in enumerate(policy.recipients, 1):
        if recipient.purpose not in purposes:
            what = f"'{recipient.purpose}' is no purpose of this policy"
            yield _ERROR, f"recipients[{number}].purpose", what, one_of_them


def _codes_differ(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A code dialled during the call does one thing, and none begins like another."""
    codes = [(key, getattr(policy.codes, key)) for key in ("withdraw", "pause", "agent_stop")]
    set_codes = [(key, code) for key, code in codes if code]
    for number, (key, code) in enumerate(set_codes):
        for other, earlier in set_codes[:number]:
            if code.startswith(earlier) or earlier.startswith(code):
                what = f"'{code}' cannot be told from '{earlier}' ({other})"
                yield _ERROR, f"codes.{key}", what, "write codes of which none begins like another"


def _review_due(policy: Policy, today: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A policy is reviewed when it says so."""
    if policy.next_review is None:
        return
    if policy.next_review < today:
        what = f"the review was due on {policy.next_review}"
        yield _ERROR, "next_review", what, "review the policy, write a new version and the next date"
    elif (policy.next_review - today).days <= 30:
        yield _WARNING, "next_review", f"the review is due on {policy.next_review}", "plan it"


def _agents_informed(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """The people who answer are recorded too: they have a basis and are informed (GDPR art. 13)."""
    if policy.mode is not Mode.OFF and not policy.agents.basis:
        what = "the agents are recorded too, and nothing says on what basis"
        yield _ERROR, "agents", what, "write a section [agents] with basis and notice"


def _copy_reasoned(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A copy that holds less than the recording says why (GDPR art. 15(4))."""
    if policy.rights.copy_holds == "own side" and not policy.rights.copy_reason:
        what = "a copy of one's own side only, without a reason"
        yield _ERROR, "rights.copy_reason", what, "write why, or copy_holds = 'both sides'"


def _receipt_useful(policy: Policy, _: date) -> Iterator[tuple[Severity, str, str, str]]:
    """A receipt that is read out can be used."""
    if policy.receipt.read_out and not policy.takes_refusal:
        what = "the receipt is read out to withdraw with, and the law demands that the recording is kept"
        yield _WARNING, "receipt.read_out", what, "take it out, or tell what else the receipt is for"


RULES: dict[str, Rule] = {
    "digits-needed": _digits_needed,
    "digit-two-meanings": _one_meaning,
    "repeat-kept": _repeat_kept,
    "language-announced": _language_announced,
    "menu": _menu,
    "purpose-announced": _purpose_announced,
    "purpose-once": _purpose_once,
    "extension-longer": _extension_longer,
    "proof-outlives": _proof_outlives,
    "opt-in-is-consent": _opt_in_is_consent,
    "access-fits": _access_fits,
    "codes-differ": _codes_differ,
    "review-due": _review_due,
    "agents-informed": _agents_informed,
    "copy-reasoned": _copy_reasoned,
    "receipt-useful": _receipt_useful,
}
"""Every rule by the name it has in findings."""
