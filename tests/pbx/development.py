"""The whole development PBX: Asterisk and the service, brought up together and taken down.

Rule: what already runs from the same configuration and program text stays; what differs is started anew;
``down`` ends what ``up`` started and nothing else.
"""

import contextlib
import fcntl
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from asterisk_consent.policy import parse_policy
from asterisk_consent.vault.recipients import has_recipients
from tests.pbx.asterisk import Asterisk
from tests.pbx.configure import (
    asterisk_files,
    fingerprint,
    load_secrets,
    policy_files,
    service_config,
    source_files,
    write_asterisk,
    write_service,
)
from tests.pbx.root import Say, ensure_root, read_stamp
from tests.pbx.service import Service
from tests.pbx.settings import CannotSetUpError, Settings
from tests.pbx.users import require_root, require_service_can_run


def _output(done: subprocess.CompletedProcess[str], arguments: Iterable[str]) -> str:
    if done.returncode:
        words = " ".join(arguments)
        raise CannotSetUpError(
            f"asterisk-consent {words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


@dataclass(frozen=True, slots=True)
class DevelopmentPbx:
    """A development PBX under one home directory."""

    settings: Settings
    asterisk: Asterisk
    service: Service

    @classmethod
    def of(cls, settings: Settings) -> "DevelopmentPbx":
        """The PBX of these settings, running or not.

        :raises CannotSetUpError: we are not root.
        """
        require_root()
        asterisk = Asterisk(settings, load_secrets(settings))
        return cls(settings, asterisk, Service(settings, asterisk))

    def is_up(self) -> bool:
        """Whether Asterisk and the service run."""
        return self.asterisk.program.running() is not None and self.service.program.running() is not None

    def up(self, say: Say) -> None:
        """Bring up what is not up yet, and return when calls are asked; what cannot be, leaves nothing running.

        :raises CannotSetUpError: what is missing, with what to do about it.
        """
        with self._alone():
            ensure_root(self.settings, say)
            require_service_can_run(self.settings)
            started = self._up_asterisk(say)
            try:
                self._up_service(say, anew=started)
            except CannotSetUpError:
                if started:
                    self.asterisk.program.stop()
                raise

    def down(self, say: Say) -> None:
        """End what was started."""
        with self._alone():
            for program in (self.service.program, self.asterisk.program):
                if program.stop():
                    say(f"{program.name} ended")

    def consent(self, *arguments: str) -> str:
        """Run ``asterisk-consent`` beside the service and return what it printed.

        :raises CannotSetUpError: it did not end with success.
        """
        return _output(self.service.run(*arguments), arguments)

    def consent_as_root(self, *arguments: str) -> str:
        """Run ``asterisk-consent`` as root and return what it printed: what needs an identity.

        :raises CannotSetUpError: it did not end with success.
        """
        return _output(self.service.run_as_root(*arguments), arguments)

    def make_keys(self) -> None:
        """Make the keys of the controllers that have none; nobody keeps the second identities.

        :raises CannotSetUpError: it did not end with success.
        """
        files = self.settings.policies.glob("*.toml")
        controllers = {parse_policy(file.read_text(), file=file.name).controller.id for file in files}
        if not all(has_recipients(each, self.settings.keys) for each in controllers):
            self.consent_as_root("init")

    def approve(self) -> None:
        """Approve every policy as its role would, signing for what has to be signed for.

        :raises CannotSetUpError: one has errors, or was changed without a new version.
        """
        found = json.loads(self.consent("policy", "check", "--json"))
        signed = {finding["rule"] for finding in found if finding["severity"] == "sign"}
        by_role: dict[str, list[str]] = {}
        for file in self.settings.policies.glob("*.toml"):
            policy = parse_policy(file.read_text(), file=file.name)
            by_role.setdefault(policy.approving_role, []).append(policy.id)
        for role, names in by_role.items():
            signatures = [each for rule in sorted(signed) for each in ("--sign", f"{rule}=a development PBX")]
            self.consent("policy", "approve", *names, "--name", "Developer", "--role", role, *signatures)

    def sip_uri(self, number: str) -> str:
        """Where a SIP phone on this machine reaches a number."""
        return f"sip:{number}@127.0.0.1:{self.settings.sip_port}"

    def sip_agent(self) -> str:
        """What to dial for the SIP phone that listens on the agent's port."""
        return f"PJSIP/agent/sip:agent@127.0.0.1:{self.settings.agent_port}"

    def answer_with(self, agent: str) -> None:
        """Let another agent answer the development numbers (a dial string, such as :meth:`sip_agent`)."""
        self.asterisk.console(f"dialplan set global AGENT {agent}")

    def _up_asterisk(self, say: Say) -> bool:
        files = asterisk_files(self.settings, load_secrets(self.settings))
        wanted = fingerprint(files, read_stamp(self.settings.root))
        running = self.asterisk.program.running()
        if running is not None and running.fingerprint == wanted:
            say(f"Asterisk  runs already, process {running.pid}")
            return False
        self.service.stop()
        self.asterisk.program.stop()
        write_asterisk(self.settings, files)
        self.asterisk.start(wanted)
        running = self.asterisk.program.running()
        say(f"Asterisk  ready, process {running.pid if running else '?'}")
        return True

    def _up_service(self, say: Say, *, anew: bool) -> None:
        config, policies = service_config(self.settings, load_secrets(self.settings)), policy_files()
        wanted = fingerprint(config, policies, source_files())
        running = self.service.program.running()
        if running is not None and running.fingerprint == wanted and not anew:
            self.service.thaw()
            say(f"Service   runs already, process {running.pid}")
            return
        self.service.stop()
        write_service(self.settings, config, policies)
        self.make_keys()
        self.consent("prompts", "render")
        self.consent("prompts", "render-line", "--controller", "voorbeeld")
        self.service.start(wanted)
        self.approve()
        self.service.reload()
        running = self.service.program.running()
        say(f"Service   ready, process {running.pid if running else '?'}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two commands from bringing the same PBX up or down at once; what is made can be read by both users."""
        umask = os.umask(0o022)
        try:
            yield from self._locked()
        finally:
            os.umask(umask)

    def _locked(self) -> Iterator[None]:
        self.settings.run.mkdir(parents=True, exist_ok=True)
        with (self.settings.run / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CannotSetUpError(
                    f"Another command is bringing the PBX in {self.settings.home} up or down; try again then"
                ) from error
            yield
