"""``recordings``: list them, hand one out with a reason, compare them with the ledger.

Rule: an export is entered in the ledger before its first byte leaves; no reason or no recipient, no byte
(GDPR art. 5(2), 15(1)(c)).
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.listing import print_listing
from asterisk_consent.cli.opening import identity_option, opening
from asterisk_consent.cli.person import person
from asterisk_consent.config import Config
from asterisk_consent.doctor.recordings import orphans_of
from asterisk_consent.errors import AudioError, RequestRefusedError
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.read import RecordingRow, find_recording
from asterisk_consent.ledger.read import recordings as list_recordings
from asterisk_consent.model import RecordingId
from asterisk_consent.rights.access import Wanted, release
from asterisk_consent.vault.export import check_digest, export_wav
from asterisk_consent.vault.orphans import Orphans

COLUMNS = (("recording", "call"), ("state", "length"), ("started (UTC)",), ("note",))


@click.group()
def recordings() -> None:
    """List, export and verify recordings."""


@recordings.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@configured
def list_(config: Config, *, as_json: bool) -> None:
    """List the recordings that the ledger names."""
    rows = list_recordings(config.ledger_path)
    if as_json:
        click.echo(json.dumps([_object(row) for row in rows], indent=2))
        return
    print_listing(COLUMNS, _table_rows(rows), empty="No recording has been allowed yet.")


@recordings.command()
@click.argument("recording_id", metavar="ID")
@click.option("--reason", default="", help="Why it is handed out; entered into the ledger; needed.")
@click.option("--purpose", default="", help="For which purpose of the policy; entered into the ledger.")
@click.option("--to", "recipient", default="", help="Who receives it; entered into the ledger; needed.")
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The WAV file to make: left the caller, right the agent.",
)
@identity_option
@configured
def export(
    config: Config,
    recording_id: str,
    reason: str,
    purpose: str,
    recipient: str,
    out: Path,
    identity: Path | None,
) -> None:
    """Hand out one recording as a two-channel WAV file, and enter who got it and why.

    Run it as root, who may read the identities, or name one with --identity.
    """
    if not reason.strip():
        raise RequestRefusedError("no reason given", remedy="Say why with --reason TEXT")
    if not recipient.strip():
        raise RequestRefusedError("no recipient given", remedy="Say who receives it with --to RECIPIENT")
    if out.exists() or out.is_symlink():
        raise RequestRefusedError(
            "the file exists already", where=str(out), remedy="Name a file that does not exist"
        )
    row = _with_audio(config, recording_id)
    check_digest(RecordingId(row.recording_id), config.vault, sha256=row.sha256)
    wanted = Wanted(
        call_id=row.call_id,
        kind=Kind.RECORDING_EXPORTED,
        person=person(),
        reason=reason,
        purpose=purpose,
        recipient=recipient,
    )
    places, identities = opening(config, row.controller, identity)
    (opened,) = release(wanted, places=places, identities=identities)
    export_wav(RecordingId(row.recording_id), config.vault, out, opened, sha256=row.sha256)
    click.echo(f"{out}: {row.duration_ms / 1000:.1f} s, sealed as SHA-256 {row.sha256}")


@recordings.command()
@click.argument("recording_id", metavar="[ID]", required=False)
@configured
def verify(config: Config, recording_id: str | None) -> None:
    """Compare one recording with its digest in the ledger; without ID all, and every file with the ledger.

    What is compared is the sealed file: no key is needed.
    """
    if recording_id is not None:
        rows = [_with_audio(config, recording_id)]
        problems = []
    else:
        everything = list_recordings(config.ledger_path)
        orphans = orphans_of(config, everything)
        rows = [row for row in everything if row.has_audio and row.recording_id not in orphans.missing]
        problems = _described(orphans)
    for row in rows:
        try:
            check_digest(RecordingId(row.recording_id), config.vault, sha256=row.sha256)
        except AudioError as error:
            problems.append(str(error))
    if problems:
        raise AudioError("\n".join(problems))
    click.echo(f"{len(rows)} recordings are what was entered in the ledger")


def _with_audio(config: Config, recording_id: str) -> RecordingRow:
    row = find_recording(config.ledger_path, recording_id)
    if row is None:
        raise RequestRefusedError(
            "no such recording",
            where=ascii(recording_id)[:64],
            remedy="See 'asterisk-consent recordings list'",
        )
    if not row.state.is_final:
        raise RequestRefusedError(
            f"the recording is {row.state}", where=row.recording_id, remedy="Wait until it has ended"
        )
    if row.erased_seq:
        raise RequestRefusedError(
            f"the recording was erased at {_moment(row.erased_at)}",
            where=row.recording_id,
            remedy="Nobody can open it any more",
        )
    if not row.sha256:
        raise RequestRefusedError(
            f"the recording has no audio ({row.state}: {row.reason})",
            where=row.recording_id,
            remedy="There is nothing to hand out",
        )
    return row


def _described(orphans: Orphans) -> list[str]:
    stray, stuck, missing = orphans.unknown_files, orphans.left_in_spool, orphans.missing
    locked = orphans.without_key
    return [
        *(f"{path}: of no recording in the ledger. Find out who put it there" for path in stray),
        *(f"{each}: ended, and still in the spool. The service's log says why" for each in stuck),
        *(f"{each}: in the ledger, and not in the vault. Restore it from a backup" for each in missing),
        *(f"{each}: its key is gone. Restore it from a backup of the keys" for each in locked),
    ]


def _object(row: RecordingRow) -> dict[str, object]:
    return {
        "id": row.recording_id,
        "call_id": row.call_id,
        "controller": row.controller,
        "state": row.state,
        "started_at": _moment(row.started_at),
        "ended_at": _moment(row.ended_at),
        "duration_s": row.duration_s,
        "size": row.size or None,
        "sha256": row.sha256 or None,
        "reason": row.reason or None,
        "erased_at": _moment(row.erased_at),
    }


def _table_rows(rows: list[RecordingRow]) -> list[tuple[str, ...]]:
    return [
        (
            row.recording_id,
            row.call_id[:8],
            "erased" if row.erased_seq else row.state,
            f"{row.duration_s:.1f} s" if row.duration_s else "",
            f"{datetime.fromtimestamp(row.started_at, UTC):%Y-%m-%d %H:%M:%S}" if row.started_at else "–",
            row.reason,
        )
        for row in rows
    ]


def _moment(seconds: int) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
