"""What the demo promises, and whether the evidence shows that it was kept.

Rule: judged by what others hold, never by what the demo intended: the sound that callers heard, the files that
lay on disk and when, the entries of the ledger, the policies and announcements, the audio that was handed out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from asterisk_consent.ledger import Kind
from asterisk_consent.ledger.read import CallRow
from asterisk_consent.model import CopyState
from tests.pbx.demo_callers import Caller
from tests.pbx.demo_cast import EMERGENCY, WITHOUT_LOGGING
from tests.pbx.demo_conversation import STRAY_S, Judged, judge_conversation
from tests.pbx.demo_evidence import Evidence
from tests.pbx.demo_repertoire import Repertoire
from tests.pbx.demo_withdrawal import WITHDRAWS

AT_ONCE_S = 3.0
"""How soon a caller who is not asked hears the agent, who takes 0.3 s to answer; a busy machine is slow."""
TOLD_TOLERANCE_S = 0.7
"""What may be missing of the announcement as heard: it begins and ends softly."""
STAMP_S = 0.1
"""How late a packet may get its moment on a busy machine, and so how much later the last word may seem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise, whether it was kept, and what was measured."""

    text: str
    kept: bool
    measured: str


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that a promise is judged from."""

    callers: Mapping[str, Caller]
    repertoire: Repertoire
    evidence: Evidence

    @property
    def recorded(self) -> list[Caller]:
        """The callers whom their policy allows to be recorded."""
        return [caller for caller in self.callers.values() if caller.role.is_recorded]

    def row_of(self, caller: Caller) -> CallRow | None:
        """The entry of a recorded caller: no other keeps a number."""
        return next((row for row in self.evidence.rows if self.number_in(row) == caller.role.caller_id), None)

    def number_in(self, row: CallRow) -> str:
        """The number that is sealed in an entry; empty where there is none."""
        decision = self.evidence.decisions.get(row.call_id)
        return (decision.caller or "") if decision else ""

    def digit_in(self, row: CallRow) -> str:
        """The digit that is sealed in an entry; empty where there is none."""
        decision = self.evidence.decisions.get(row.call_id)
        return decision.digit if decision else ""


def judge(callers: Mapping[str, Caller], repertoire: Repertoire, evidence: Evidence) -> list[Promise]:
    """Compare what was promised with what was found."""
    case = _Case(callers, repertoire, evidence)
    return [
        _promise(
            "Everybody who stayed talked with the agent, whatever they answered", _all_were_put_through, case
        ),
        _promise("The ledger holds each answer for what it was, once, and its language", _answers, case),
        _promise(
            "Each entry names what the caller heard, by the announcement's digest", _announcements, case
        ),
        _promise(
            "Exactly those were recorded whose policy allows it, none too early",
            _recorded,
            case,
        ),
        _promise("In each recording is its conversation and nothing else", _conversations, case),
        _promise("Granted are the purposes that were announced, and no other", _purposes, case),
        _promise("No number or name is readable; sealed is that of those recorded", _numbers, case),
        _promise(f"{WITHDRAWS} withdraws: that recording is erased at once, no other", _withdrawn, case),
        _promise("The customer without logging: not asked, nothing kept, one call counted", _off, case),
        _promise("112 went straight to the agent: not asked, nothing kept", _emergency, case),
        _promise("The ledger's chain verifies", _chain, case),
    ]


def _promise(text: str, look: Callable[[_Case], Judged], case: _Case) -> Promise:
    wrong, measured = look(case)
    return Promise(text=text, kept=not wrong, measured="; ".join(wrong) or measured)


def _all_were_put_through(case: _Case) -> Judged:
    callers = case.callers.values()
    lost = [f"{each.name}: {each.failure or 'no agent'}" for each in callers if _was_lost(each)]
    waits = (
        f"{each.name} {each.agent_at - each.pressed_at:.1f} s"
        for each in callers
        if each.pressed_at and each.agent_at
    )
    return lost, f"after the digit: {', '.join(waits)}"


def _was_lost(caller: Caller) -> bool:
    return bool(caller.failure) or (caller.role.stays and not caller.agent_at)


def _answers(case: _Case) -> Judged:
    roles = [caller.role for caller in case.callers.values() if caller.role.outcome is not None]
    wanted = Counter((role.policy, str(role.outcome), role.language, role.digit) for role in roles)
    found = Counter(
        (row.policy, str(row.outcome), row.language, case.digit_in(row)) for row in case.evidence.rows
    )
    wrong = [f"not entered: {_answer(each)}" for each in (wanted - found).elements()]
    wrong += [f"entered and not given: {_answer(each)}" for each in (found - wanted).elements()]
    by_policy: dict[str, list[str]] = {}
    for policy, *rest in sorted(found.elements()):
        by_policy.setdefault(policy, []).append(_told(*rest))
    return wrong, "; ".join(f"{policy}: {', '.join(told)}" for policy, told in by_policy.items())


def _answer(answer: tuple[str, str, str, str]) -> str:
    policy, *rest = answer
    return f"{policy} {_told(*rest)}"


def _told(outcome: str, language: str, digit: str) -> str:
    return f"{outcome}{f' {language}' if language else ''}{f' (digit {digit})' if digit else ''}"


def _announcements(case: _Case) -> Judged:
    wrong, digests = [], set()
    for row in case.evidence.rows:
        spoken = case.repertoire.prompts.get(row.policy, {}).get(row.language)
        found = case.evidence.announcements.get(row.call_id, "no entry")
        if found != (spoken.digest if spoken else ""):
            wrong.append(f"{row.policy} {row.language or 'without a language'}: {found or 'none'}")
        elif spoken:
            digests.add(spoken.digest)
    for caller in case.callers.values():
        heard = case.evidence.heard_in.get(caller.name, ())
        if heard != ((caller.role.language,) if caller.role.language else ()):
            wrong.append(f"{caller.name} heard {_listed(heard)}, not {caller.role.language or 'none'}")
    without = sum(not row.language for row in case.evidence.rows)
    return wrong, f"{len(digests)} announcements; the {without} who chose no language heard, and have, none"


def _recorded(case: _Case) -> Judged:
    evidence = case.evidence
    wrong, known = [], set[str]()
    after: dict[str, list[str]] = {"digit": [], "last word": []}
    for caller in case.recorded:
        row = case.row_of(caller)
        if row is None or row.recording is None:
            wrong.append(f"no recording of {caller.name}")
            continue
        known.add(row.recording.recording_id)
        ground_at, ground = (
            (caller.pressed_at, "digit") if caller.role.digit else (caller.told_until_at, "last word")
        )
        seen = [
            at for name, at in evidence.first_seen_at.items() if _id_in(name) == row.recording.recording_id
        ]
        if not seen:
            wrong.append(f"no file of {caller.name} was ever seen")
        elif min(seen) < ground_at - (0.0 if caller.role.digit else STAMP_S):
            wrong.append(f"a file of {caller.name} {ground_at - min(seen):.1f} s before the {ground}")
        else:
            after[ground].append(f"{caller.name} {max(0.0, min(seen) - ground_at):.1f} s")
        wrong += _not_told(caller, case.repertoire)
    wrong += _others(evidence, known)
    told = (f"{', '.join(waits)} after the {ground}" for ground, waits in after.items())
    return wrong, f"first file {'; '.join(told)}; the spool is empty again"


def _not_told(caller: Caller, repertoire: Repertoire) -> list[str]:
    """What a caller who pressed no digit did not hear of the announcement: staying alone is no ground."""
    announced_s = repertoire.announced_s(caller.role.policy, caller.role.language)
    told_s = caller.told_until_at - caller.told_from_at
    if caller.role.digit or told_s >= announced_s - TOLD_TOLERANCE_S:
        return []
    return [f"{caller.name} heard {told_s:.1f} s of {announced_s:.1f} s"]


def _others(evidence: Evidence, known: set[str]) -> list[str]:
    """Files and recordings of nobody who may be recorded."""
    files = sorted(name for name in evidence.first_seen_at if _id_in(name) not in known)
    rows = [row for row in evidence.rows if row.recording and row.recording.recording_id not in known]
    return [
        *(f"a file of somebody else: {name}" for name in files),
        *(f"a recording in the ledger: {row.policy} {row.outcome}" for row in rows),
        *(f"left in the spool: {name}" for name in evidence.left_in_spool),
    ]


def _id_in(file_name: str) -> str:
    return file_name[:32]


def _conversations(case: _Case) -> Judged:
    wrong, measured = [], []
    for caller in case.recorded:
        row = case.row_of(caller)
        recording = row.recording if row else None
        audio = case.evidence.audio.get(recording.recording_id) if recording else None
        problems, found = judge_conversation(caller, recording, audio)
        wrong += problems
        measured.append(found)
    return wrong, "; ".join(measured) + ". Left the caller, right the agent"


def _purposes(case: _Case) -> Judged:
    wrong, granted = [], []
    allowed = {caller.role.caller_id: caller for caller in case.recorded}
    for row in case.evidence.rows:
        caller = allowed.get(case.number_in(row))
        announced = case.repertoire.purposes(row.policy, row.language) if caller else ()
        if row.purposes != announced:
            wrong.append(f"{row.policy} {row.outcome}: {_listed(row.purposes)}, not {_listed(announced)}")
        if caller:
            granted.append(f"{caller.name}: {_listed(row.purposes)}")
    return wrong, "; ".join(sorted(granted))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _numbers(case: _Case) -> Judged:
    allowed = {caller.role.caller_id for caller in case.recorded}
    kept = {case.number_in(row) for row in case.evidence.rows} - {""}
    wrong = [f"{number} was kept" for number in sorted(kept - allowed)]
    wrong += [f"{number} was not kept" for number in sorted(allowed - kept)]
    wrong += [f"{name}: readable on disk" for name in sorted(case.evidence.traces)]
    names = ", ".join(caller.name for caller in case.recorded)
    everybody = f"of all {len(case.callers)} nothing readable in ledger, keys, vault, spool and log"
    return wrong, f"{everybody}; opened with the controllers' identities: {names}"


def _withdrawn(case: _Case) -> Judged:
    found = case.evidence.withdrawal
    if found is None:
        return [f"no recording of {WITHDRAWS}"], ""
    told = "; ".join(f"{what}: {state}" for what, state in found.copies)
    wrong = [f"still there: {name}" for name in found.left]
    wrong += [f"gone too: {call}" for call in found.lost]
    if found.exit_status or not any(
        what.startswith("recording") and state == CopyState.DONE for what, state in found.copies
    ):
        wrong.append(f"the answer was {told or 'none'} (exit status {found.exit_status})")
    return wrong, told


def _off(case: _Case) -> Judged:
    wrong, measured = _left_alone(case, case.callers[WITHOUT_LOGGING])
    if case.evidence.off_calls != 1:
        wrong.append(f"counted {case.evidence.off_calls}")
    return wrong, measured


def _emergency(case: _Case) -> Judged:
    return _left_alone(case, case.callers[EMERGENCY])


def _left_alone(case: _Case, caller: Caller) -> Judged:
    """A call of which nothing is left was put through at once; an entry would be one too many."""
    waited_s = caller.agent_at - caller.called_at
    measured = f"agent heard {waited_s:.1f} s after dialling, {caller.spoken_to_s:.1f} s of anything before"
    wrong = [] if caller.agent_at else ["no agent"]
    if caller.agent_at and (waited_s > AT_ONCE_S or caller.spoken_to_s > STRAY_S):
        wrong.append(measured)
    asked = sum(each.role.outcome is not None for each in case.callers.values())
    decisions = sum(number for kind, number in case.evidence.kinds.items() if kind.startswith("decision."))
    if decisions > asked or case.evidence.kinds.get(Kind.CALLS_PASSED):
        wrong.append(f"{decisions} calls entered of {asked} asked, and others counted as passed")
    if caller.name in case.evidence.traces:
        wrong.append("traces on disk")
    return wrong, measured


def _chain(case: _Case) -> Judged:
    text = case.evidence.verify_text
    return ([text or "no answer"] if case.evidence.verify_status else []), text
