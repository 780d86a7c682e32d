"""Where the announcement texts are: an option that several commands share."""

from pathlib import Path

import click

import asterisk_consent

_SHIPPED = Path("/usr/share/asterisk-consent/sounds")
_IN_SOURCE = Path(asterisk_consent.__file__).resolve().parents[1] / "sounds"

texts_option = click.option(
    "--texts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_IN_SOURCE if _IN_SOURCE.is_dir() else _SHIPPED,
    show_default="those that came with the program",
    help="Where the texts are: <language>/<name>.toml.",
)
