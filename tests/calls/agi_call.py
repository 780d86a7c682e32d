"""A call over FastAGI for the tests of ``calls``: a caller who does things at their time, in virtual time.

Behaves as ``AgiChannel`` describes itself: one command at a time, a sound that ends with its length, a digit or the
call. What was asked is told in ``story``.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from asterisk_consent.errors import PbxError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.agi_wire import AgiRequest
from asterisk_consent.pbx.fastagi import AgiChannel, Played
from tests.calls.asterisk import CHANNEL, INFORMATION_MS, QUESTION_MS

SAMPLES_PER_S = 8000


def agi_request(
    *, policy: str = "p1-nl", presentation: str = "allowed", name: str = "Anna Voorbeeld", limit: str = "0"
) -> AgiRequest:
    """Return what Asterisk says about a call, arguments as the dialplan gives them."""
    return AgiRequest(
        fields={
            "agi_uniqueid": CHANNEL,
            "agi_language": "nl",
            "agi_callerid": "+442079460123",
            "agi_calleridname": name,
        },
        arguments=("ask", policy, presentation, presentation, "1001", limit),
    )


@dataclass(slots=True)
class Caller:
    """What the caller does, in seconds after the call came; what Asterisk does otherwise."""

    digits: list[tuple[float, str]] = field(default_factory=list)
    hangs_up_at_s: float = float("inf")
    lengths_s: dict[str, float] = field(
        default_factory=lambda: {
            "information": INFORMATION_MS / 1000,
            "question": QUESTION_MS / 1000,
            "receipt": 3.0,
            **dict.fromkeys([*"0123456789", "pause"], 0.4),
        }
    )
    faults: dict[str, PbxError] = field(default_factory=dict)
    """What to raise for commands whose story begins so."""
    bug: Exception | None = None


class FakeAgiChannel(AgiChannel):
    """The channel without a connection; made inside a running virtual loop."""

    def __init__(self, caller: Caller, request: AgiRequest) -> None:
        self.request = request
        self.story: list[str] = []
        self._caller = caller
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._began_s = self._clock()
        self.went_on_after_s = float("inf")
        """When the dialplan was let go on, counted from the arrival."""

    async def stream_file(
        self, name: str, escape_digits: str = "", *, offset: int = 0, limit_s: float = 300.0
    ) -> Played:
        """Play until the end, a digit or the hang-up."""
        part = name.rpartition("/")[2]
        self._tell(f"play {part} from {offset}")
        if part not in self._caller.lengths_s:
            raise PbxRefusedError("a sound could not be played")
        began_s = self._clock()
        left_s = max(0.0, self._caller.lengths_s[part] - offset / SAMPLES_PER_S)
        digit = await self._wait(left_s)
        return Played(digit=digit, endpos=offset + round((self._clock() - began_s) * SAMPLES_PER_S))

    async def wait_for_digit(self, timeout_s: float) -> str:
        """Wait for a digit, the hang-up, or nothing."""
        self._tell("wait")
        return await self._wait(timeout_s)

    async def set_variable(self, name: str, value: str) -> None:
        """Note the variable."""
        self._tell(f"{name}={value}")

    async def set_extension(self, extension: str) -> None:
        """Note the extension."""
        self._tell(f"extension {extension}")

    async def set_priority(self, priority: str) -> None:
        """Note the priority."""
        self._tell(f"priority {priority}")

    def end(self) -> None:
        """Let the dialplan go on."""
        self.went_on_after_s = min(self.went_on_after_s, self._clock() - self._began_s)

    def leave_at(self, extension: str) -> None:
        """Let the dialplan go on at an extension, whatever is being done."""
        self.story.append(f"extension {extension}")
        self.end()

    @property
    def extensions(self) -> list[str]:
        """The extensions at which the dialplan was told to go on."""
        return [words.split()[1] for words in self.story if words.startswith("extension ")]

    async def _wait(self, seconds: float) -> str:
        """Let time pass until it is over, a digit comes, or the caller hangs up."""
        now_s = self._clock() - self._began_s
        ahead = [(at_s, digit) for at_s, digit in self._caller.digits if at_s >= now_s]
        digit_at_s = ahead[0][0] if ahead else float("inf")
        until_s = min(now_s + seconds, digit_at_s, max(now_s, self._caller.hangs_up_at_s))
        await asyncio.sleep(until_s - now_s)
        if until_s >= self._caller.hangs_up_at_s:
            raise PbxUnavailableError("the caller hung up")
        if until_s == digit_at_s:
            self._caller.digits.remove(ahead[0])
            return ahead[0][1]
        return ""

    def _tell(self, words: str) -> None:
        self.story.append(words)
        assert self.went_on_after_s == float("inf"), "nothing is asked of a session that has ended"
        if self._caller.bug is not None:
            raise self._caller.bug
        for beginning, error in self._caller.faults.items():
            if words.startswith(beginning):
                raise error
        if self._clock() - self._began_s >= self._caller.hangs_up_at_s:
            raise PbxUnavailableError("the caller hung up")
