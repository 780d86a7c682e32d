"""``calls``: what became of every call, and what does not fit together."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.table import Table

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.listing import listing, print_listing, visible
from asterisk_consent.cli.opening import identity_option, released
from asterisk_consent.cli.person import person
from asterisk_consent.cli.unseen import number_option, reading_unseen, receipt_option
from asterisk_consent.cli.whose import LEAST_OF_ID, Whose
from asterisk_consent.cli.writing import write_private
from asterisk_consent.config import Config
from asterisk_consent.errors import LedgerBrokenError, RequestRefusedError
from asterisk_consent.ledger import verifier
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.ledger.keyfile import load_key
from asterisk_consent.ledger.opening import Opened, Opener, open_call
from asterisk_consent.ledger.proof import is_covered, proof_text, prove_call
from asterisk_consent.ledger.read import CallRow, RecordingRow, calls_beginning_with, list_calls
from asterisk_consent.ledger.standing import Standing, standing_of
from asterisk_consent.model import RecordingId, RecordingState
from asterisk_consent.rights.access import Wanted, opener_of
from asterisk_consent.rights.looking import Looking
from asterisk_consent.vault.names import kept_path

COLUMNS = (
    ("started (UTC)", "call"),
    ("policy",),
    ("outcome", "language"),
    ("played",),
    ("recording", "length"),
    ("note",),
)


@click.group()
def calls() -> None:
    """List calls and their decisions."""


@calls.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the latest calls.")
@number_option(about="Only calls of this telephone number. Needs a --reason.")
@receipt_option(about="Only the call with this receipt code.")
@click.option("--controller", default="", metavar="ID", help="With --number: only calls of this controller.")
@click.option(
    "--reason", default="", help="With --number: why somebody is looked up; entered into the ledger."
)
@reading_unseen
@configured
def list_(
    config: Config,
    *,
    as_json: bool,
    limit: int | None,
    number: str,
    receipt: str,
    controller: str,
    reason: str,
) -> None:
    """List calls in the order of their decisions, with mismatches between ledger and files.

    A number is known only of callers who are recorded and showed it. Who looks one up, why, and how many calls it led
    to, is entered before anything is shown; the number is not.
    """
    whose = Whose(receipt=receipt, number=number, controller=controller)
    if reason and not number:
        raise click.UsageError("--reason goes with --number.")
    found: set[str] | None = None
    if whose.is_named:
        whose.check()
        found = set(whose.looked_up(config, Looking(person=person(), reason=reason)))
    rows = list_calls(config.ledger_path, limit=limit if found is None else None)
    if found is not None:
        rows = [row for row in rows if row.call_id in found][-(limit or 0) :]
    if as_json:
        click.echo(json.dumps([call_object(row, config.vault) for row in rows], indent=2))
        return
    print_listing(COLUMNS, _table_rows(rows, config.vault), empty="No call has been asked yet.")


@calls.command()
@click.argument("call_id")
@click.option("--open", "open_", is_flag=True, help="Open what is sealed: number, name, digit, course.")
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the signed proof of the call there, instead; it holds all that was entered, the number too.",
)
@click.option(
    "--reason", default="", help="Why it is opened; entered into the ledger. Needed to open anything."
)
@click.option(
    "--purpose",
    default="",
    help="For which purpose of the policy, or legal-claims where it is restricted; entered into the ledger.",
)
@identity_option
@configured
def show(
    config: Config,
    call_id: str,
    open_: bool,
    proof: Path | None,
    reason: str,
    purpose: str,
    identity: Path | None,
) -> None:
    """Show what the ledger tells of one call, as JSON; with --open or --proof what is sealed too.

    What was asked about the call and which legal holds keep it is shown too; a restricted call is not opened.

    CALL_ID is the ledger's id or what the dialplan called the call (CONSENT_ID); 8 characters of it are enough.

    Opening needs root, or somebody whom the key holder answers, or an identity of the controller. Who opened it, and
    why, is entered first.

    A proof is checked anywhere, without this machine: 'python verifier.py --proof FILE', with the file
    asterisk_consent/ledger/verifier.py, which needs nothing else.
    """
    found = calls_beginning_with(config.ledger_path, call_id) if len(call_id) >= LEAST_OF_ID else []
    if len(found) != 1:
        raise RequestRefusedError(
            "no such call" if not found else f"{len(found)} calls begin so",
            where=ascii(call_id)[:64],
            remedy="See 'asterisk-consent calls list'; 'calls list --json' has whole ids",
        )
    row = found[0]
    shown = call_object(row, config.vault) | _standing_object(standing_of(config.ledger_path, row.call_id))
    if not open_ and proof is None:
        click.echo(json.dumps(shown, indent=2))
        return
    wanted = Wanted(
        call_id=row.call_id, kind=Kind.PROOF_OPENED, person=person(), reason=reason, purpose=purpose
    )
    opener = opener_of(released(config, wanted, controller=row.controller, identity=identity))
    if proof is None:
        entries = open_call(config.ledger_path, row.call_id, opener)
        click.echo(json.dumps(shown | {"opened": [opened_object(entry) for entry in entries]}, indent=2))
    else:
        _write_proof(config, row.call_id, proof, opener)


def opened_object(entry: Opened) -> dict[str, object]:
    """Return one entry of a call, opened, as a JSON object."""
    header = entry.header
    payload = None if entry.payload is None else msgspec.to_builtins(entry.payload)
    return {"seq": header.seq, "kind": header.kind, "at": _moment(header.at), "payload": payload}


def _write_proof(config: Config, call_id: str, output: Path, opener: Opener) -> None:
    if not is_covered(config.ledger_path, call_id):
        take_checkpoint(config.ledger_path, load_key(config.checkpoints.key))
    text = proof_text(prove_call(config.ledger_path, call_id, opener))
    try:
        told, rests_on = verifier.check_proof(text)
    except verifier.WrongError as error:
        raise LedgerBrokenError(
            f"what is stored of this call does not hold: {error}",
            where=str(config.ledger_path),
            remedy="Run 'asterisk-consent ledger verify'",
        ) from error
    write_private(output, text)
    click.echo(
        f"The proof of {len(told)} entries is in {output}; it rests on checkpoint {rests_on[-1].number}."
    )


def call_object(row: CallRow, vault: Path) -> dict[str, object]:
    """Return a call as the JSON object that ``calls list --json`` promises."""
    return {
        "call_id": row.call_id,
        "alias": row.alias or None,
        "started_at": _moment(row.started_at),
        "controller": row.controller,
        "policy": row.policy,
        "policy_version": row.policy_version,
        "language": row.language,
        "announcement": row.announcement or None,
        "direction": row.direction,
        "outcome": row.outcome,
        "played_ms": row.played_ms,
        "purposes": list(row.purposes),
        "reason": row.reason,
        "recording": _recording_object(row.recording),
        "mismatch": mismatch(row, vault) or None,
    }


def _standing_object(standing: Standing) -> dict[str, object]:
    return {
        "restricted": standing.is_restricted,
        "requests": [
            {
                "entry": request.seq,
                "right": request.right,
                "entered_at": _moment(request.entered_at),
                "erase_at": _moment(request.erase_at) if request.erase_at else None,
                "carried_out": bool(request.settled_seq),
                "lifted": bool(request.lifted_seq),
            }
            for request in standing.requests
        ],
        "legal_holds": [
            {
                "id": hold.hold_id,
                "purpose": hold.purpose,
                "case": hold.case,
                "until": _moment(hold.until),
                "confirmed": bool(hold.confirmed_seq),
                "released": bool(hold.released_seq),
            }
            for hold in standing.holds
        ],
    }


def call_table(rows: list[CallRow], vault: Path, *, width: int) -> Table:
    """Return calls as a table for a terminal of that width; text from outside is shown escaped."""
    return listing(COLUMNS, _table_rows(rows, vault), width=width)


def _table_rows(rows: list[CallRow], vault: Path) -> list[tuple[str, ...]]:
    return [
        (
            f"{datetime.fromtimestamp(row.started_at, UTC):%Y-%m-%d %H:%M:%S}",
            row.call_id[:LEAST_OF_ID],
            f"{visible(row.policy)} v{row.policy_version}" if row.policy_version else visible(row.policy),
            row.outcome,
            visible(row.language) or "–",
            f"{row.played_ms / 1000:.1f} s",
            _state(row.recording),
            _length(row.recording),
            mismatch(row, vault) or visible(row.reason),
        )
        for row in rows
    ]


def mismatch(row: CallRow, vault: Path) -> str:
    """Return what does not fit between the decision and the files; empty when all is well."""
    recording = row.recording
    if recording is None or not recording.state.is_final or recording.erased_seq:
        return ""
    try:
        size = kept_path(RecordingId(recording.recording_id), vault).stat().st_size
    except FileNotFoundError:
        return "agreement without file" if recording.state is RecordingState.VERIFIED else recording.reason
    except OSError as error:
        return f"the vault cannot be read ({error.strerror})"
    if recording.state is RecordingState.NOT_STARTED:
        return "file without agreement"
    if size != recording.size:
        return "file of another size"
    return recording.reason if recording.state is not RecordingState.VERIFIED else ""


def _recording_object(recording: RecordingRow | None) -> dict[str, object] | None:
    if recording is None:
        return None
    return {
        "id": recording.recording_id,
        "state": recording.state,
        "duration_s": recording.duration_s,
        "reason": recording.reason or None,
        "erased_at": _moment(recording.erased_at) if recording.erased_at else None,
    }


def _state(recording: RecordingRow | None) -> str:
    if recording is None:
        return "none"
    return "erased" if recording.erased_seq else recording.state


def _length(recording: RecordingRow | None) -> str:
    return f"{recording.duration_s:.1f} s" if recording is not None and recording.duration_s else ""


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
