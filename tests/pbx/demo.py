"""``python -m tests.pbx.demo``: the main job, shown on a real Asterisk with real SIP callers.

Rule: it is a check too. The exit status is 0 only when everything was as promised; what it started it takes
down, and a PBX that was up before stays up. 130 when it was interrupted.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator

from asterisk_consent.config import Config, load_config
from asterisk_consent.errors import ConsentError
from asterisk_consent.ledger.read import RecordingRow
from asterisk_consent.ledger.read import recordings as list_recordings
from tests.pbx.demo_callers import Act, Caller, Tell, play
from tests.pbx.demo_cast import CAST
from tests.pbx.demo_evidence import Before, collect
from tests.pbx.demo_promises import judge
from tests.pbx.demo_repertoire import Repertoire
from tests.pbx.demo_report import report_findings, report_promises, report_repertoire, report_ways_on
from tests.pbx.demo_screen import Screen
from tests.pbx.demo_watch import Watch
from tests.pbx.development import DevelopmentPbx
from tests.pbx.settings import CannotSetUpError, Settings
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
    screen.heading("Twelve callers, every example policy, one Asterisk: recorded is what each allows")
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
    roles = [role for role, _ in CAST]
    repertoire = Repertoire.load(config, frozenset(role.policy for role in roles))
    report_repertoire(screen, repertoire)
    callers = [Caller(role=role) for role in roles]
    before = Before.of(pbx)
    watch = Watch.beginning_now(config.spool, config.vault)
    screen.heading("Twelve calls at once (less than a minute)")
    with screen.watching(callers, watch.told):
        asyncio.run(_call(pbx, callers, repertoire, screen.tell, watch))
    with screen.waiting("looking at what is left ..."):
        evidence, files = collect(pbx, callers, repertoire, before, watch)
    promises = judge({caller.name: caller for caller in callers}, repertoire, evidence)
    report_findings(screen, config, evidence.rows)
    report_promises(screen, promises)
    report_ways_on(screen, pbx.settings, files)
    return 0 if all(promise.kept for promise in promises) else 1


async def _call(
    pbx: DevelopmentPbx, callers: list[Caller], repertoire: Repertoire, tell: Tell, watch: Watch
) -> None:
    """Let everybody call, then wait until the recordings have come to their end."""
    looking = asyncio.create_task(watch.run())
    async with SipPhone() as phone:
        acts = [Act(caller, phone, repertoire, tell) for caller in callers]
        stories = zip(acts, (story for _, story in CAST), strict=True)
        await asyncio.gather(
            *(play(act, story, pbx.sip_uri(act.caller.role.number)) for act, story in stories)
        )
    config = load_config(pbx.settings.config_file)
    for _ in range(CLOSED_LOOKS):
        if not watch.left_in_spool() and not _open_recordings(config):
            break
        await asyncio.sleep(CLOSED_WITHIN_S / CLOSED_LOOKS)
    looking.cancel()


def _open_recordings(config: Config) -> list[RecordingRow]:
    return [row for row in list_recordings(config.ledger_path) if not row.state.is_final]


if __name__ == "__main__":
    sys.exit(main())
