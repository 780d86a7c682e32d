"""Drives many callers at a steady rate with SIPp: each calls, presses a digit, stays, hangs up.

Rule: the caller's behaviour is by the clock alone, the same whatever answers, so that what is compared gets
the same callers. A call SIPp does not count as successful is a lost call.
"""

import asyncio
import csv
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import pressed_digit

_GIVE_UP_S = 60.0

_SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="press a digit">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+442079460[call_number]@[local_ip]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" timeout="10000"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+442079460[call_number]@[local_ip]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="@PRESS_AFTER_MS@"/>
<nop><action><exec play_pcap_audio="@DIGIT@"/></action></nop>
<pause milliseconds="@STAY_MS@"/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+442079460[call_number]@[local_ip]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200" timeout="10000"/>
</scenario>
"""


class CallersError(Exception):
    """SIPp could not be run, or did not say what became of its calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the callers do. ``stay_s`` counts from the press of the digit to the hang-up."""

    number: str
    calls: int
    per_second: float
    press_after_s: float
    stay_s: float
    digit: str = "1"

    @property
    def lasts_s(self) -> float:
        """Length from the first call to the last hang-up."""
        return self.calls / self.per_second + self.press_after_s + self.stay_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    placed: int
    successful: int

    @property
    def lost(self) -> int:
        """Calls that did not go as a call goes."""
        return self.placed - self.successful


class Callers:
    """The callers on their way."""

    def __init__(
        self, process: asyncio.subprocess.Process, statistics: Path, log: Path, *, calls: int
    ) -> None:
        self._process = process
        self._calls = calls
        self._statistics = statistics
        self._log = log

    async def finished(self, *, within_s: float) -> Outcome:
        """Wait for the last hang-up.

        :raises CallersError: SIPp did not end in time, or did not place every call.
        """
        try:
            await asyncio.wait_for(self._process.wait(), within_s)
        except TimeoutError:
            raise CallersError(f"SIPp was still calling after {within_s:.0f} s") from None
        try:
            outcome = read_outcome(self._statistics.read_text(encoding="utf-8"))
        except (OSError, LookupError, ValueError):
            outcome = Outcome(placed=0, successful=0)
        if outcome.placed != self._calls:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
            said = " ".join(line for line in lines if "rror" in line or "nable" in line)[-600:]
            raise CallersError(
                f"SIPp placed {outcome.placed} of {self._calls} calls and ended with {self._process.returncode},"
                f" saying: {said}"
            )
        return outcome


@asynccontextmanager
async def calling(plan: Plan, *, pbx: tuple[str, int]) -> AsyncIterator[Callers]:
    """Start the callers; whoever is left is ended on the way out.

    :raises CallersError: SIPp is not installed.
    """
    if shutil.which("sipp") is None:
        raise CallersError("sipp is not installed; apt-get install sip-tester")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        pressed_digit.write(place / "digit.pcap", plan.digit)
        scenario = _SCENARIO.replace("@DIGIT@", str(place / "digit.pcap"))
        scenario = scenario.replace("@PRESS_AFTER_MS@", str(round(plan.press_after_s * 1000)))
        (place / "press.xml").write_text(scenario.replace("@STAY_MS@", str(round(plan.stay_s * 1000))))
        with (place / "sipp.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *_command(plan, place, pbx), stdout=log, stderr=log, cwd=place
            )
        try:
            yield Callers(process, place / "calls.csv", place / "sipp.log", calls=plan.calls)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _command(plan: Plan, place: Path, pbx: tuple[str, int]) -> list[str]:
    options = {
        "-sf": place / "press.xml",
        "-s": plan.number,
        "-r": f"{plan.per_second:g}",
        "-m": plan.calls,
        "-l": plan.calls,
        "-i": "127.0.0.1",
        "-mi": "127.0.0.1",
        "-p": _free_port(),
        "-mp": _free_port(),
        "-stf": place / "calls.csv",
        "-fd": 1,
        "-timeout": f"{plan.lasts_s + _GIVE_UP_S:.0f}s",
    }
    words = [str(word) for option in options.items() for word in option]
    return ["sipp", f"{pbx[0]}:{pbx[1]}", "-nostdin", "-trace_stat", *words]


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read_outcome(statistics: str) -> Outcome:
    """Read SIPp's statistics; the last row has the totals.

    :raises LookupError: there is no row, or the columns are others.
    """
    rows = list(csv.DictReader(statistics.splitlines(), delimiter=";"))
    return Outcome(placed=int(rows[-1]["TotalCallCreated"]), successful=int(rows[-1]["SuccessfulCall(C)"]))
