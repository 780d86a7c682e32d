"""The running Asterisk: whether it lets the service in, its version, and the modules that the dialplan needs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from asterisk_consent.calls.arrival import APP
from asterisk_consent.config import Config
from asterisk_consent.doctor.finding import Finding, error, masked, ok, unknown, warn
from asterisk_consent.errors import PbxError, PbxRefusedError
from asterisk_consent.pbx.ami import AmiClient
from asterisk_consent.pbx.ari import AriClient

SUPPORTED = {20: (20, 20, 1), 22: (22, 10, 1), 23: (23, 4, 1)}
"""The first version of each branch without the two flaws below."""
FLAWS = (
    "a read-only ARI user can write through REST-over-WebSocket (GHSA-wcvv-g26m-wx5c), and ARI reaches SHELL() and its"
    " kin (GHSA-vrfp-mg3q-3959)"
)
NEEDED = {
    "func_rand.so": "CONSENT_ID stays empty",
    "func_sha1.so": "CONSENT_ID stays empty",
    "func_cut.so": "the outcome of a call is not read",
    "func_strings.so": "the policy of a call is not read",
    "app_exec.so": "a code dialled during the call ends that call",
    "app_originate.so": "a code dialled during the call stops a recording, and has nothing erased",
    "func_env.so": "a code dialled during the call stops a recording, and has nothing erased",
    "app_mixmonitor.so": "nothing is recorded",
}
"""What the dialplan needs (``dialplan/asterisk-consent.conf``), and what becomes of a call without it."""

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What Asterisk said; ``None`` where it did not, then a fault says why."""

    version: str | None = None
    modules: frozenset[str] | None = None
    """Those that run, such as ``func_rand.so``."""
    ari_fault: PbxError | None = None
    ami_fault: PbxError | None = None


async def ask_asterisk(config: Config) -> Heard:
    """Ask over ARI, and log in to AMI, both limited in time."""
    version = modules = ari_fault = ami_fault = None
    try:
        async with AriClient(
            url=config.ari.url, username=config.ari.user, password=config.ari.password, app=APP
        ) as ari:
            version = await ari.asterisk_version()
            modules = await ari.running_modules()
    except PbxError as problem:
        ari_fault = problem
    try:
        ami = AmiClient(
            host=config.ami.host,
            port=config.ami.port,
            username=config.ami.user,
            secret=config.ami.secret,
            on_event=lambda _: None,
        )
        await ami.try_login()
    except PbxError as problem:
        ami_fault = problem
    return Heard(version=version, modules=modules, ari_fault=ari_fault, ami_fault=ami_fault)


def asterisk_findings(config: Config, heard: Heard) -> Iterator[Finding]:
    """Say what is wrong with the running Asterisk."""
    ari, ami = _without_user(config.ari.url), f"{config.ami.host}:{config.ami.port}"
    yield _let_in("ARI", heard.ari_fault, ari)
    yield _let_in("AMI", heard.ami_fault, ami)
    if heard.version is not None:
        yield version_finding(heard.version, ari)
    if heard.modules is None:
        yield unknown("version and modules of Asterisk", ari, "Run doctor again when ARI answers")
    else:
        yield from module_findings(heard.modules, ari)


def version_finding(version: str, where: str) -> Finding:
    """Say whether a version of Asterisk is a supported one."""
    shown = f"Asterisk {masked(version)}"
    known = ", ".join(f"{'.'.join(map(str, least))} or newer" for least in SUPPORTED.values())
    remedy = f"Install {known}"
    found = _VERSION.search(version)
    if found is None:
        return warn(
            f"{shown}: the version cannot be read, so whether it is supported is not known", where, remedy
        )
    number = (int(found[1]), int(found[2]), int(found[3]))
    least = SUPPORTED.get(number[0])
    if least is None and number[0] > max(SUPPORTED):
        return warn(f"{shown} is newer than what this release was tried with", where, f"Known: {known}")
    if least is None or number < least:
        return warn(f"{shown} is not supported: in older ones {FLAWS}", where, remedy)
    return ok(f"{shown} is supported", where)


def module_findings(running: frozenset[str], where: str) -> Iterator[Finding]:
    """Say which modules are missing."""
    missing = [module for module in NEEDED if module not in running]
    for module in missing:
        yield error(
            f"{module} is not loaded: {NEEDED[module]}",
            where,
            f"In Asterisk: module load {module}; see that modules.conf loads it at the next start",
        )
    if not missing:
        yield ok("the modules that the dialplan needs are loaded", where)


def _let_in(name: str, fault: PbxError | None, where: str) -> Finding:
    if fault is None:
        return ok(f"{name} lets the service in", where)
    if isinstance(fault, PbxRefusedError):
        remedy = fault.remedy or f"Compare user and password of {name} with Asterisk's configuration"
        return error(f"{name}: {masked(fault.what)}", where, remedy)
    return warn(
        f"{name} does not answer: {masked(fault.what)}; without it calls pass unrecorded",
        where,
        "Check that Asterisk runs, and [asterisk] in the configuration",
    )


def _without_user(url: str) -> str:
    """Return an address without what may be a user and password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
