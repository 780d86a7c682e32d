"""``doctor``: look for what is wrong with this installation, and say what to do about it.

Rule: it changes nothing, shows no number and no secret, and tells what it could not look at.
"""

import json
import os
import sys
import textwrap
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from asterisk_consent.cli.configured import config_of
from asterisk_consent.cli.listing import text_width, visible
from asterisk_consent.doctor.access import account_of
from asterisk_consent.doctor.elsewhere import AsteriskPlace
from asterisk_consent.doctor.examination import Examined, examine
from asterisk_consent.doctor.finding import Level, counted

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.ERROR: "red", Level.UNKNOWN: "cyan"}
_LONGEST = 500
_INDENT = " " * 9


@click.command()
@click.option(
    "--asterisk-etc",
    "etc",
    type=click.Path(file_okay=False, path_type=Path),
    default="/etc/asterisk",
    help="Where Asterisk's configuration lies; by default /etc/asterisk.",
)
@click.option(
    "--asterisk-log",
    "log",
    type=click.Path(file_okay=False, path_type=Path),
    default="/var/log/asterisk",
    help="Where Asterisk's logs lie; by default /var/log/asterisk.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects, one a finding.")
@click.pass_context
def doctor(context: click.Context, etc: Path, log: Path, as_json: bool) -> None:
    """Look for what is wrong with this installation, and say what to do about it. Changes nothing.

    A finding is ok, warn (somebody should know), error (something promised does not hold, or calls are not asked) or
    unknown: not looked at, with the rights of whoever runs it or because Asterisk is away. Root sees most. Exit status
    1 when there is an error.

    It looks at the policies and their keys, at who may read what, at what lies in the clear, at the ledger and whether
    its checkpoints leave the machine, at Asterisk, and at what Asterisk itself keeps of callers, which lies elsewhere
    and has a term of its own.
    """
    examination = examine(
        lambda: config_of(context),
        AsteriskPlace(etc=etc, log=log),
        now=datetime.now(UTC).replace(microsecond=0),
    )
    if as_json:
        found = list(examination)
        click.echo(json.dumps([_object(each) for each in found], indent=2))
    else:
        found = []
        for each in examination:
            found.append(each)
            _show(each)
        click.echo(_summary(found))
    context.exit(1 if any(each.finding.level is Level.ERROR for each in found) else 0)


def _show(examined: Examined) -> None:
    finding = examined.finding
    what = f"{visible(finding.where, _LONGEST)}: {finding.what}" if finding.where else finding.what
    level = click.style(f"{finding.level:<{len(_INDENT)}}", fg=_COLOURS[finding.level])
    click.echo(level + _folded(visible(what, _LONGEST)))
    if finding.remedy:
        click.echo(_INDENT + click.style(_folded(visible(finding.remedy, _LONGEST)), dim=True))


def _folded(text: str) -> str:
    """Fold at blanks only, so that a path can be copied; where the output is no terminal, not at all."""
    if not sys.stdout.isatty():
        return text
    lines = textwrap.wrap(
        text, width=text_width() - len(_INDENT), break_on_hyphens=False, break_long_words=False
    )
    return f"\n{_INDENT}".join(lines)


def _summary(found: list[Examined]) -> str:
    number = Counter(each.finding.level for each in found)
    user = account_of(os.geteuid()).name
    return (
        f"{counted(number[Level.ERROR], 'error')}, {counted(number[Level.WARN], 'warning')},"
        f" {number[Level.OK]} in order, {number[Level.UNKNOWN]} not looked at. Looked at as {user}."
    )


def _object(examined: Examined) -> dict[str, str]:
    finding = examined.finding
    return {
        "check": examined.check,
        "level": finding.level,
        "what": finding.what,
        "where": finding.where,
        "remedy": finding.remedy,
    }
