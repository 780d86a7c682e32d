"""Whose calls a command is about: a call, a receipt or a number; and to which controllers.

Rule: a number that is typed is never printed. ``-`` reads it from standard input, so that it stands neither in the
shell's history nor in the list of processes.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.config import Config, load_policy
from asterisk_consent.errors import ConfigError, RequestRefusedError
from asterisk_consent.ledger.read import approvals, calls_beginning_with
from asterisk_consent.ledger.standing import (
    calls_of_receipt,
    calls_of_subject,
    controllers_of_calls,
    erased_at,
)
from asterisk_consent.rights.objecting import Objector, objector

LEAST_OF_ID = 8
"""Characters of an id that name something."""
STDIN = "-"

F = TypeVar("F", bound=Callable[..., Any])


def _typed(_context: click.Context, _option: click.Parameter, number: str) -> str:
    """Return the number as it was given, or from standard input; a terminal does not show what is typed."""
    if number != STDIN:
        return number
    if sys.stdin.isatty():
        typed: str = click.prompt("Number", hide_input=True, err=True)
        return typed
    typed = sys.stdin.readline().strip()
    if not typed:
        raise click.UsageError("--number -: no number came on standard input")
    return typed


def number_option(*, required: bool = False, about: str) -> Callable[[F], F]:
    """Give a command the option that names a telephone number."""
    text = f"{about} '-' reads it from standard input: it then stands in no history and no list of processes."
    if required:
        return click.option("--number", required=True, callback=_typed, help=text)
    return click.option("--number", default="", callback=_typed, help=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """How the calls were named: by one of the first three, the others empty."""

    call_id: str = ""
    receipt: str = ""
    number: str = ""
    controller: str = ""

    @property
    def is_named(self) -> bool:
        """Whether anything at all was named."""
        return bool(self.call_id or self.receipt or self.number or self.controller)

    def check(self) -> None:
        """Complain where it does not name calls.

        :raises click.UsageError: it does not.
        """
        if sum(bool(each) for each in (self.call_id, self.receipt, self.number)) != 1:
            raise click.UsageError("Name one of CALL, --receipt and --number.")
        if self.controller and not self.number:
            raise click.UsageError("--controller goes with --number.")

    def calls(self, config: Config) -> list[str]:
        """Return the ids of the calls.

        :raises RequestRefusedError: there is none.
        """
        if self.call_id:
            return [one_call(config, self.call_id)]
        if self.receipt:
            digits = "".join(character for character in self.receipt if character.isdigit())
            found = calls_of_receipt(config.ledger_path, digits) if digits else []
            remedy = "It has 12 digits; only a call that was recorded has one"
            what = "no call has this receipt"
        else:
            controllers = controllers_of_calls(config.ledger_path)
            found = [
                each
                for who in objectors(config, self.number, self.controller, controllers)
                for each in calls_of_subject(config.ledger_path, who.subject, controller=who.controller)
            ]
            what = "no call of this number is known"
            remedy = (
                "A number is known only where a call may be recorded and the caller showed it; the receipt,"
                " or the moment of the call in 'asterisk-consent calls list', names others"
            )
        if not found:
            raise RequestRefusedError(what, remedy=remedy)
        return found


def one_call(config: Config, beginning: str) -> str:
    """Return the id of the one call that this names.

    :raises RequestRefusedError: it names none, or several, or one that was erased.
    """
    long_enough = len(beginning) >= LEAST_OF_ID
    rows = calls_beginning_with(config.ledger_path, beginning) if long_enough else []
    if len(rows) == 1:
        return rows[0].call_id
    at = erased_at(config.ledger_path, beginning) if long_enough and not rows else 0
    if at:
        raise RequestRefusedError(
            f"everything of this call was erased on {datetime.fromtimestamp(at, UTC):%Y-%m-%d}",
            remedy="Nothing more can be asked about it",
        )
    raise RequestRefusedError(
        f"{len(rows)} calls begin so" if rows else "no such call",
        remedy=f"See 'asterisk-consent calls list'; {LEAST_OF_ID} characters of an id are enough",
    )


def all_controllers(config: Config) -> list[str]:
    """Return the controllers of every policy that was approved or lies among the policies, and of every call.

    A policy file that cannot be read keeps nobody from objecting.
    """
    found = {row.controller for row in approvals(config.ledger_path)}
    found |= set(controllers_of_calls(config.ledger_path))
    for file in config.policies.glob("*.toml"):
        with suppress(ConfigError):
            found.add(load_policy(file).policy.controller.id)
    return sorted(found)


def objectors(config: Config, number: str, controller: str, controllers: list[str]) -> list[Objector]:
    """Return who a number is to each of the controllers, or to the one that is named.

    :raises RequestRefusedError: it is no telephone number, or the controller is not known.
    """
    if controller and controller not in all_controllers(config):
        raise RequestRefusedError(
            "no policy is of this controller",
            where=ascii(controller)[:64],
            remedy=f"One of {', '.join(all_controllers(config))}",
        )
    held = holdings_of(config)
    return [
        objector(number, region=config.region, controller=each, held=held)
        for each in ([controller] if controller else controllers)
    ]
