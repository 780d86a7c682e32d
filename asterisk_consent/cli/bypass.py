"""``bypass``: let calls pass unrecorded, at once, without touching the dialplan."""

import asyncio
import time
from pathlib import Path

import click

from asterisk_consent.calls.arrival import APP
from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config
from asterisk_consent.errors import ConfigError, PbxError, RequestRefusedError
from asterisk_consent.ledger.append import append_from_outside
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.payload import Bypass
from asterisk_consent.pbx.ari import AriClient

VARIABLE = "CONSENT_BYPASS"


@click.group()
def bypass() -> None:
    """Let calls pass unasked and unrecorded, or ask again."""


@bypass.command()
@click.option("--reason", required=True, help="Why; entered into the ledger.")
@configured
def on(config: Config, reason: str) -> None:
    """Let every call pass at once, unasked and unrecorded, until switched off."""
    _switch(config, Kind.BYPASS_ON, "1", reason)
    click.echo("Calls pass unasked and unrecorded until 'asterisk-consent bypass off'.")


@bypass.command()
@click.option("--reason", required=True, help="Why; entered into the ledger.")
@configured
def off(config: Config, reason: str) -> None:
    """Ask callers again."""
    _switch(config, Kind.BYPASS_OFF, "", reason)
    click.echo("Callers are asked again.")


@bypass.command()
@configured
def status(config: Config) -> None:
    """Tell whether calls pass unasked, and whether the service is there to ask them."""

    async def read() -> tuple[str, str]:
        async with _client(config) as ari:
            return await ari.get_global(VARIABLE), await ari.get_global("CONSENT_HEARTBEAT")

    try:
        switch, heartbeat = asyncio.run(read())
    except PbxError as error:
        raise PbxError(
            f"Asterisk cannot be asked: {error}",
            where=config.ari.url,
            remedy="Check that it runs, and ari_url, ari_user and ari_password in the configuration",
        ) from error
    age_s = int(time.time()) - int(heartbeat or "0")
    click.echo(f"bypass: {'on, calls pass unasked and unrecorded' if switch == '1' else 'off'}")
    click.echo(f"service: {'asking' if age_s <= 3 else 'away, calls pass unasked and unrecorded'}")


def _switch(config: Config, kind: Kind, value: str, reason: str) -> None:
    if not reason.strip():
        raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")
    entry = NewEntry(stream=SYSTEM_STREAM, kind=kind, payload=Bypass(person=person(), reason=reason))
    append_from_outside(config.ledger_path, entry)
    _remember(config.bypass, on=kind is Kind.BYPASS_ON)

    async def write() -> None:
        async with _client(config) as ari:
            await ari.set_global(VARIABLE, value)

    try:
        asyncio.run(write())
    except PbxError as error:
        raise PbxError(
            f"entered, but Asterisk did not take it: {error}",
            where=config.ari.url,
            remedy="Run the command again when Asterisk is up",
        ) from error


def _remember(file: Path, *, on: bool) -> None:
    """Keep the switch where the service finds it after a restart of Asterisk."""
    try:
        if on:
            file.touch()
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}",
            where=str(file),
            remedy="Run the command as the user of the service",
        ) from error


def _client(config: Config) -> AriClient:
    return AriClient(url=config.ari.url, username=config.ari.user, password=config.ari.password, app=APP)
