"""Whose calls a command is about: a call, a receipt or a number; and to which controllers.

Rule: a number that is typed is never printed, and whoever looks somebody up by one is entered with the reason before
anything is told: by the look itself, or by the request that the command enters about each call.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.config import Config, load_policy
from asterisk_consent.errors import ConfigError, ConsentError, RequestRefusedError
from asterisk_consent.ledger.read import approvals, calls_beginning_with
from asterisk_consent.ledger.standing import calls_of_receipt, controllers_of_calls, erased_at
from asterisk_consent.rights.looking import CALLS, Looking, calls_of, enter_look, look_up_calls
from asterisk_consent.rights.objecting import Objector, objector

LEAST_OF_ID = 8
"""Characters of an id that name something."""


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

    def looked_up(self, config: Config, looking: Looking) -> list[str]:
        """Return the ids of the calls, for somebody who only looks; by number the look is entered first.

        :raises RequestRefusedError: there is none, or no reason is given for a look by number.
        :raises LedgerError: the look cannot be entered; then nothing is told.
        """
        if not self.number:
            return self._named_otherwise(config)
        return _some(look_up_calls(self._objectors(config), looking, holdings_of(config)))

    @contextmanager
    def asked_about(self, config: Config, looking: Looking) -> Iterator[list[str]]:
        """Give the ids of the calls, for somebody who enters a request about each in the block.

        Where they were found by number and the block fails, so that something is told of them without a request, the
        look is entered in its place.

        :raises RequestRefusedError: there is none.
        :raises LedgerError: the look cannot be entered; then nothing is told.
        """
        if not self.number:
            yield self._named_otherwise(config)
            return
        held = holdings_of(config)
        found = [(who, calls_of(who, held)) for who in self._objectors(config)]
        try:
            yield _some([call_id for _, calls in found for call_id in calls])
        except ConsentError:
            for who, calls in found:
                enter_look(who.controller, looking, among=CALLS, found=len(calls), held=held)
            raise

    def _objectors(self, config: Config) -> list[Objector]:
        return objectors(config, self.number, self.controller, controllers_of_calls(config.ledger_path))

    def _named_otherwise(self, config: Config) -> list[str]:
        if self.call_id:
            return [one_call(config, self.call_id)]
        digits = "".join(character for character in self.receipt if character.isdigit())
        found = calls_of_receipt(config.ledger_path, digits) if digits else []
        if not found:
            raise RequestRefusedError(
                "no call has this receipt", remedy="It has 12 digits; only a call that was recorded has one"
            )
        return found


def _some(found: list[str]) -> list[str]:
    if not found:
        raise RequestRefusedError(
            "no call of this number is known",
            remedy="A number is known only where a call may be recorded and the caller showed it; the receipt,"
            " or the moment of the call in 'asterisk-consent calls list', names others",
        )
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
