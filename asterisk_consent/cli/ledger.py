"""``asterisk-consent ledger``: check the evidence, sign where it stands, make the tables for reading anew.

Rule: a chain that does not verify ends with exit status 4, in words and as JSON alike.
"""

from pathlib import Path

import click
import msgspec

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.writing import write_private
from asterisk_consent.config import Config
from asterisk_consent.errors import LedgerBrokenError, RequestRefusedError
from asterisk_consent.ledger import Head, VerifyReport
from asterisk_consent.ledger import rebuild as rebuild_projections
from asterisk_consent.ledger import verify as verify_chain
from asterisk_consent.ledger.checkpoint import Checkpoint, checkpoint_text, read_checkpoint
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.keyfile import load_key


@click.group()
def ledger() -> None:
    """Check the ledger and what is read from it."""


@ledger.command()
@click.option("--head", metavar="HEX", help="Hash that entry --seq is known to have, from an earlier check.")
@click.option(
    "--seq", type=click.IntRange(min=1), metavar="N", help="Number of the entry that --head belongs to."
)
@click.option(
    "--checkpoint",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def verify(
    config: Config, *, head: str | None, seq: int | None, files: tuple[Path, ...], as_json: bool
) -> None:
    """Check every entry, its payload, the tables for reading, and that the ledger extends each checkpoint.

    Entries cut off the end, or a history written anew, are found against a checkpoint that was kept elsewhere, or
    a head noted elsewhere, and not without one.
    """
    checkpoints = [read_checkpoint_file(file) for file in files]
    expected = _expected(head, seq)
    report = verify_chain(config.ledger_path, expected=expected, checkpoints=checkpoints)
    if as_json:
        click.echo(_report_json(report, checkpoints))
        click.get_current_context().exit(LedgerBrokenError.exit_status if report.problem else 0)
    if report.problem is not None:
        raise LedgerBrokenError(
            f"entry {report.problem.seq}: {report.problem.what}; the chain holds up to entry {report.entries}",
            where=str(config.ledger_path),
            remedy="Keep a copy of the file as it is, then compare it with a backup",
        )
    click.echo(f"{report.entries} entries hold.")
    for checkpoint in checkpoints:
        click.echo(
            f"They extend checkpoint {checkpoint.number}: up to entry {checkpoint.seq} all is as it was."
        )
    if not checkpoints and expected is None:
        click.echo(
            "Whether the end was cut off, or the history written anew, cannot be seen without a checkpoint that was"
            " kept elsewhere: --checkpoint FILE."
        )
    click.echo(f"Head: --seq {report.head.seq}\n      --head {report.head.hash.hex()}")


@ledger.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; by default it is printed.",
)
@configured
def checkpoint(config: Config, output: Path | None) -> None:
    """Sign where the ledger stands now. Needs the key, so the rights of the service's user.

    Keep it where nobody with rights to this machine can change it. The service makes one itself every minute in which
    something was entered.
    """
    taken = take_checkpoint(config.ledger_path, load_key(config.checkpoints.key))
    if output is None:
        click.echo(checkpoint_text(taken), nl=False)
    else:
        write_private(output, checkpoint_text(taken))
        click.echo(f"Checkpoint {taken.number} of entry {taken.seq} is in {output}.")


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


def read_checkpoint_file(file: Path) -> Checkpoint:
    """Read a checkpoint that was kept elsewhere.

    :raises RequestRefusedError: the file cannot be read.
    :raises LedgerBrokenError: it is no checkpoint.
    """
    try:
        return read_checkpoint(file.read_bytes())
    except OSError as error:
        raise RequestRefusedError(
            f"the checkpoint cannot be read ({error.strerror})",
            where=str(file),
            remedy="Check its permissions",
        ) from error
    except LedgerBrokenError as error:
        raise LedgerBrokenError(
            error.what, where=str(file), remedy="Take another copy of it, from where it was kept"
        ) from error


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


def _report_json(report: VerifyReport, checkpoints: list[Checkpoint]) -> str:
    problem = report.problem
    return msgspec.json.encode(
        {
            "verified": problem is None,
            "entries": report.entries,
            "checkpoints": [checkpoint.number for checkpoint in checkpoints],
            "head": {"seq": report.head.seq, "hash": report.head.hash.hex()},
            "problem": None if problem is None else {"seq": problem.seq, "what": problem.what},
        }
    ).decode()
