"""What the demo tells before and after the calls: policies, the ledger's table, what was proved, ways on."""

from collections.abc import Sequence
from pathlib import Path

from rich.padding import Padding
from rich.text import Text

from asterisk_consent.cli.calls import call_table
from asterisk_consent.config import Config
from asterisk_consent.ledger.read import CallRow
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.identities import identity_path, load_identities
from asterisk_consent.vault.kept import open_kept
from asterisk_consent.vault.loudness import picture_audio
from tests.pbx.demo_promises import Promise
from tests.pbx.demo_repertoire import Repertoire
from tests.pbx.demo_screen import Screen
from tests.pbx.settings import PROJECT, Settings

_SIDES_WIDTH = 14


def report_repertoire(screen: Screen, repertoire: Repertoire) -> None:
    """Show the policies, and how their announcements begin."""
    screen.heading("What callers hear (with a placeholder voice)")
    for line in repertoire.described():
        screen.line(line)


def report_findings(screen: Screen, config: Config, rows: Sequence[CallRow]) -> None:
    """Show the entries of the calls, and the loudness of one recording."""
    screen.heading("What the ledger holds of these calls")
    screen.show(Padding(call_table(list(rows), config.vault, width=screen.width - 2), (0, 0, 0, 2)))
    recorded = [row.recording for row in rows if row.recording and row.recording.sha256]
    if not recorded:
        return
    width = screen.width - _SIDES_WIDTH - 2
    first = recorded[0]
    key = CallKey(keys=config.keys, call_id=first.call_id, controller=first.controller)
    opened = open_key(key, load_identities(identity_path(first.controller, config.identities)))
    with open_kept(RecordingId(first.recording_id), config.vault, opened, sha256=first.sha256) as audio:
        picture = picture_audio(audio, width=width)
    which = f"One of the {len(recorded)} recordings" if len(recorded) > 1 else "The recording"
    screen.heading(f"{which}, {picture.duration_ms / 1000:.1f} s: how loud each side is over time")
    for name, bars in (("left: caller", picture.caller), ("right: agent", picture.agent)):
        screen.show(Text(f"  {name:<{_SIDES_WIDTH - 2}}  {bars}"))


def report_promises(screen: Screen, promises: Sequence[Promise]) -> None:
    """Show what was proved, and what was not."""
    broken = [promise for promise in promises if not promise.kept]
    screen.heading("What was proved" if not broken else "NOT EVERYTHING WAS AS PROMISED")
    for promise in promises:
        sign, style = ("yes", "green") if promise.kept else ("NO ", "bold red")
        screen.say(f"{sign}  {promise.text}", indent="     ", style=style)
        screen.say(promise.measured, indent="     ", first="     ", style="dim")


def report_ways_on(screen: Screen, settings: Settings, exported: Sequence[Path]) -> None:
    """Say where the files lie and how to go on by hand."""
    sudo = "sudo " if settings.developer_uid else ""
    program, config = sudo + _short(settings.program), _short(settings.config_file)
    screen.heading("Where it lies, and how to go on")
    if exported:
        screen.say("The recordings to listen to:")
        for file in exported:
            screen.copyable(f"  {file}")
        screen.say("  handed out with a reason and a recipient, and that is an entry too", indent="  ")
    screen.say(f"Ledger and vault: {_short(settings.data)}")
    screen.say("Call it yourself: make pbx-up, then any SIP phone without registration:")
    screen.copyable(f"sip:1001@127.0.0.1:{settings.sip_port}")
    screen.copyable(f"{program} --config {config} calls list")
    screen.say(
        "Number, name and digit of a call are sealed; who opens them says why, and that is an entry too:"
    )
    screen.copyable(f"{program} --config {config} calls show CALL --open --reason TEXT")


def _short(path: Path) -> str:
    return str(path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path)
