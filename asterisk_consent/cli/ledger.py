"""``asterisk-consent ledger``: check the evidence, and make the tables for reading anew.

Rule: a chain that does not verify ends with exit status 4, in words and as JSON alike.
"""

import click
import msgspec

from asterisk_consent.cli.configured import configured
from asterisk_consent.config import Config
from asterisk_consent.errors import LedgerBrokenError
from asterisk_consent.ledger import Head, VerifyReport
from asterisk_consent.ledger import rebuild as rebuild_projections
from asterisk_consent.ledger import verify as verify_chain


@click.group()
def ledger() -> None:
    """Check the ledger and what is read from it."""


@ledger.command()
@click.option("--head", metavar="HEX", help="Hash that entry --seq is known to have, from an earlier check.")
@click.option(
    "--seq", type=click.IntRange(min=1), metavar="N", help="Number of the entry that --head belongs to."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def verify(config: Config, head: str | None, seq: int | None, as_json: bool) -> None:
    """Check every entry, its payload and the tables for reading.

    Keep the head it prints somewhere else: with it a later check also finds entries cut off the end, or a
    history written anew.
    """
    report = verify_chain(config.ledger_path, expected=_expected(head, seq))
    if as_json:
        click.echo(_report_json(report))
        click.get_current_context().exit(LedgerBrokenError.exit_status if report.problem else 0)
    if report.problem is not None:
        raise LedgerBrokenError(
            f"entry {report.problem.seq}: {report.problem.what}; {report.entries} entries before it hold",
            where=str(config.ledger_path),
            remedy="Keep a copy of the file as it is, then compare it with a backup",
        )
    click.echo(f"{report.entries} entries hold.")
    click.echo(f"Head: --seq {report.head.seq}\n      --head {report.head.hash.hex()}")


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def rebuild(config: Config, as_json: bool) -> None:
    """Make the tables of calls and recordings anew from the entries.

    The ledger is locked meanwhile: some seconds for a hundred thousand entries, in which the service lets calls
    pass unasked.
    """
    entries = rebuild_projections(config.ledger_path)
    if as_json:
        click.echo(msgspec.json.encode({"entries": entries}).decode())
    else:
        click.echo(f"The tables of calls and recordings were made anew from {entries} entries.")


def _expected(head: str | None, seq: int | None) -> Head | None:
    if head is None and seq is None:
        return None
    if head is None or seq is None:
        raise click.UsageError("--head and --seq go together")
    try:
        digest = bytes.fromhex(head)
    except ValueError as error:
        raise click.BadParameter("not hexadecimal", param_hint="--head") from error
    return Head(seq=seq, hash=digest)


def _report_json(report: VerifyReport) -> str:
    problem = report.problem
    return msgspec.json.encode(
        {
            "verified": problem is None,
            "entries": report.entries,
            "head": {"seq": report.head.seq, "hash": report.head.hash.hex()},
            "problem": None if problem is None else {"seq": problem.seq, "what": problem.what},
        }
    ).decode()
