"""``python -m tests.pbx.demo``: the main job, shown on a real Asterisk with real SIP callers.

Rule: it is a check too. The exit status is 0 only when everything was as promised; what it started it takes
down, and a PBX that was up before stays up. 130 when it was interrupted.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from asterisk_consent.config import Config, load_config
from asterisk_consent.errors import ConsentError
from asterisk_consent.ledger.read import CallRow, RecordingRow, list_calls
from asterisk_consent.ledger.read import recordings as list_recordings
from asterisk_consent.prompts.rendered import PromptSet, load_prompt_set
from asterisk_consent.vault.wav import open_wav
from tests.pbx.demo_callers import CAST, Act, Caller, Tell, play
from tests.pbx.demo_promises import Audio, Evidence, judge
from tests.pbx.demo_report import report_findings, report_promises, report_ways_on
from tests.pbx.demo_screen import Screen
from tests.pbx.demo_watch import Watch
from tests.pbx.development import DevelopmentPbx
from tests.pbx.settings import PROJECT, CannotSetUpError, Settings
from tests.pbx.sip import SipPhone

CLOSED_WITHIN_S = 20.0
CLOSED_LOOKS = 100


def main() -> int:
    """Run the demo and return the exit status."""
    screen = Screen()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = Settings.from_environment()
        pbx = DevelopmentPbx.of(settings)
        with _up(pbx, screen):
            return _show(pbx, screen)
    except (CannotSetUpError, ConsentError) as error:
        screen.say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        screen.say("stopped before the end; nothing was proved")
        return 130


@contextlib.contextmanager
def _up(pbx: DevelopmentPbx, screen: Screen) -> Iterator[None]:
    """Bring the PBX up; take down afterwards what was not up before."""
    screen.heading("Five callers, one Asterisk: who agrees is recorded, nobody else")
    was_up = pbx.is_up()
    try:
        with screen.waiting("setting up ..."):
            pbx.up(screen.say)
        yield
    finally:
        if was_up:
            screen.say("The PBX was up before and stays up.")
        else:
            with screen.waiting("taking down ..."):
                pbx.down(screen.say)


def _show(pbx: DevelopmentPbx, screen: Screen) -> int:
    config = load_config(pbx.settings.config_file)
    announcement = load_prompt_set(pbx.settings.prompts / "p1-nl" / "nl")
    screen.heading("What callers hear (Dutch, with a placeholder voice)")
    for part in announcement.parts.values():
        screen.say(f"“{' '.join(part.text.split())}” ({part.duration_ms / 1000:.0f} s)")
    callers = [
        Caller(name=name, wish=wish, number=number, caller_id=shown) for name, wish, number, shown, _ in CAST
    ]
    known = {row.call_id for row in list_calls(config.ledger_path)}
    watch = Watch.beginning_now(config.spool, config.vault)
    screen.heading("Five calls at once (less than a minute)")
    with screen.watching(callers, watch.told):
        asyncio.run(_call(pbx, callers, announcement, screen.tell, watch))
    rows = [row for row in list_calls(config.ledger_path) if row.call_id not in known]
    out = _hand_out(pbx, rows)
    verified = _run(pbx, "ledger", "verify")
    evidence = Evidence(
        rows=rows,
        first_seen_at=watch.first_seen_at,
        left_in_spool=watch.left_in_spool(),
        audio=_audio(PROJECT / out) if out else None,
        verify_status=verified.returncode,
        verify_text=(verified.stdout + verified.stderr).partition("\n")[0].strip(),
    )
    promises = judge({caller.wish: caller for caller in callers}, evidence)
    report_findings(screen, config, rows)
    report_promises(screen, promises)
    report_ways_on(screen, pbx.settings, out)
    return 0 if all(promise.kept for promise in promises) else 1


async def _call(
    pbx: DevelopmentPbx, callers: list[Caller], announcement: PromptSet, tell: Tell, watch: Watch
) -> None:
    """Let everybody call, then wait until the recordings have come to their end."""
    looking = asyncio.create_task(watch.run())
    async with SipPhone() as phone:
        acts = [Act(caller, phone, announcement, tell) for caller in callers]
        stories = zip(acts, (story for *_, story in CAST), strict=True)
        await asyncio.gather(*(play(act, story, pbx.sip_uri(act.caller.number)) for act, story in stories))
    config = load_config(pbx.settings.config_file)
    for _ in range(CLOSED_LOOKS):
        if not watch.left_in_spool() and not _open_recordings(config):
            break
        await asyncio.sleep(CLOSED_WITHIN_S / CLOSED_LOOKS)
    looking.cancel()


def _open_recordings(config: Config) -> list[RecordingRow]:
    return [row for row in list_recordings(config.ledger_path) if not row.state.is_final]


def _hand_out(pbx: DevelopmentPbx, rows: list[CallRow]) -> Path | None:
    """Export the recording as a person would, with a reason and a recipient; None where there is none."""
    recording = next((row.recording for row in rows if row.recording and row.recording.sha256), None)
    if recording is None:
        return None
    home = pbx.settings.home
    directory = (home.relative_to(PROJECT) if home.is_relative_to(PROJECT) else home) / "demo"
    (PROJECT / directory).mkdir(exist_ok=True)
    file = directory / f"conversation-{recording.recording_id[:8]}.wav"
    arguments = ["recordings", "export", recording.recording_id, "--reason", "to hear what the demo recorded"]
    arguments += ["--to", "whoever ran the demo", "-o", str(file)]
    done = _run(pbx, *arguments)
    if done.returncode:
        raise CannotSetUpError(f"recordings export ended with {done.returncode}: {done.stderr.strip()}")
    for path in (PROJECT / directory, PROJECT / file):
        os.chown(path, pbx.settings.developer_uid, -1)
    return file


def _run(pbx: DevelopmentPbx, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line, as the person who runs the demo."""
    command = [str(pbx.settings.program), "--config", str(pbx.settings.config_file), *arguments]
    return subprocess.run(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _audio(file: Path) -> Audio:
    wave = open_wav(file, channels=2)
    both = np.concatenate([np.zeros((0, 2), dtype=np.int16), *wave.blocks(wave.rate)])
    return Audio(caller=both[:, 0], agent=both[:, 1], rate=wave.rate)


if __name__ == "__main__":
    sys.exit(main())
