"""``withdraw``, ``erase`` and ``restrict``: what people ask for, taken at the command line.

Rule: the answer names every copy of every call: done, pending, kept with the article that keeps it, or failed. Who
asked and how that is known is entered, never a document. A number that is typed is never printed; where no request can
be entered about what it finds, the look is.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of, requests_of
from asterisk_consent.cli.listing import print_listing, visible
from asterisk_consent.cli.opening import identity_option, opening
from asterisk_consent.cli.person import person
from asterisk_consent.cli.unseen import number_option, reading_unseen, receipt_option
from asterisk_consent.cli.who_asks import asking, who_asks_options
from asterisk_consent.cli.whose import LEAST_OF_ID, Whose
from asterisk_consent.config import Config
from asterisk_consent.errors import KeysError, LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger.ownership import Ownership
from asterisk_consent.ledger.read import find_call
from asterisk_consent.ledger.standing import exports_of
from asterisk_consent.model import CopyState, Right
from asterisk_consent.rights.access import HandedOut, handed_out
from asterisk_consent.rights.copies import STILL_RECORDED
from asterisk_consent.rights.erasing import is_scrubbed
from asterisk_consent.rights.looking import Looking
from asterisk_consent.rights.requests import Answer, Requests

COLUMNS = (("call",), ("copy",), ("state",), ("note",))
SERVICE_S = 5.0
"""How long a command waits for what only the service can do: end a recording that runs, empty its logs."""
_AGAIN_S = 0.1

F = TypeVar("F", bound=Callable[..., Any])


def _about_calls(command: F) -> F:
    """Give a command what says whose calls it is about, and who asks."""
    for decorate in (
        reading_unseen,
        click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects."),
        identity_option,
        who_asks_options,
        click.option(
            "--controller", default="", metavar="ID", help="With --number: only calls of this controller."
        ),
        number_option(about="Every call of this telephone number."),
        receipt_option(about="The call with this receipt code."),
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
    keeps is kept, and the answer says so; what a legal hold kept goes when it ends.
    """
    _ask(config, Right.WITHDRAWAL, given)


@click.command()
@_about_calls
@configured
def erase(config: Config, /, **given: Any) -> None:
    """Erase everything that was kept of a call: audio, proof, and every row about it. The chain still holds.

    What a law or a legal hold keeps is restricted and stays; it goes when the legal hold ends. Whoever objected stays
    on the list of objections. Where a recording was handed out, run it as root or name an --identity: it tells to whom,
    which nobody can any more afterwards.
    """
    _ask(config, Right.ERASURE, given)


@click.command()
@click.option("--lift", is_flag=True, help="End a restriction that was asked for. Needs a --reason.")
@_about_calls
@configured
def restrict(config: Config, /, lift: bool, **given: Any) -> None:
    """Keep what there is of a call and show nothing of it (GDPR art. 18). Its terms go on.

    Whoever asked for it is told before it is lifted (art. 18(3)).
    """
    if lift:
        _lift(config, given)
    else:
        _ask(config, Right.RESTRICTION, given)


def _lift(config: Config, given: dict[str, Any]) -> None:
    whose = _whose(given)
    whose.check()
    looking = Looking(person=person(), reason=given["reason"])
    looking.check()
    requests = requests_of(config)
    lifted, refusals = [], []
    with whose.asked_about(config, looking) as calls:
        for call_id in calls:
            try:
                requests.lift(call_id, person=person(), reason=given["reason"])
                lifted.append(call_id)
            except RequestRefusedError as error:
                refusals.append(error)
        if not lifted:
            raise refusals[0]
    if given["as_json"]:
        click.echo(json.dumps([{"call_id": call_id, "restricted": False} for call_id in lifted], indent=2))
        return
    for call_id in lifted:
        click.echo(f"{call_id[:LEAST_OF_ID]}: the restriction is lifted.")


def _ask(config: Config, right: Right, given: dict[str, Any]) -> None:
    whose = _whose(given)
    whose.check()
    asked = asking(
        right,
        given,
        known_otherwise="by the receipt" if given["receipt"] else "",
        may_be_unknown=right is Right.WITHDRAWAL and bool(given["number"]),
    )
    why = asked.reason.strip() or f"{right} asked for by {asked.asked_by.strip()}"
    requests = requests_of(config)
    with whose.asked_about(config, Looking(person=asked.person, reason=why)) as calls:
        told = [each for call_id in calls for each in _to_tell(config, right, call_id, given["identity"])]
        entered = [(call_id, requests.enter(asked, call_id)) for call_id in calls]
    runs = _service_runs(config)
    answers = [_carried_out(requests, call_id, seq, wait=runs) for call_id, seq in entered]
    _print(answers, told, as_json=given["as_json"])
    if not runs and any(_waits_for_service(answer) for answer in answers):
        click.echo("The service does not run: it does what is pending once it does.", err=True)
    if right is Right.ERASURE and not _scrubbed(config):
        click.echo(
            "The write-ahead log may still hold what was overwritten: the service empties it once nobody reads.",
            err=True,
        )
    if any(copy.state is CopyState.FAILED for answer in answers for copy in answer.copies):
        raise RequestRefusedError(
            "not everything could be erased", remedy="The answer says what; the service tries again by itself"
        )


def _whose(given: dict[str, Any]) -> Whose:
    return Whose(
        call_id=given["call_id"],
        receipt=given["receipt"],
        number=given["number"],
        controller=given["controller"],
    )


def _to_tell(config: Config, right: Right, call_id: str, identity: Path | None) -> list[HandedOut]:
    """Return to whom recordings of a call were handed out: after an erasure nobody could tell."""
    call = find_call(config.ledger_path, call_id)
    if call is None or not exports_of(config.ledger_path, call_id):
        return []
    try:
        places, identities = opening(config, call.controller, identity)
        return handed_out(call, person=person(), places=places, identities=identities)
    except KeysError as error:
        if right is not Right.ERASURE:
            return []
        raise RequestRefusedError(
            f"a recording was handed out, and it cannot be read to whom: {error.what}",
            where=call_id,
            remedy="After the erasure nobody could be told (GDPR art. 19): run it as root, or name an --identity",
        ) from error


def _service_runs(config: Config) -> bool:
    with suppress(LedgerUnavailableError):
        return Ownership(config.ledger_path).is_taken()
    return True


def _waits_for_service(answer: Answer) -> bool:
    return any(copy.note == STILL_RECORDED for copy in answer.copies)


def _carried_out(requests: Requests, call_id: str, seq: int, *, wait: bool) -> Answer:
    """Carry a request out, and give the service a moment for what only it can do."""
    give_up_at = time.monotonic() + (SERVICE_S if wait else 0.0)
    while True:
        answer = requests.carry_out(seq)
        if answer is None:
            return Answer(request_seq=seq, reference="", call_id=call_id, copies=(), settled=True)
        if answer.settled or not _waits_for_service(answer) or time.monotonic() >= give_up_at:
            return answer
        time.sleep(_AGAIN_S)


def _scrubbed(config: Config) -> bool:
    give_up_at = time.monotonic() + SERVICE_S
    while not is_scrubbed(holdings_of(config)):
        if time.monotonic() >= give_up_at:
            return False
        time.sleep(_AGAIN_S)
    return True


def _print(answers: list[Answer], told: list[HandedOut], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_object(answer, told) for answer in answers], indent=2))
        return
    rows = [
        (answer.call_id[:LEAST_OF_ID], copy.what, str(copy.state), visible(copy.note, 200))
        for answer in answers
        for copy in answer.copies
    ]
    print_listing(COLUMNS, rows, empty="The service has erased everything meanwhile.")
    for answer in answers:
        click.echo(
            f"{answer.call_id[:LEAST_OF_ID]}: {_said(answer)}; the reference is {answer.reference or 'gone with it'}."
        )
    for each in told:
        click.echo(
            f"Tell {visible(each.recipient, 200)}, who received a copy on {_day(each.at)} (GDPR art. 19)."
        )


def _said(answer: Answer) -> str:
    if not answer.settled:
        return "entered, and not yet carried out"
    if any(copy.state is CopyState.KEPT for copy in answer.copies):
        return "carried out, save for what is kept"
    return "carried out"


def _object(answer: Answer, told: list[HandedOut]) -> dict[str, object]:
    return {
        "call_id": answer.call_id,
        "request": answer.request_seq,
        "reference": answer.reference or None,
        "settled": answer.settled,
        "copies": [{"what": c.what, "state": c.state, "note": c.note or None} for c in answer.copies],
        "tell": [
            {"recipient": each.recipient, "entry": each.seq, "handed_out_at": _moment(each.at)}
            for each in told
            if each.call_id == answer.call_id
        ],
    }


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
