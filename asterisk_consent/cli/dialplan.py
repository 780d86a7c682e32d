"""``dialplan``: make the parts of the dialplan that differ from country to country.

Rule: works on a machine that has no configuration yet.
"""

from pathlib import Path

import click

from asterisk_consent.emergency import PREFIXES, emergency_dialplan
from asterisk_consent.errors import ConfigError


@click.group()
def dialplan() -> None:
    """Make what Asterisk includes."""


@dialplan.command()
@click.option(
    "--country",
    "countries",
    metavar="CC",
    multiple=True,
    required=True,
    help="Two capital letters, such as NL; may be repeated.",
)
@click.option(
    "--prefix",
    "prefixes",
    metavar="DIGITS",
    multiple=True,
    default=PREFIXES,
    help="What phones dial for an outside line; may be repeated; by default 0 and 9; '' for none.",
)
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, replaced where it exists; by default the list is printed.",
)
def emergency(countries: tuple[str, ...], prefixes: tuple[str, ...], out: Path | None) -> None:
    """List the emergency numbers of countries, which are never asked, for extensions.conf to include."""
    text = emergency_dialplan(countries, prefixes)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}",
            where=str(out),
            remedy="Name a file in a directory that you may write to",
        ) from error
