"""``withdraw``, ``erase``, ``restrict`` and ``object``: what people ask for, taken at the command line.

Rule: the answer names every copy of every call: done, pending, kept with the article that keeps it, or failed. Who
asked and how that is known is entered, never a document. A number that is typed is never printed.
"""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of, requests_of
from asterisk_consent.cli.listing import print_listing
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.read import calls_beginning_with
from asterisk_consent.ledger.standing import calls_of_receipt, calls_of_subject
from asterisk_consent.model import CopyState, Right
from asterisk_consent.rights.erasing import is_scrubbed
from asterisk_consent.rights.objecting import Objector, lift_objection, object_to, objector
from asterisk_consent.rights.requests import Answer, Asking, Requests

COLUMNS = (("call",), ("copy",), ("state",), ("note",))
LEAST_OF_ID = 8
SERVICE_S = 5.0
"""How long a command waits for what only the service can do: end a recording that runs."""
_AGAIN_S = 0.1

F = TypeVar("F", bound=Callable[..., Any])


def _about_calls(command: F) -> F:
    """Give a command what says whose calls it is about, and who asks."""
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects."),
        click.option("--reason", default="", help="Why, where something was said; entered into the ledger."),
        click.option(
            "--identified-by",
            default="",
            metavar="HOW",
            help="How you know who asks: 'called back on the number of the call'. Never the number of a document.",
        ),
        click.option(
            "--asked-by", default="", metavar="WHO", help="Who asks; entered into the ledger. Needed."
        ),
        click.option(
            "--controller", default="", metavar="ID", help="With --number: only calls of this controller."
        ),
        click.option("--number", default="", help="Every call of this telephone number."),
        click.option("--receipt", default="", metavar="DIGITS", help="The call with this receipt code."),
        click.argument("call_id", metavar="[CALL]", required=False, default=""),
    ):
        command = decorate(command)
    return command


@click.command()
@_about_calls
@configured
def withdraw(config: Config, /, **given: Any) -> None:
    """Carry out a withdrawal: a running recording stops, the audio is erased, the proof is restricted until its term.

    Name the call, its receipt, or the number. By number alone nothing is shown any more from now on, and the audio goes
    once somebody was identified (the same again with --identified-by), or after 24 hours. What a law or a legal hold
    keeps is kept, and the answer says so.
    """
    _ask(config, Right.WITHDRAWAL, given)


@click.command()
@_about_calls
@configured
def erase(config: Config, /, **given: Any) -> None:
    """Erase everything that was kept of a call: audio, proof, and every row about it. The chain still holds.

    What a law or a legal hold keeps is restricted and stays. Whoever objected stays on the list of objections.
    """
    _ask(config, Right.ERASURE, given)


@click.command()
@click.option("--lift", is_flag=True, help="End a restriction that was asked for.")
@_about_calls
@configured
def restrict(config: Config, /, lift: bool, **given: Any) -> None:
    """Keep what there is of a call and show nothing of it (GDPR art. 18)."""
    if not lift:
        _ask(config, Right.RESTRICTION, given)
        return
    for call_id in _calls(config, given):
        requests_of(config).lift(call_id, person=person(), reason=given["reason"])
        click.echo(f"{call_id[:LEAST_OF_ID]}: the restriction is lifted.")


@click.command("object")
@click.option("--number", required=True, help="Whose objection.")
@click.option("--controller", default="", metavar="ID", help="To this controller only; by default to all.")
@click.option("--lift", is_flag=True, help="Take the number off the list again.")
@configured
def object_(config: Config, number: str, controller: str, lift: bool) -> None:
    """Put a number on the list of objections: whoever calls from it is neither asked nor recorded (GDPR art. 21)."""
    held = holdings_of(config)
    for who in _objectors(config, number, controller):
        if lift:
            lift_objection(who, person=person(), held=held)
            click.echo(f"{who.controller}: no longer on the list of objections.")
        elif object_to(who, person=person(), held=held):
            click.echo(f"{who.controller}: on the list of objections from the next call on.")
        else:
            click.echo(f"{who.controller}: on the list of objections already.")


def _ask(config: Config, right: Right, given: dict[str, Any]) -> None:
    if not given["asked_by"].strip():
        raise RequestRefusedError("nobody is named", remedy="Say who asks with --asked-by WHO")
    known = given["identified_by"].strip() or ("by the receipt" if given["receipt"] else "")
    if not known and not (right is Right.WITHDRAWAL and given["number"]):
        raise RequestRefusedError(
            "it is not said how you know who asks", remedy="Say it with --identified-by HOW"
        )
    asking = Asking(
        right=right,
        asked_by=given["asked_by"],
        identified_by=known,
        person=person(),
        reason=given["reason"],
    )
    requests = requests_of(config)
    entered = [(call_id, requests.enter(asking, call_id)) for call_id in _calls(config, given)]
    answers = [_carried_out(requests, call_id, seq) for call_id, seq in entered]
    _print(answers, as_json=given["as_json"])
    if right is Right.ERASURE and not _scrubbed(config):
        click.echo("The write-ahead log still holds what was overwritten: the service empties it.", err=True)
    if any(copy.state is CopyState.FAILED for answer in answers for copy in answer.copies):
        raise RequestRefusedError(
            "not everything could be erased", remedy="The answer says what; the service tries again by itself"
        )


def _carried_out(requests: Requests, call_id: str, seq: int) -> Answer:
    """Carry a request out, and give the service a moment for what only it can do."""
    give_up_at = time.monotonic() + SERVICE_S
    while True:
        answer = requests.carry_out(seq)
        if answer is None:
            return Answer(request_seq=seq, reference="", call_id=call_id, copies=(), settled=True)
        waits = any(
            copy.state is CopyState.PENDING and "being recorded" in copy.note for copy in answer.copies
        )
        if answer.settled or not waits or time.monotonic() >= give_up_at:
            return answer
        time.sleep(_AGAIN_S)


def _scrubbed(config: Config) -> bool:
    give_up_at = time.monotonic() + SERVICE_S
    while not is_scrubbed(holdings_of(config)):
        if time.monotonic() >= give_up_at:
            return False
        time.sleep(_AGAIN_S)
    return True


def _calls(config: Config, given: dict[str, Any]) -> list[str]:
    """Return the ids of the calls that were named, in one of the three ways."""
    call_id, receipt, number = given["call_id"], given["receipt"], given["number"]
    if sum(bool(each) for each in (call_id, receipt, number)) != 1:
        raise click.UsageError("name one of CALL, --receipt and --number")
    if call_id:
        rows = calls_beginning_with(config.ledger_path, call_id) if len(call_id) >= LEAST_OF_ID else []
        found = [row.call_id for row in rows]
        if len(found) > 1:
            raise RequestRefusedError(f"{len(found)} calls begin so", where=ascii(call_id)[:64])
    elif receipt:
        digits = "".join(character for character in receipt if character.isdigit())
        found = calls_of_receipt(config.ledger_path, digits) if digits else []
    else:
        found = [
            each
            for who in _objectors(config, number, given["controller"])
            for each in calls_of_subject(config.ledger_path, who.subject, controller=who.controller)
        ]
    if not found:
        raise RequestRefusedError("no such call", remedy="See 'asterisk-consent calls list'")
    return found


def _objectors(config: Config, number: str, controller: str) -> list[Objector]:
    held = holdings_of(config)
    known = {each.policy.controller.id for each in load_policies(config.policies).values()}
    if controller and controller not in known:
        raise RequestRefusedError(
            "no policy is of this controller",
            where=ascii(controller)[:64],
            remedy=f"One of {', '.join(known)}",
        )
    return [
        objector(number, region=config.region, controller=each, held=held)
        for each in ([controller] if controller else sorted(known))
    ]


def _print(answers: list[Answer], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_object(answer) for answer in answers], indent=2))
        return
    rows = [
        (answer.call_id[:LEAST_OF_ID], copy.what, str(copy.state), copy.note)
        for answer in answers
        for copy in answer.copies
    ]
    print_listing(COLUMNS, rows, empty="Nothing was kept of it.")
    for answer in answers:
        settled = "carried out" if answer.settled else "entered, and not yet carried out"
        click.echo(f"{answer.call_id[:LEAST_OF_ID]}: {settled}; the reference is {answer.reference}.")


def _object(answer: Answer) -> dict[str, object]:
    return {
        "call_id": answer.call_id,
        "request": answer.request_seq,
        "reference": answer.reference or None,
        "settled": answer.settled,
        "copies": [{"what": c.what, "state": c.state, "note": c.note or None} for c in answer.copies],
    }
