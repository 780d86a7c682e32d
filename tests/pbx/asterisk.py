"""Asterisk itself: started, asked, ended.

Rule: ``start`` returns only when calls, ARI and AMI are served, or says why not with the end of the log.
"""

import base64
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.parse
from typing import Any

from tests.pbx.configure import Secrets
from tests.pbx.processes import Program
from tests.pbx.settings import CannotSetUpError, Settings
from tests.pbx.users import as_asterisk

READY_WITHIN_S = 30.0


class Asterisk:
    """The one Asterisk of a development PBX."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self.program = Program("asterisk", run=settings.run, log=settings.log)
        password = f"asterisk-consent:{secrets.ari}".encode()
        self._login = {"Authorization": "Basic " + base64.b64encode(password).decode()}

    def start(self, fingerprint: str = "") -> None:
        """Start it, from what it was started from the last time unless told, and wait until it serves.

        :raises CannotSetUpError: a port is taken, it ended, or it was not ready in time.
        """
        self._require_free_ports()
        (self.settings.root / "run/asterisk/asterisk.ctl").unlink(missing_ok=True)
        if self.settings.asterisk_log.exists():
            self.settings.asterisk_log.replace(self.settings.asterisk_log.with_suffix(".before"))
        command = as_asterisk(
            self.settings, ["/usr/sbin/asterisk", "-f", "-C", "/etc/asterisk/asterisk.conf"]
        )
        env = {"PATH": os.defpath + ":/usr/sbin:/sbin", "HOME": "/var/lib/asterisk", "LANG": "C.UTF-8"}
        self.program.start(command, env=env, fingerprint=fingerprint)
        end = time.monotonic() + READY_WITHIN_S
        while not self._serves():
            if self.program.running() is None:
                raise CannotSetUpError(f"Asterisk ended at once:\n{self.log_tail()}")
            if time.monotonic() > end:
                raise CannotSetUpError(
                    f"Asterisk was not ready in {READY_WITHIN_S:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def console(self, command: str) -> str:
        """Run a command of Asterisk's console and return what it printed."""
        done = subprocess.run(
            ["chroot", str(self.settings.root), "/usr/sbin/asterisk", "-rx", command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
        return done.stdout

    def ari(self, method: str, path: str, **query: str) -> tuple[int, Any]:
        """Send one ARI request as the service's user; return status and body.

        :raises OSError: nobody answers.
        """
        link = http.client.HTTPConnection("127.0.0.1", self.settings.ari_port, timeout=5)
        try:
            target = f"/ari/{path}?{urllib.parse.urlencode(query)}"
            link.request(method, target, headers=self._login)
            answer = link.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body.startswith((b"{", b"[")) else None
        finally:
            link.close()

    def global_variable(self, name: str) -> str:
        """The value of a global variable of the dialplan, empty when it has none."""
        _, body = self.ari("GET", "asterisk/variable", variable=name)
        return str(body.get("value", "")) if isinstance(body, dict) else ""

    def global_number(self, name: str) -> int:
        """The same of one that counts; 0 when it has none."""
        return int(self.global_variable(name) or "0")

    def log_tail(self, lines: int = 25) -> str:
        """The end of what it printed and logged."""
        printed = self.program.log_tail(lines)
        try:
            logged = self.settings.asterisk_log.read_text(errors="replace").splitlines()[-lines:]
        except OSError:
            logged = []
        return "\n".join([printed, *logged])

    def _serves(self) -> bool:
        try:
            status, _ = self.ari("GET", "asterisk/ping")
            with socket.create_connection(("127.0.0.1", self.settings.ami_port), timeout=2):
                pass
        except (OSError, http.client.HTTPException):
            return False
        return status == 200 and "fully booted" in self.console("core waitfullybooted").lower()

    def _require_free_ports(self) -> None:
        wanted = (
            ("PBX_SIP_PORT", self.settings.sip_port, socket.SOCK_DGRAM),
            ("PBX_ARI_PORT", self.settings.ari_port, socket.SOCK_STREAM),
            ("PBX_AMI_PORT", self.settings.ami_port, socket.SOCK_STREAM),
        )
        for name, port, kind in wanted:
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise CannotSetUpError(
                        f"Port {port} of 127.0.0.1 is taken ({error.strerror}); choose another with {name}"
                    ) from error
