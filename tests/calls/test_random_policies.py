"""A thousand policies at random: each is refused with reasons, or asks a call without breaking an invariant."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, seed, settings

from asterisk_consent.calls.announced import Announced, fault_of
from asterisk_consent.dialogue.events import Part
from asterisk_consent.ledger.entry import NewEntry
from asterisk_consent.ledger.payload import Decision
from asterisk_consent.model import Direction, Mode, Outcome, is_hex_id
from asterisk_consent.pbx.ari import AriEvent
from asterisk_consent.policy import Policy
from asterisk_consent.policy.finding import Severity
from asterisk_consent.prompts.rendered import Prompt, PromptSet
from asterisk_consent.prompts.review import Review, review
from tests.calls import agi_call
from tests.calls.asterisk import UNAVAILABLE, FakeAsterisk, waiting_channel
from tests.calls.ledger import FakeLedger
from tests.calls.random_policies import DIALLED, NEVER_S, Caller, callers, policies, write_texts
from tests.calls.service import Service
from tests.calls.test_agi_session import desk_of
from tests.calls.virtual_time import in_virtual_time
from tests.policy.shipped import TODAY

LENGTHS_MS = {"menu": 2_500, "information": 15_000, "question": 5_000, "no_refusal": 4_000}
NUMBER = "2079460123"
EVERY_OUTCOME = {outcome for outcome in Outcome if outcome is not Outcome.ABORTED}
ALL_AT_ONCE = ("play", "continue", "stop", "TIMEOUT", "list")


@dataclass(slots=True)
class Watched(FakeAsterisk):
    """Notes in one list, in order, what was played out, pressed and continued, whoever hears of it."""

    log: list[tuple[str, str]] = field(default_factory=list)
    media: dict[str, list[str]] = field(default_factory=dict)
    began_at_s: float = 0.0

    async def carry_out(self, method: str, path: str, params: dict[str, str]) -> bytes:
        """Note which files are played, with their language."""
        if "media" in params:
            playback = path.rpartition("/")[2]
            self.media[playback] = ["/".join(each.split("/")[-2:]) for each in params["media"].split(",")]
        return await FakeAsterisk.carry_out(self, method, path, params)

    def _continue(self, channel: str) -> bytes:
        answer = FakeAsterisk._continue(self, channel)
        self.log.append(("continued", self.story[-1].removeprefix("continue ")))
        return answer

    def _tell(self, told: AriEvent) -> None:
        if told.type == "ChannelDtmfReceived" and self.connected:
            self.log.append(("digit", told.digit))
        if told.playback is not None:
            if told.type in ("PlaybackContinuing", "PlaybackFinished"):
                medium = self.media[told.playback.id].pop(0)
                whole_s = LENGTHS_MS[medium.rpartition("/")[2]] / 1000
                if told.at_s - self.began_at_s > whole_s - 0.25:
                    self.log.append(("played", medium))
            self.began_at_s = told.at_s
        FakeAsterisk._tell(self, told)


@dataclass(slots=True)
class Noting(FakeLedger):
    """Notes in the same list when an entry was asked for and when it was on disk."""

    log: list[tuple[str, str]] = field(default_factory=list)

    async def append(self, entry: NewEntry) -> object:
        """Write the entry, and note both moments."""
        self.log.append(("decided", entry.call_id))
        answer = await FakeLedger.append(self, entry)
        self.log.append(("committed", entry.call_id))
        return answer


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("texts")
    write_texts(directory)
    return directory


def test_a_random_policy_is_refused_with_reasons_or_asks_a_call_without_breaking_an_invariant(
    texts: Path,
) -> None:
    happened: Counter[str] = Counter()

    @settings(max_examples=50, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(text=policies(), caller=callers())
    def one_policy(text: str, caller: Caller) -> None:
        result = review(Path("random.toml"), text.encode(), texts=texts, today=TODAY)
        happened["policies"] += 1
        assert all(finding.what and finding.instead for finding in result.findings)
        if result.policy is None or result.of(Severity.ERROR):
            assert result.of(Severity.ERROR)
            happened["policies refused"] += 1
            event("the policy is refused")
            return
        service = call_under(result, caller)
        outcomes = invariants_of(service, result.policy, caller)
        if caller.is_undisturbed and in_time(service, result.policy):
            assert what_came_of(over_fastagi(result, caller)) == what_came_of(service)
            happened["the same over FastAGI"] += 1
        happened["policies called under"] += 1
        happened.update(outcomes)
        event(f"a call: {', '.join(outcomes) or 'left alone'}")

    # One long search keeps to the neighbourhood of what it found first; many short ones see more of the country.
    for number in range(20):
        seed(number)(one_policy)()

    assert happened["policies"] >= 1000
    assert happened["policies called under"] >= happened["policies"] / 4, happened
    assert happened["policies refused"] >= happened["policies"] / 10, happened
    assert min(happened["recorded"], happened["left alone"]) >= 10, happened
    # What hypothesis draws changes with its version; that one or two outcomes are rare then proves nothing.
    assert len(set(EVERY_OUTCOME) - set(happened)) <= 2, happened


def call_under(result: Review, caller: Caller) -> Service:
    """Let one call be asked under a reviewed policy; return the service when nobody is asked any more."""
    services: list[Service] = []

    @in_virtual_time
    async def call() -> None:
        services.append(await converse(announced(result), caller))

    call()
    return services[0]


def over_fastagi(result: Review, caller: Caller) -> Service:
    """Let the same call come over FastAGI."""
    services: list[Service] = []

    @in_virtual_time
    async def call() -> None:
        service = Service()
        service.policies.replace({"random": announced(result)})
        service.ledger.delay_s = caller.entry_takes_s
        lengths_s = {part: length_ms / 1000 for part, length_ms in lengths_for(caller).items()}
        does = agi_call.Caller(
            digits=list(caller.digits), hangs_up_at_s=caller.hangs_up_at_s, lengths_s=lengths_s
        )
        request = agi_call.agi_request(policy="random", presentation=caller.presentation)
        request = replace(request, fields={**request.fields, "agi_language": caller.language})
        channel = agi_call.FakeAgiChannel(does, request)
        await desk_of(service).handle(channel)
        await asyncio.sleep(2 * caller.entry_takes_s)
        service.asterisk.story = [f"continue {each}" for each in channel.extensions[-1:]]
        services.append(service)

    call()
    return services[0]


def in_time(service: Service, policy: Policy) -> bool:
    """Tell whether the overall time-out was not needed: over FastAGI it waits for the end of a file."""
    limit_ms = policy.timing.overall_s * 1000
    return all(decision.course[-1].at_ms < limit_ms for decision in service.ledger.decisions())


def what_came_of(service: Service) -> tuple[object, ...]:
    """Return what a call came to, without the ids that differ every time."""
    recordings = [awaited.recording_id for awaited in service.recorder.expected]
    ways_out = [extension.partition("*") for extension in service.continued]
    return (
        [
            (
                entry.language,
                entry.payload.outcome,
                entry.payload.digit,
                entry.payload.purposes,
                entry.payload.reason,
            )
            for entry in service.ledger.entries
            if isinstance(entry.payload, Decision)
        ],
        ["recorded" if first in recordings else first + rest for first, _, rest in ways_out],
        len(recordings),
        len(service.recorder.unstarted),
    )


def lengths_for(caller: Caller) -> dict[str, int]:
    """Return how long each part takes, one of them cut short where that happens."""
    return LENGTHS_MS | ({caller.cut_short: 400} if caller.cut_short else {})


def announced(result: Review) -> Announced:
    """Speak exactly what the review says is spoken."""
    policy = result.policy
    assert policy is not None
    assert set(result.spoken) == set(policy.languages)
    prompts = {
        language: PromptSet(
            language=language,
            name=policy.text,
            reviewed_by="nobody",
            spoken_by="nobody",
            digest=f"digest of {language}",
            parts={
                part: Prompt(
                    path_without_suffix=Path("/prompts") / language / part,
                    duration_ms=LENGTHS_MS[part],
                    sha256="cd" * 32,
                    text=spoken,
                )
                for part, spoken in parts.items()
            },
        )
        for language, parts in result.spoken.items()
    }
    return Announced(policy=policy, prompts=prompts, path="/prompts")


async def converse(found: Announced, caller: Caller) -> Service:
    """Let the caller come, and everything happen that happens."""
    log: list[tuple[str, str]] = []
    asterisk = Watched(lengths_ms=lengths_for(caller), log=log)
    ledger = Noting(
        delay_s=caller.entry_takes_s, failures=caller.failures, unanswered=caller.unanswered, log=log
    )
    service = Service(asterisk=asterisk, ledger=ledger)
    service.policies.replace({"random": found})
    await service.switchboard.connected()
    channel = waiting_channel(policy="random", presentation=caller.presentation)
    asterisk.arrive(msgspec.structs.replace(channel, language=caller.language))
    assert DIALLED in channel.dialplan.app_data

    caller_does = asyncio.create_task(behave(asterisk, caller), name="caller")
    connection_does = asyncio.create_task(break_connection(service, caller), name="connection")
    service_does = asyncio.create_task(stop_service(service, caller), name="service")
    for _ in range(1000):
        await asyncio.sleep(1)
        if not service.switchboard.depth and (caller.breaks_at_s == NEVER_S or connection_does.done()):
            break
    assert not service.switchboard.depth, asterisk.story
    await asyncio.sleep(2 * caller.entry_takes_s)  # an entry that a stopped service no longer waits for
    tasks = (caller_does, connection_does, service_does)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert ended is None or isinstance(ended, asyncio.CancelledError), ended
    return service


async def behave(asterisk: Watched, caller: Caller) -> None:
    """Press digits and hang up when it is time."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for at_s, digit in caller.digits:
        if at_s < caller.hangs_up_at_s:
            await asyncio.sleep(max(0.0, began_s + at_s - loop.time()))
            asterisk.press(digit)
    if caller.hangs_up_at_s != NEVER_S:
        await asyncio.sleep(max(0.0, began_s + caller.hangs_up_at_s - loop.time()))
        asterisk.hang_up()


async def break_connection(service: Service, caller: Caller) -> None:
    """Lose the connection to Asterisk for a while."""
    if caller.breaks_at_s == NEVER_S:
        return
    await asyncio.sleep(caller.breaks_at_s)
    service.switchboard.disconnected()
    service.asterisk.connected = False
    service.asterisk.faults |= dict.fromkeys(ALL_AT_ONCE, UNAVAILABLE)
    await asyncio.sleep(caller.broken_for_s)
    service.asterisk.faults.clear()
    service.asterisk.connected = True
    await service.switchboard.connected()


async def stop_service(service: Service, caller: Caller) -> None:
    """Stop the service in the middle of it all."""
    if caller.stops_at_s != NEVER_S:
        await asyncio.sleep(caller.stops_at_s)
        await service.switchboard.stop()


def invariants_of(service: Service, policy: Policy, caller: Caller) -> list[str]:
    """Hold one call against what must always be; return what it came to."""
    asterisk = service.asterisk
    assert isinstance(asterisk, Watched)
    ways_out = [what for kind, what in asterisk.log if kind == "continued"]
    entries = [*service.ledger.entries, *service.recorder.later]
    disturbed = caller.breaks_at_s != NEVER_S or caller.stops_at_s != NEVER_S
    if policy.mode is Mode.OFF or policy.excludes(DIALLED):
        assert entries == []
        assert asterisk.media == {}
        assert set(ways_out) <= {"off"}
        assert len(ways_out) == 1 or disturbed or caller.hangs_up_at_s == 0.0
        return ["left alone"]

    assert len(ways_out) == 1 or (not ways_out and (disturbed or caller.hangs_up_at_s != NEVER_S))
    made = {entry.call_id: entry for entry in entries}
    assert all(made[entry.call_id] == entry for entry in entries), "one decision a call, if entered twice"
    lost = caller.failures or caller.unanswered
    assert made or lost
    assert len(made) == 1 or lost or disturbed
    for entry in entries:
        decision_is_right(entry, policy)
    for extension in ways_out:
        if is_hex_id(extension.partition("*")[0]):
            recorded_rightly(asterisk, service.ledger.entries, policy, extension)
    if fault_of(Announced(policy=policy), Direction.INCOMING):
        assert asterisk.media == {}
        assert service.recorder.expected == []
    outcomes = [entry.payload.outcome for entry in entries if isinstance(entry.payload, Decision)]
    recorded = any(is_hex_id(extension.partition("*")[0]) for extension in ways_out)
    return [*outcomes, *(["recorded"] if recorded else [])]


def decision_is_right(entry: NewEntry, policy: Policy) -> None:
    """Hold the entry of a decision against the policy."""
    decision = entry.payload
    assert isinstance(decision, Decision)
    assert entry.language in (*policy.languages, "")
    announced_purposes = tuple(each.name for each in policy.announced_purposes(entry.language))
    if decision.outcome.allows_recording:
        assert decision.recording_id
        assert decision.purposes == announced_purposes != ()
        assert entry.announcement == f"digest of {entry.language}"
    else:
        assert (decision.recording_id, decision.purposes) == (None, ())
        assert (decision.caller, decision.caller_name) == (None, None)
        assert NUMBER not in repr(entry)
    if decision.withheld:
        assert NUMBER not in repr(entry)
    if decision.outcome is Outcome.GIVEN:
        assert (policy.mode, decision.digit) == (Mode.OPT_IN, policy.digits.agree)
    if decision.outcome is Outcome.INFORMED:
        assert policy.mode in (Mode.OPT_OUT, Mode.NOTICE)
    if decision.outcome in (Outcome.REFUSED, Outcome.OBJECTED):
        assert policy.takes_refusal
        assert decision.digit == policy.digits.refuse


def recorded_rightly(asterisk: Watched, entries: list[NewEntry], policy: Policy, extension: str) -> None:
    """Hold a call that went on to be recorded against all that came before it."""
    recording_id, outcome, language = extension.split("*")
    (entry,) = [
        each
        for each in entries
        if isinstance(each.payload, Decision) and each.payload.recording_id == recording_id
    ]
    decision = entry.payload
    assert isinstance(decision, Decision)
    assert (decision.outcome, entry.language) == (outcome, language)
    at = asterisk.log.index(("continued", extension))
    assert ("committed", entry.call_id) in asterisk.log[:at], "only after the entry is on disk"
    before = asterisk.log[: asterisk.log.index(("decided", entry.call_id))]
    played = [what for kind, what in before if kind == "played"]
    assert f"{language}/{Part.INFORMATION}" in played
    if decision.outcome is Outcome.INFORMED and policy.mode is Mode.OPT_OUT:
        assert f"{language}/{Part.QUESTION}" in played
    digits = [what for kind, what in before if kind == "digit"]
    if decision.outcome is Outcome.GIVEN:
        information = before.index(("played", f"{language}/{Part.INFORMATION}"))
        assert ("digit", policy.digits.agree) in before[information:]
    if policy.takes_refusal and policy.digits.refuse:
        assert policy.digits.refuse not in digits, "a refusal counts at any moment"
