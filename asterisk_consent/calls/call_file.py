"""What is written down of one call while it is asked, and the entry made of it.

The same for every way a call can reach us. Rule: number and name enter an entry only where the outcome gives reason
to keep them; ``ledger.payload`` refuses the others once more.
"""

from collections.abc import Callable

from asterisk_consent.calls.announced import Announced
from asterisk_consent.dialogue.events import Part
from asterisk_consent.ledger.entry import SYSTEM_STREAM, NewEntry, decision_kind
from asterisk_consent.ledger.payload import Moment, decision_payload
from asterisk_consent.model import Call, Outcome, RecordingId
from asterisk_consent.policy import Policy
from asterisk_consent.telephone import e164

MAX_MOMENTS = 64
"""Steps kept of the course of one call; a storm of digits is cut off here."""


class CallFile:
    """The course of one call.

    :param region: where numbers without a country code belong.
    :param clock_s: seconds of a clock that no one sets, for the course.
    """

    def __init__(
        self,
        call: Call,
        *,
        announced: Announced,
        region: str,
        clock_s: Callable[[], float],
    ) -> None:
        self._call = call
        self._announced = announced
        self._region = call.region or region
        self._clock_s = clock_s
        self._began_at_s = clock_s()
        self._course: list[Moment] = []

    def note(self, what: str, detail: str) -> None:
        """Add a step to the course."""
        if len(self._course) < MAX_MOMENTS:
            at_ms = round((self._clock_s() - self._began_at_s) * 1000)
            self._course.append(Moment(at_ms=at_ms, what=what, detail=detail))

    def entry(
        self,
        outcome: Outcome,
        *,
        language: str,
        digit: str,
        reason: str,
        played_ms: int,
        recording_id: RecordingId,
    ) -> NewEntry:
        """Return the entry of the decision; ``recording_id`` is in it only where it allows a recording.

        :param language: the one the caller was informed in, or was to be; empty where none was chosen.
        """
        call, policy = self._call, self._announced.policy
        prompts = self._announced.prompts.get(language)
        allowed = outcome.allows_recording
        number = call.party.number
        return NewEntry(
            stream=policy.controller.id if policy else SYSTEM_STREAM,
            kind=decision_kind(outcome),
            call_id=call.call_id,
            policy=call.policy,
            policy_version=policy.version if policy else 0,
            language=language,
            announcement=prompts.digest if prompts else "",
            payload=decision_payload(
                outcome=outcome,
                started_at=call.started_at,
                direction=call.direction,
                dialled=call.dialled,
                channel=call.channel,
                caller=e164(number, self._region) if allowed and number is not None else None,
                caller_name=call.party.name,
                withheld=number is None,
                digit=digit,
                played_ms=played_ms,
                information_ms=prompts.parts[Part.INFORMATION].duration_ms if prompts else 0,
                recording_id=recording_id if allowed else None,
                purposes=_granted(policy, language) if allowed else (),
                reason=reason,
                course=tuple(self._course),
                alias=call.alias,
                receipt=call.receipt if allowed else "",
            ),
        )


def _granted(policy: Policy | None, language: str) -> tuple[str, ...]:
    """Return the purposes that the caller was told of; no other is granted for the call."""
    return tuple(purpose.name for purpose in policy.announced_purposes(language)) if policy else ()
