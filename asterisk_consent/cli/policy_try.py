"""``policy try``: has the conversation of a policy in the terminal.

Rule: nothing is asked of the PBX and nothing is written down; what it comes to is what a call would come to.
"""

import textwrap
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import click

from asterisk_consent.calls.rehearsal import (
    GO_ON,
    HANG_UP,
    TIME_OUT,
    BrokenOff,
    Happening,
    NoEffect,
    NotUnderstood,
    Rehearsal,
    Result,
    Spoken,
    Waiting,
)
from asterisk_consent.cli.keys import typed_keys
from asterisk_consent.cli.listing import text_width, visible
from asterisk_consent.cli.policy_named import announcements_of, named_argument, named_policy
from asterisk_consent.cli.texts import texts_option
from asterisk_consent.model import Call, CallId, Direction, Outcome, Party
from asterisk_consent.policy import Policy

_KEYS = "Press digits while you read; Enter lets it go on; t: the time is over; q: hang up."
_NAMES = {HANG_UP: "(hangs up)", TIME_OUT: "(the time for it all is over)"}
_MEANINGS = {
    Outcome.GIVEN: "the caller agreed",
    Outcome.INFORMED: "the caller was told all of it",
    Outcome.REFUSED: "the caller does not agree",
    Outcome.OBJECTED: "the caller objects",
    Outcome.NO_CHOICE: "the caller made no choice that counts",
    Outcome.ABANDONED: "the caller hung up",
    Outcome.FAILED: "the call cannot be asked",
}
_ALIAS = "0123456789abcdef"


@click.command("try")
@named_argument
@click.option(
    "--dialled", metavar="NUMBER", default="1001", show_default=True, help="The number that is dialled."
)
@click.option(
    "--channel-language", metavar="TAG", default="", help="The language that the channel has in Asterisk."
)
@click.option(
    "--caller", metavar="NUMBER", default="+442079460101", show_default=True, help="The number that calls."
)
@click.option("--withheld", is_flag=True, help="The caller does not show the number.")
@texts_option
@click.pass_context
def try_(
    context: click.Context,
    named: str,
    dialled: str,
    channel_language: str,
    caller: str,
    withheld: bool,
    texts: Path,
) -> None:
    """Be the caller: read what is spoken, press digits, see what it comes to.

    Nothing takes time here. What you read is being spoken until you press Enter: a digit before that is pressed while
    it is spoken. Then the caller is silent until you press a digit, or Enter: silence until its time-out. The time for
    the whole conversation is not counted; t ends it. q, or the end of the input, hangs up.

    At a terminal every key counts at once. Otherwise the input is read by lines: the digits of a line are pressed one
    after the other, an empty line is Enter. So this agrees after the information: printf '\\n1\\n' | asterisk-consent
    policy try FILE
    """
    policy = named_policy(context, named).policy
    spoken, unreviewed = announcements_of(policy, texts)
    call = Call(
        call_id=CallId("0" * 32),
        channel="try",
        party=Party(number=None if withheld else caller, name=None),
        dialled=dialled,
        policy=policy.id,
        language=channel_language,
        direction=policy.directions[0],
        started_at=0,
        alias=_ALIAS,
    )
    width = text_width()
    click.echo(_folded(_opening(policy, call, unreviewed), width))
    rehearsal = Rehearsal(policy, spoken, call, region=policy.jurisdiction)
    with closing(typed_keys()) as keys:
        for line in conversation(rehearsal, keys, width=width):
            click.echo(line)


def conversation(rehearsal: Rehearsal, keys: Iterable[str], *, width: int) -> Iterator[str]:
    """Have a conversation with these keys; yield what is to be read. Where they end the caller hangs up."""
    yield from _described(rehearsal.begin(), width)
    typed = iter(keys)
    while rehearsal.result is None:
        key = next(typed, HANG_UP)
        if key != GO_ON:
            yield f"> {_NAMES.get(key) or visible(key)}"
        elif rehearsal.is_silent:
            yield "  (no digit comes)"
        yield from _described(rehearsal.take(key), width)
    yield ""
    yield from _outcome(rehearsal.result, rehearsal.policy, width)


def _opening(policy: Policy, call: Call, unreviewed: tuple[str, ...]) -> str:
    number = "A withheld number" if call.party.number is None else visible(call.party.number)
    way = "calls" if call.direction is Direction.INCOMING else "is called from"
    note = f" Nobody has reviewed the wording yet: {', '.join(unreviewed)}." if unreviewed else ""
    return f"{policy.id} version {policy.version}, {policy.mode}. {number} {way} {visible(call.dialled)}.{note} {_KEYS}"


def _described(happened: Iterable[Happening], width: int) -> Iterator[str]:
    for each in happened:
        match each:
            case Spoken(part, language, text):
                yield f"\n{part} ({language})"
                yield _folded(text, width, indent="  ")
            case BrokenOff(part):
                yield f"  (the {part} stops)"
            case Waiting(seconds):
                yield f"  (silence, for {seconds:g} s at most)"
            case NoEffect(digit, wrong):
                later = "; but silence will not count as having nothing against it" if wrong else ""
                yield f"  ({digit} has no effect now{later})"
            case NotUnderstood():
                yield _folded(f"(not understood. {_KEYS})", width, indent="  ")


def _outcome(result: Result, policy: Policy, width: int) -> Iterator[str]:
    if result.outcome is None:
        yield from _row(
            "outcome", ["off: nothing is asked, recorded or kept; the call goes on as it is"], width
        )
    else:
        digit = f", by digit {result.digit}" if result.digit else ""
        reason = f" ({result.reason})" if result.reason else ""
        meaning = _MEANINGS.get(result.outcome, "")
        yield from _row("outcome", [f"{result.outcome}{digit}: {meaning}{reason}"], width)
    yield from _row("language", [result.language or "none was chosen"], width)
    yield from _row("recorded", [_recorded(result)], width)
    granted = [f"{name}: granted" for name in result.granted]
    granted += [f"{name}: not granted, {why}" for name, why in result.not_granted]
    yield from _row("purposes", granted or ["none"], width)
    yield from _row("number kept", [_number(result, policy)], width)
    yield from _row("dialplan reads", [f"{name}={value}" for name, value in result.variables.items()], width)


def _recorded(result: Result) -> str:
    if result.recorded:
        return "the conversation with whom the caller is put through to, each side apart; nothing before that"
    if result.outcome is Outcome.ABANDONED:
        return "nothing; there is no call any more"
    return "nothing; the call goes on all the same"


def _number(result: Result, policy: Policy) -> str:
    if result.caller is not None:
        return f"{visible(result.caller)}, with the proof, for {policy.proof_term}"
    return "none: the caller withheld it" if result.recorded else "none: it is kept only with a recording"


def _row(label: str, lines: Iterable[str], width: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        name = label if number == 0 else ""
        yield _folded(line, width, first=f"{name:<16}", indent=" " * 16)


def _folded(text: str, width: int, *, first: str | None = None, indent: str = "") -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
