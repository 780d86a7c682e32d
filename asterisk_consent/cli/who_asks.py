"""Who asks for something, and how that is known: the options and checks of every command that takes a request.

Rule: both are entered, never the number of a document.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from asterisk_consent.cli.person import person
from asterisk_consent.cli.unseen import HINT
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.model import Right
from asterisk_consent.rights.requests import Asking, refuse_documents

F = TypeVar("F", bound=Callable[..., Any])


def who_asks_options(command: F) -> F:
    """Give a command the options that say who asks, how that is known, and why."""
    for decorate in (
        click.option("--reason", default="", help="Why, where something was said; entered into the ledger."),
        click.option(
            "--identified-by",
            default="",
            metavar="HOW",
            help="How you know who asks: 'called back on the number of the call'. Never the number of a document.",
        ),
        click.option(
            "--asked-by",
            default="",
            metavar="WHO",
            help=f"Who asks; entered into the ledger. Needed. {HINT}",
        ),
    ):
        command = decorate(command)
    return command


def asking(
    right: Right, given: dict[str, Any], *, known_otherwise: str = "", may_be_unknown: bool = False
) -> Asking:
    """Return who asks for what, out of the values of the options.

    :param known_otherwise: how it is known where ``--identified-by`` says nothing.
    :param may_be_unknown: whether somebody may ask of whom nothing is known yet.
    :raises click.UsageError: it is not said who asks.
    :raises RequestRefusedError: it is not said how that is known, or a document is named.
    """
    if not given["asked_by"].strip():
        raise click.UsageError("Say who asks with --asked-by WHO.")
    known = given["identified_by"].strip() or known_otherwise
    if not known and not may_be_unknown:
        raise RequestRefusedError(
            "it is not said how you know who asks", remedy="Say it with --identified-by HOW"
        )
    refuse_documents(known)
    return Asking(
        right=right,
        asked_by=given["asked_by"],
        identified_by=known,
        person=person(),
        reason=given["reason"],
    )
