"""Puts the service together and runs it until it is told to stop: the composition root of ``serve``."""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime

import structlog

from asterisk_consent import __version__
from asterisk_consent.calls.agi_session import AgiDesk
from asterisk_consent.calls.announced import Policies
from asterisk_consent.calls.arrival import APP
from asterisk_consent.calls.attempts import KEY_BYTES, AttemptLimits, Attempts
from asterisk_consent.calls.codes import DialledCodes
from asterisk_consent.calls.guard import Guard
from asterisk_consent.calls.heartbeat import Heartbeat
from asterisk_consent.calls.leftovers import Places, settle_leftovers
from asterisk_consent.calls.loading import Reloading, announce, log_loaded
from asterisk_consent.calls.metrics import publish_metrics
from asterisk_consent.calls.promises import ObjectionList, Promises, scrub_logs
from asterisk_consent.calls.recorder import Recorder
from asterisk_consent.calls.session import Surroundings
from asterisk_consent.calls.sweeping import Sweeping
from asterisk_consent.calls.switchboard import Switchboard
from asterisk_consent.calls.withdrawal_desk import LedgerDesk
from asterisk_consent.calls.withdrawal_line import Line, Lines, load_lines, log_lines
from asterisk_consent.calls.withdrawal_session import Withdrawals
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import ConsentError, LedgerError
from asterisk_consent.ledger.courier import Checkpoints
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry
from asterisk_consent.ledger.erasures import JOURNAL
from asterisk_consent.ledger.payload import Service
from asterisk_consent.ledger.standing import objections as objections_of
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.ledger.watching import Watch
from asterisk_consent.pbx.ami import AmiClient
from asterisk_consent.pbx.ari import AriClient
from asterisk_consent.pbx.fastagi import FastAgiServer
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.figures import FiguresOfRights
from asterisk_consent.rights.requests import Requests
from asterisk_consent.rights.telephone_desk import TelephoneDesk
from asterisk_consent.vault.proof_keys import ProofKeys
from asterisk_consent.witnesses import witnesses

log = structlog.get_logger(__name__)


async def serve(config: Config) -> None:
    """Run the service until SIGTERM or SIGINT.

    :raises ConsentError: it cannot start, or another service took its place.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    files = load_policies(config.policies)
    async with AsyncExitStack() as stack:
        proof_keys = ProofKeys(config.keys, checkpoints=True)
        stack.callback(proof_keys.close)
        ledger = await Ledger.open(
            config.ledger_path, sealer=proof_keys, min_free_bytes=config.min_free_bytes
        )
        stack.push_async_callback(ledger.close)
        announced = await asyncio.to_thread(announce, files, config)
        log_loaded(announced, today=_today())
        policies = Policies(announced)
        ari = await stack.enter_async_context(
            AriClient(url=config.ari.url, username=config.ari.user, password=config.ari.password, app=APP)
        )
        requests = _requests(config)
        codes = DialledCodes(requests, config.spool)
        await asyncio.to_thread(codes.take_all)
        recorder = _recorder(config, ledger, ari, codes)
        await recorder.adopt()
        await settle_leftovers(recorder, ledger, _places(config))
        known = await asyncio.to_thread(objections_of, config.ledger_path)
        objections = ObjectionList(proof_keys.blind, region=config.region, known=known)
        surroundings = Surroundings(
            ari=ari,
            ledger=ledger,
            recorder=recorder,
            region=config.region,
            regions=config.regions,
            objects=objections.covers,
        )
        lines = await asyncio.to_thread(load_lines, files, config)
        withdrawals = _withdrawals(config, lines, TelephoneDesk(requests=requests, blind=proof_keys.blind))
        switchboard = Switchboard(policies, surroundings, withdrawals)
        ami = _guarding(config, recorder, ari)
        heartbeat = _heartbeat(config, ari, ami, switchboard, policies, ledger)
        promises = _promises(config, requests, objections, ami, ledger, proof_keys)
        stack.push_async_callback(ami.close)
        await ami.start()
        desk = AgiDesk(policies, surroundings, switchboard)
        agi = FastAgiServer(host=config.agi.host, port=config.agi.port, handler=desk.handle)
        stack.push_async_callback(agi.close)
        if config.agi.port:
            await agi.start()
        publish_metrics(
            config.metrics_port,
            switchboard,
            recorder,
            heartbeat,
            rights=lambda: FiguresOfRights(config.ledger_path),
        )
        await _enter(ledger, Kind.SERVICE_STARTED)
        checkpoints = Checkpoints(
            config.ledger_path,
            key=config.checkpoints.key,
            witnesses=witnesses(config.checkpoints, journal=config.keys / JOURNAL, ledger=config.ledger_path),
        )
        checkpoints.start()
        log.info("service.started", policies=policies.asked(), release=__version__)
        try:
            await _run_until(
                stopping,
                heartbeat,
                switchboard,
                {
                    "ari": ari.run(switchboard),
                    "recorder-watch": recorder.watch(),
                    "recorder-sweep": recorder.sweep(),
                    "recorder-room": recorder.watch_room(),
                    "reloading": Reloading(config, policies, today=_today, lines=withdrawals.lines).run(),
                    "promises": promises.run(),
                    "sweeping": Sweeping(config.file).run(),
                },
            )
        finally:
            await agi.close()
            await recorder.close()
            await _enter(ledger, Kind.SERVICE_STOPPED)
            await asyncio.to_thread(checkpoints.end)
            log.info("service.stopped")
    if switchboard.was_replaced:
        raise ConsentError(
            "another service took the name 'asterisk-consent' on this Asterisk",
            remedy="Only one service may serve an Asterisk; stop one of them",
        )


async def _run_until(
    stopping: asyncio.Event,
    heartbeat: Heartbeat,
    switchboard: Switchboard,
    running: Mapping[str, Coroutine[None, None, None]],
) -> None:
    """Run all the parts until asked to stop, replaced, or one of them fails.

    :raises ConsentError: what the part failed with.
    """
    beating = asyncio.create_task(heartbeat.run(), name="heartbeat")
    parts: list[asyncio.Task[object]] = [
        beating,
        *(asyncio.create_task(part, name=name) for name, part in running.items()),
        asyncio.create_task(stopping.wait(), name="stopping"),
    ]
    done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    # From here on calls pass at once; those being asked are let go.
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await heartbeat.end()
    await switchboard.stop()
    for task in parts:
        task.cancel()
    await asyncio.gather(*parts, return_exceptions=True)
    for task in done:
        task.result()


def _requests(config: Config) -> Requests:
    held = Holdings(
        ledger=config.ledger_path,
        spool=config.spool,
        vault=config.vault,
        keys=config.keys,
        key_backups_days=config.key_backups_days,
    )
    return Requests(held=held)


def _promises(
    config: Config,
    requests: Requests,
    objections: ObjectionList,
    ami: AmiClient,
    ledger: Ledger,
    proof_keys: ProofKeys,
) -> Promises:
    return Promises(
        watch=Watch(config.ledger_path),
        requests=requests,
        objections=objections,
        mixmonitors=ami,
        scrub=lambda: scrub_logs(ledger, proof_keys),
        monotonic_s=time.monotonic,
    )


def _withdrawals(config: Config, lines: dict[str, Line], desk: TelephoneDesk) -> Withdrawals:
    """Return what calls to the withdrawal lines share."""
    log_lines(lines)
    limits = AttemptLimits(
        per_caller=config.withdrawal.attempts_per_caller, in_all=config.withdrawal.attempts
    )
    return Withdrawals(
        lines=Lines(lines),
        desk=LedgerDesk(desk),
        attempts=Attempts(limits, key=os.urandom(KEY_BYTES), clock_s=time.monotonic),
        region=config.region,
    )


def _recorder(config: Config, ledger: Ledger, ari: AriClient, codes: DialledCodes) -> Recorder:
    async def channels() -> set[str]:
        return {channel.id for channel in await ari.channels.list()}

    return Recorder(
        spool=config.spool,
        vault=config.vault,
        keys=config.keys,
        ledger=ledger,
        channels=channels,
        monotonic_s=time.monotonic,
        now=_now,
        codes=codes,
    )


def _guarding(config: Config, recorder: Recorder, ari: AriClient) -> AmiClient:
    """Return the connection over which the guard hears who joins a recorded call."""
    ami = AmiClient(
        host=config.ami.host,
        port=config.ami.port,
        username=config.ami.user,
        secret=config.ami.secret,
        on_event=lambda event: guard.take(event),
        on_state=lambda up: guard.look_again() if up else None,
    )
    guard = Guard(recorder=recorder, bridges=ari, mixmonitors=ami)
    return ami


def _heartbeat(
    config: Config,
    ari: AriClient,
    ami: AmiClient,
    switchboard: Switchboard,
    policies: Policies,
    ledger: Ledger,
) -> Heartbeat:
    return Heartbeat(
        ari=ari,
        switchboard=switchboard,
        policies=policies,
        ledger=ledger,
        places=(config.spool, config.vault, config.keys),
        guarded=lambda: ami.connected,
        min_free_bytes=config.min_free_bytes,
        bypass=config.bypass,
        now=_now,
        new_call_id=lambda: os.urandom(16).hex(),
    )


def _places(config: Config) -> Places:
    return Places(spool=config.spool, vault=config.vault, keys=config.keys, ledger=config.ledger_path)


async def _enter(ledger: Ledger, kind: Kind) -> None:
    """Enter that the service came or went; a ledger that takes nothing now must not keep it from either."""
    try:
        await ledger.append(NewEntry(stream=SYSTEM_STREAM, kind=kind, payload=Service(release=__version__)))
    except LedgerError as error:
        log.error("service.not_entered", kind=kind, error=str(error))


def _today() -> date:
    return datetime.now(UTC).date()


def _now() -> int:
    return int(time.time())
