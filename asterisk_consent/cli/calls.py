"""``calls``: what became of every call, and what does not fit together."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from asterisk_consent.config import Config
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.read import CallRow, RecordingRow, find_call, list_calls
from asterisk_consent.model import RecordingState


@click.group()
def calls() -> None:
    """List calls and their decisions."""


@calls.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the latest calls.")
@click.pass_obj
def list_(config: Config, *, as_json: bool, limit: int | None) -> None:
    """List calls in the order of their decisions, with mismatches between ledger and files."""
    rows = list_calls(config.ledger_path, limit=limit)
    if as_json:
        click.echo(json.dumps([call_object(row, config.vault) for row in rows], indent=2))
        return
    console = Console()
    console.print(call_table(rows, config.vault))
    if not rows:
        console.print("No call has been asked yet.")


@calls.command()
@click.argument("call_id")
@click.pass_obj
def show(config: Config, call_id: str) -> None:
    """Show everything the ledger tells of one call, as JSON."""
    row = find_call(config.ledger_path, call_id)
    if row is None:
        raise RequestRefusedError(
            "no such call", where=call_id[:64], remedy="See 'asterisk-consent calls list --json'"
        )
    click.echo(json.dumps(call_object(row, config.vault), indent=2))


def call_object(row: CallRow, vault: Path) -> dict[str, object]:
    """Return a call as the JSON object that ``calls list --json`` promises."""
    return {
        "call_id": row.call_id,
        "started_at": _moment(row.started_at),
        "controller": row.controller,
        "policy": row.policy,
        "policy_version": row.policy_version,
        "language": row.language,
        "direction": row.direction,
        "caller": row.caller,
        "outcome": row.outcome,
        "digit": row.digit or None,
        "played_ms": row.played_ms,
        "reason": row.reason,
        "recording": _recording_object(row.recording),
        "mismatch": mismatch(row, vault) or None,
    }


def call_table(rows: list[CallRow], vault: Path) -> Table:
    """Return calls as a table for the terminal; text from outside is shown escaped."""
    table = Table(box=None, header_style="bold")
    for name in (
        "started (UTC)",
        "call",
        "policy",
        "caller",
        "outcome",
        "digit",
        "played",
        "recording",
        "note",
    ):
        table.add_column(name, no_wrap=name != "note")
    for row in rows:
        table.add_row(
            f"{datetime.fromtimestamp(row.started_at, UTC):%Y-%m-%d %H:%M:%S}",
            row.call_id[:8],
            f"{visible(row.policy)} v{row.policy_version}" if row.policy_version else visible(row.policy),
            visible(row.caller) if row.caller else "–",
            row.outcome,
            row.digit or "–",
            f"{row.played_ms / 1000:.1f} s",
            _recording_text(row.recording),
            mismatch(row, vault) or visible(row.reason),
        )
    return table


def mismatch(row: CallRow, vault: Path) -> str:
    """Return what does not fit between the decision and the files; empty when all is well."""
    recording = row.recording
    if recording is None or not recording.state.is_final:
        return ""
    file = vault / f"{recording.recording_id}.wav"
    there = file.is_file()
    if recording.state is RecordingState.VERIFIED and not there:
        return "agreement without file"
    if recording.state is RecordingState.NOT_STARTED and there:
        return "file without agreement"
    if there and file.stat().st_size <= WAV_HEADER_BYTES:
        return "empty file"
    return recording.reason if recording.state is not RecordingState.VERIFIED else ""


WAV_HEADER_BYTES = 44
"""A WAV file of this size holds no sound."""


def visible(text: str, limit: int = 40) -> str:
    """Return text from outside so that a terminal shows it and obeys nothing in it."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:limit])
    shown = shown.replace("[", "\\[")
    return shown + "…" if len(text) > limit else shown


def _recording_object(recording: RecordingRow | None) -> dict[str, object] | None:
    if recording is None:
        return None
    return {
        "id": recording.recording_id,
        "state": recording.state,
        "duration_s": recording.duration_s,
        "reason": recording.reason or None,
    }


def _recording_text(recording: RecordingRow | None) -> str:
    if recording is None:
        return "none"
    duration = f" {recording.duration_s:.1f} s" if recording.duration_s else ""
    return f"{recording.state}{duration}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
