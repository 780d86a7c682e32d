"""The command line: one file per command, one error boundary.

Exit status: 0 fine, 1 refused or failed with a reason, 2 usage or configuration, 3 unexpected, 4 the chain does
not verify.
"""

import logging
import sys
import traceback
from pathlib import Path

import click
import structlog

from asterisk_consent import __version__
from asterisk_consent.cli.asking import erase, restrict, withdraw
from asterisk_consent.cli.bypass import bypass
from asterisk_consent.cli.calls import calls
from asterisk_consent.cli.dialplan import dialplan
from asterisk_consent.cli.doctor import doctor
from asterisk_consent.cli.init import init, recovery_test
from asterisk_consent.cli.keyholder import keyholder
from asterisk_consent.cli.ledger import ledger
from asterisk_consent.cli.ledger_backup import backup, restore
from asterisk_consent.cli.legal_hold import legal_hold
from asterisk_consent.cli.lookups import lookups
from asterisk_consent.cli.objecting import object_
from asterisk_consent.cli.policy import policy
from asterisk_consent.cli.policy_show import show
from asterisk_consent.cli.policy_try import try_
from asterisk_consent.cli.prompts import prompts
from asterisk_consent.cli.prompts_line import check_line, render_line
from asterisk_consent.cli.recordings import recordings
from asterisk_consent.cli.requests import requests
from asterisk_consent.cli.retention import retention
from asterisk_consent.cli.serve import serve
from asterisk_consent.config import DEFAULT_CONFIG
from asterisk_consent.errors import ConsentError


@click.group()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The configuration file.",
)
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context, config_file: Path) -> None:
    """Ask callers whether a call may be recorded, prove the answer, record only what it allows."""
    context.obj = config_file


for command in (
    init,
    recovery_test,
    doctor,
    serve,
    keyholder,
    policy,
    prompts,
    calls,
    recordings,
    retention,
    withdraw,
    erase,
    restrict,
    object_,
    requests,
    legal_hold,
    ledger,
    bypass,
    dialplan,
):
    cli.add_command(command)
calls.add_command(lookups)
for command in (show, try_):
    policy.add_command(command)
for command in (render_line, check_line):
    prompts.add_command(command)
for command in (backup, restore):
    ledger.add_command(command)


def main() -> None:
    """Run the command line; the one place where errors become an exit status."""
    # A command says what it has to say itself; ``serve`` sets up its own log.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    try:
        status = cli.main(standalone_mode=False)
    except ConsentError as error:
        click.echo(f"asterisk-consent: {error}", err=True)
        sys.exit(error.exit_status)
    except click.Abort:
        click.echo("asterisk-consent: aborted", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        click.echo(
            f"asterisk-consent: unexpected: {type(error).__name__}: {error}. This is a defect: report it with"
            " the lines above",
            err=True,
        )
        sys.exit(3)
    sys.exit(status if isinstance(status, int) else 0)
