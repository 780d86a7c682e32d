"""Sets the stage: the development PBX with a home of its own for the benchmark, and what only that needs.

Rule: Asterisk and the service run exactly as the development PBX runs them; added are the benchmark's numbers,
its short announcement, and a manager user that only listens. The development PBX's own ledger and recordings
are not touched; if it runs it is taken down first, for both use the same Asterisk root, and left down.
"""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from asterisk_consent.calls.approving import Approver, approval_entry
from asterisk_consent.config import load_policy
from asterisk_consent.ledger.append import append_from_outside
from asterisk_consent.prompts.render import render_prompts
from asterisk_consent.prompts.rendered import PromptSet
from asterisk_consent.prompts.text import fill_text, load_text
from tests.pbx.development import DevelopmentPbx
from tests.pbx.root import Say, ensure_root
from tests.pbx.settings import ASTERISK_UID, CannotSetUpError, Settings

HERE = Path(__file__).parent
AMI_USER = "bench"
POLICY = "bench"
_RTP_LAST = 23999  # two ports a call, and hundreds of calls stay until the measuring is over
_AMI = """
[general](+)
timestampevents = yes

[{user}]
secret = {secret}
permit = 127.0.0.1/255.255.255.255
read = dtmf,call
writetimeout = 5000
eventfilter(action(include),name(DTMFEnd)) =
eventfilter(action(include),name(MixMonitorStart)) =
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The PBX that is measured. Durations are those of the announcement's two parts."""

    pbx: DevelopmentPbx
    settings: Settings
    asterisk_pid: int
    service_pid: int
    ami_secret: str
    information_s: float
    question_s: float

    @property
    def press_after_s(self) -> float:
        """When callers press: in the middle of the question, counted from the answer."""
        return self.information_s + self.question_s / 2

    @property
    def recordings(self) -> Path:
        """Where the ways without the service record to, seen from outside Asterisk's root."""
        return self.settings.root / "var/spool/asterisk/bench"


@contextmanager
def stage(say: Say) -> Iterator[Stage]:
    """Bring the PBX up for the benchmark; take it down and delete its recordings on the way out.

    :raises CannotSetUpError: what is missing, with what to do about it.
    """
    development = Settings.from_environment()
    DevelopmentPbx.of(development).down(say)
    ensure_root(development, say)
    settings = replace(
        development, home=development.home / "bench", rtp_last=max(development.rtp_last, _RTP_LAST)
    )
    settings.home.mkdir(parents=True, exist_ok=True)
    _link(settings.root, development.root)
    _forget_runs(settings)
    pbx = DevelopmentPbx.of(settings)
    try:
        pbx.up(say)
        yield _dress(pbx, settings)
    finally:
        pbx.down(say)
        _forget_runs(settings)


def _dress(pbx: DevelopmentPbx, settings: Settings) -> Stage:
    secret = secrets.token_hex(16)
    with (settings.root / "etc/asterisk/manager.conf").open("a") as file:
        file.write(_AMI.format(user=AMI_USER, secret=secret))
    pbx.asterisk.console("manager reload")
    text = load_text(HERE / "announcement.toml")
    prompts = render_prompts(
        spoken=fill_text(text, {"agree_digit": "1", "refuse_digit": "2"}, ("information", "question")),
        language="nl",
        name=POLICY,
        reviewed_by=text.reviewed_by,
        directory=settings.prompts / POLICY / "1" / "nl",
        voice="nl",
    )
    shutil.copy(HERE / "policy.toml", settings.policies / "bench.toml")
    (settings.policies / "bench.toml").chmod(0o644)
    service = pbx.service.program.running()
    pbx.service.stop()
    _approve(settings, prompts)
    pbx.service.start(service.fingerprint if service else "")
    running = [program.running() for program in (pbx.asterisk.program, pbx.service.program)]
    made = Stage(
        pbx=pbx,
        settings=settings,
        asterisk_pid=running[0].pid if running[0] else 0,
        service_pid=running[1].pid if running[1] else 0,
        ami_secret=secret,
        information_s=prompts.parts["information"].duration_ms / 1000,
        question_s=prompts.parts["question"].duration_ms / 1000,
    )
    made.recordings.mkdir(parents=True, exist_ok=True)
    shutil.chown(made.recordings, ASTERISK_UID, ASTERISK_UID)
    return made


def install_classic_agi(made: Stage, say: Say) -> bool:
    """Put the classic AGI script into Asterisk's root, and a Python to run it; tell whether that worked."""
    root = made.settings.root
    script = root / "usr/local/bin/classic_agi.py"
    shutil.copy(HERE / "classic_agi.py", script)
    script.chmod(0o755)
    if (root / "usr/bin/python3").exists():
        return True
    say("Classic AGI: installing python3 into Asterisk's root, for the benchmark only")
    for command in (("update",), ("install", "-y", "--no-install-recommends", "python3")):
        words = ["chroot", str(root), "apt-get", "-q", "-o", "Acquire::Check-Valid-Until=false", *command]
        done = subprocess.run(
            words,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            say(f"Classic AGI: left out, python3 cannot be installed:\n{done.stderr[-400:]}")
            return False
    return True


def _approve(settings: Settings, prompts: PromptSet) -> None:
    """Enter that the policy is approved; no review would let an announcement this short pass."""
    approver = Approver(person="bench", name="bench", role="benchmark", signed={})
    entry = approval_entry(load_policy(settings.policies / "bench.toml"), {"nl": prompts}, approver)
    append_from_outside(settings.data / "ledger.sqlite", entry)


def _link(link: Path, root: Path) -> None:
    if link.is_symlink():
        link.unlink()
    if link.exists():
        raise CannotSetUpError(f"{link} should be a link to {root}; remove it")
    link.symlink_to(root)


def _forget_runs(settings: Settings) -> None:
    """Delete the recordings and the ledger of earlier benchmarks: they are nobody's calls."""
    shutil.rmtree(settings.data, ignore_errors=True)
    for place in (settings.spool, settings.root / "var/spool/asterisk/bench"):
        for file in place.glob("*"):
            file.unlink(missing_ok=True)
