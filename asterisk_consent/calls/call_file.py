"""What is written down of one call while it is asked, and the entry made of it.

The same for every way a call can reach us. Rule: number and name enter an entry only where the outcome gives reason
to keep them; ``ledger.payload`` refuses the others once more.
"""

from collections.abc import Callable

from asterisk_consent.calls.arrival import e164
from asterisk_consent.dialogue.events import Part
from asterisk_consent.dialogue.machine import Script
from asterisk_consent.ledger.entry import SYSTEM_STREAM, NewEntry, decision_kind
from asterisk_consent.ledger.payload import Moment, decision_payload
from asterisk_consent.model import Call, Outcome, RecordingId
from asterisk_consent.policy import Policy
from asterisk_consent.prompts.rendered import PromptSet

MAX_MOMENTS = 64
"""Steps kept of the course of one call; a storm of digits is cut off here."""


class CallFile:
    """The course of one call.

    :param policy: ``None`` where the number's policy is not known; ``prompts`` ``None`` where none can be played.
    :param region: where numbers without a country code belong.
    :param clock_s: seconds of a clock that no one sets, for the course.
    """

    def __init__(
        self,
        call: Call,
        *,
        policy: Policy | None,
        prompts: PromptSet | None,
        region: str,
        clock_s: Callable[[], float],
    ) -> None:
        self._call = call
        self._policy = policy
        self._prompts = prompts
        self._region = region
        self._clock_s = clock_s
        self._began_at_s = clock_s()
        self._course: list[Moment] = []

    def note(self, what: str, detail: str) -> None:
        """Add a step to the course."""
        if len(self._course) < MAX_MOMENTS:
            at_ms = round((self._clock_s() - self._began_at_s) * 1000)
            self._course.append(Moment(at_ms=at_ms, what=what, detail=detail))

    def entry(
        self, outcome: Outcome, *, digit: str, reason: str, played_ms: int, recording_id: RecordingId
    ) -> NewEntry:
        """Return the entry of the decision; ``recording_id`` is in it only where the caller agreed."""
        call, policy, prompts = self._call, self._policy, self._prompts
        given = outcome is Outcome.GIVEN
        number = call.party.number
        return NewEntry(
            stream=policy.controller if policy else SYSTEM_STREAM,
            kind=decision_kind(outcome),
            call_id=call.call_id,
            policy=call.policy,
            policy_version=policy.version if policy else 0,
            language=prompts.language if prompts else "",
            announcement=prompts.digest if prompts else "",
            payload=decision_payload(
                outcome=outcome,
                started_at=call.started_at,
                direction=call.direction,
                dialled=call.dialled,
                channel=call.channel,
                caller=e164(number, self._region) if given and number is not None else None,
                caller_name=call.party.name,
                withheld=number is None,
                digit=digit,
                played_ms=played_ms,
                information_ms=prompts.parts[Part.INFORMATION].duration_ms if prompts else 0,
                recording_id=recording_id if given else None,
                purposes=tuple(purpose.name for purpose in policy.purposes) if policy and given else (),
                reason=reason,
                course=tuple(self._course),
            ),
        )


def script_of(policy: Policy | None) -> Script:
    """Return what the policy prescribes; a call that cannot be asked gets one in which no digit counts."""
    if policy is None:
        return Script(
            agree_digit="",
            refuse_digit="",
            repeat_digit="",
            attempts=1,
            repeats=0,
            first_digit_s=0.0,
            overall_s=0.0,
        )
    return Script(
        agree_digit=policy.agree_digit,
        refuse_digit=policy.refuse_digit,
        repeat_digit=policy.repeat_digit,
        attempts=policy.attempts,
        repeats=policy.repeats,
        first_digit_s=policy.first_digit_s,
        overall_s=policy.overall_s,
    )
