"""``object``: the list of people who object to being recorded, by number.

Rule: the list holds no number, and a number that is typed is never printed. Who asked, and how that is known, is
entered, also where nothing changes; who only tried to take a number off is entered as who looked it up.
"""

import json
from typing import Any

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.cli.unseen import number_option, reading_unseen
from asterisk_consent.cli.who_asks import asking, who_asks_options
from asterisk_consent.cli.whose import all_controllers, objectors
from asterisk_consent.config import Config
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.read import approvals
from asterisk_consent.ledger.standing import has_objected, objections
from asterisk_consent.model import Right
from asterisk_consent.rights.looking import OBJECTIONS, Looking, enter_look
from asterisk_consent.rights.objecting import Objector, lift_objection, object_to
from asterisk_consent.rights.requests import Asking
from asterisk_consent.rights.retention import approved_policies

ON = "on the list of objections from the next call on"
ALREADY = "on the list of objections already"
OFF = "no longer on the list of objections"
NEVER = "not on the list of objections"


@click.command("object")
@number_option(required=True, about="Whose objection.")
@click.option("--controller", default="", metavar="ID", help="To this controller only; by default to all.")
@click.option("--lift", is_flag=True, help="Take the number off the list again. Needs a --reason.")
@who_asks_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@reading_unseen
@configured
def object_(
    config: Config, /, number: str, controller: str, lift: bool, as_json: bool, **who_asks: Any
) -> None:
    """Put a number on the list of objections: whoever calls from it is neither asked nor recorded (GDPR art. 21).

    It is about calls to come; 'withdraw' is about those that were recorded. The list survives every erasure.
    """
    asked = asking(Right.OBJECTION, who_asks)
    if lift:
        Looking(person=asked.person, reason=asked.reason).check()
    lists = _lists(config) if lift else all_controllers(config)
    said = [
        (who.controller, _change(config, who, asked, lift=lift))
        for who in objectors(config, number, controller, lists)
    ]
    if all(what == NEVER for _, what in said):
        raise RequestRefusedError(
            "that number is not on the list of objections",
            where=controller,
            remedy="It is written as for 'object' without --lift, with its country code where in doubt",
        )
    by_law = _recorded_by_law(config)
    if as_json:
        rows = [_object(name, what, by_law.get(name, ())) for name, what in said]
        click.echo(json.dumps(rows, indent=2))
        return
    for name, what in said:
        click.echo(f"{name}: {what}.")
        if not lift and name in by_law:
            click.echo(f"{name}: a law demands recordings under {', '.join(by_law[name])} all the same.")


def _lists(config: Config) -> list[str]:
    """Return the controllers that anybody objects to."""
    return sorted({controller for controller, _ in objections(config.ledger_path)})


def _change(config: Config, who: Objector, asked: Asking, *, lift: bool) -> str:
    held = holdings_of(config)
    if not lift:
        return ON if object_to(who, asked, held) else ALREADY
    if not has_objected(config.ledger_path, who.subject, controller=who.controller):
        looking = Looking(person=asked.person, reason=asked.reason)
        enter_look(who.controller, looking, among=OBJECTIONS, found=0, held=held)
        return NEVER
    lift_objection(who, asked, held)
    return OFF


def _recorded_by_law(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the policies that take no refusal, by controller."""
    approved = approved_policies(approvals(config.ledger_path)).values()
    found: dict[str, tuple[str, ...]] = {}
    for policy in approved:
        names = found.get(policy.controller.id, ())
        if not policy.takes_refusal and policy.id not in names:
            found[policy.controller.id] = (*names, policy.id)
    return found


def _object(controller: str, what: str, by_law: tuple[str, ...]) -> dict[str, object]:
    return {
        "controller": controller,
        "objects": what in (ON, ALREADY),
        "changed": what in (ON, OFF),
        "recorded_by_law": list(by_law),
    }
