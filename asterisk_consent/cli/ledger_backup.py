"""``ledger backup`` and ``ledger restore``: the ledger without keys, the keys apart and with a stated life.

Rule: nothing is written over. A restore says what it could not bring back, before and after.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.holdings import holdings_of
from asterisk_consent.cli.ledger import read_checkpoint_file
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.backup import back_up, refuse_existing, take_name, writing_private
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.history import checkpoint_keys, ledger_id
from asterisk_consent.ledger.keyfile import load_key
from asterisk_consent.rights.clock import refuse_jumped_clock
from asterisk_consent.rights.restoring import RestoreReport, Wanted
from asterisk_consent.rights.restoring import restore as restore_ledger
from asterisk_consent.vault.key_backup import VERSION, KeyBackup, back_up_keys, prune

_DAY_S = 86_400


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; one that is there is kept.",
)
@click.option("--keys", is_flag=True, help="Back up the keys instead of the ledger.")
@click.option(
    "--prune",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Remove the backups of keys in this directory whose life is over.",
)
@click.option(
    "--clock-is-right", is_flag=True, help="With --prune: vouch for the clock, where it may have jumped."
)
@configured
def backup(
    config: Config, output: Path | None, *, keys: bool, directory: Path | None, clock_is_right: bool
) -> None:
    """Write a copy of the ledger while the service runs, and verify it. Nothing in it can be opened without the keys.

    With --keys, write the keys of the calls instead, and until when this backup lives: limits.key_backups_days from
    now, signed with the key that checkpoints are signed with. Keep the two apart. Back up the ledger first, then the
    keys. The identities are in neither.
    """
    if output is None and directory is None:
        raise click.UsageError("say where to: --output FILE")
    if directory is not None:
        _prune(config, directory, clock_is_right=clock_is_right)
    if output is None:
        return
    if keys:
        _back_up_keys(config, output)
    else:
        written = back_up(config.ledger_path, output)
        click.echo(f"{written.head.seq} entries hold and are in {output} ({written.size / 1e6:.1f} MB).")


@click.command()
@click.argument("file", metavar="BACKUP", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "key_backup",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A backup of the keys, to bring back those that are not there.",
)
@click.option(
    "--erasures",
    "journals",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="A journal of erasures that was kept elsewhere, the directory that checkpoints go to, or the mails that"
    " brought it, as a file or a directory of them; may be repeated.",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere; may be repeated.",
)
@click.option(
    "--even-so", default="", metavar="REASON", help="Why, in spite of what speaks against it; entered."
)
@configured
def restore(
    config: Config,
    file: Path,
    *,
    key_backup: Path | None,
    journals: tuple[Path, ...],
    checkpoints: tuple[Path, ...],
    even_so: str,
) -> None:
    """Put a backup in place of the ledger. Stop the service first; run it as root.

    What was erased since the backup is erased again before anything of it can be read, and what was objected to, held
    and asked stands again: as the journals of erasures say, and the ledger in its place where that can be read. That
    ledger is kept aside. The backup is verified and compared
    with every checkpoint; what it lacks is told, and what speaks against it needs --even-so.
    """
    wanted = Wanted(
        backup=file,
        person=person(),
        key_backup=key_backup,
        erasures=journals,
        checkpoints=[read_checkpoint_file(each) for each in checkpoints],
        even_so=even_so,
    )
    report = restore_ledger(
        wanted, holdings_of(config), tell=lambda doing: click.echo(f"… {doing}", err=True)
    )
    _tell(report)


def _back_up_keys(config: Config, output: Path) -> None:
    if not config.key_backups_days:
        raise RequestRefusedError(
            "it is not said how long a backup of the keys lives",
            where=str(config.file),
            remedy="Set limits.key_backups_days: for so long, what is erased could be opened with it, and people who"
            " ask are told so",
        )
    refuse_existing(output)
    signer = load_key(config.checkpoints.key)
    if signer.public not in checkpoint_keys(config.ledger_path):
        take_checkpoint(config.ledger_path, signer)  # which names the key
    now = datetime.now(UTC)
    head = KeyBackup(
        version=VERSION,
        ledger_id=ledger_id(config.ledger_path),
        made_at=int(now.timestamp()),
        ends_at=int(now.timestamp()) + config.key_backups_days * _DAY_S,
    )
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with writing_private(partial) as descriptor:
            with os.fdopen(descriptor, "wb", closefd=False) as written:
                count = back_up_keys(config.keys, written, head, signer)
            os.fsync(descriptor)
            take_name(partial, output)
    except OSError as error:
        raise RequestRefusedError(
            f"the backup cannot be written ({error.strerror})", where=str(output), remedy="Name another file"
        ) from error
    click.echo(
        f"{count} keys of calls are in {output}. It lives until {_moment(head.ends_at)}: destroy it then, and every"
        " copy of it ('ledger backup --prune DIRECTORY')."
    )


def _prune(config: Config, directory: Path, *, clock_is_right: bool) -> None:
    now = datetime.now(UTC)
    if not clock_is_right:
        refuse_jumped_clock(holdings_of(config), now)
    for path in prune(directory, now=now.timestamp()):
        click.echo(f"Removed {path}: its life is over.")


def _tell(report: RestoreReport) -> None:
    click.echo(f"The ledger is the backup now: {report.head.seq} entries, and what was entered just now.")
    for doubt in report.doubts:
        click.echo(f"Against it spoke: {doubt}.")
    _tell_what_is_lost(report)
    click.echo(f"Of {report.erased} calls in it something was erased since, and is erased again.")
    if report.keys:
        click.echo(f"{report.keys} keys of calls were brought back.")
    if report.kept_aside is not None:
        click.echo(f"The ledger that was there is kept as {report.kept_aside}.")
    click.echo("Start the service, then: asterisk-consent ledger verify, asterisk-consent recordings verify.")


def _tell_what_is_lost(report: RestoreReport) -> None:
    since = _moment(report.last_at)
    if report.missing:
        click.echo(f"{report.missing} later entries are lost, entered after {since}: calls among them.")
    elif not report.known_of:
        click.echo(
            f"Whether entries after {since} are lost cannot be told without a checkpoint kept elsewhere: --checkpoint."
        )
    if not report.told:
        click.echo(
            f"No journal of erasures tells anything. What was erased, objected to, held or asked after {since} is not"
            " known here: look for a copy of it and restore again with --erasures; take again what your own files tell."
        )
    if report.reentered.entries:
        click.echo(
            f"{report.reentered.entries} objections, legal holds and requests, or their end, were entered again. Who"
            " asked, for which case and why is lost: see 'legal-hold list' and 'requests list'."
        )
    if report.reentered.about_lost_calls:
        click.echo(
            f"{report.reentered.about_lost_calls} calls that were held or asked about since are lost themselves:"
            " 'recordings verify' names what the vault still has of them."
        )
    if report.missing or not report.known_of:
        click.echo("A legal hold that waited for its second person has to be placed again.")


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
