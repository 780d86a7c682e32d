"""What Asterisk itself keeps of callers beside us: it lies elsewhere, is not ours to erase, and has a term of its own.

Rule: names what is switched on, and what lies there from earlier; never what is in it, nor the name of a file that may
hold a number. Defaults are those of Asterisk 22 (``configs/samples``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.doctor.access import is_there, list_directory, look_at
from asterisk_consent.doctor.asterisk_conf import AsteriskConf, read_conf
from asterisk_consent.doctor.finding import Finding, counted, masked, of_error, ok, unknown, warn
from asterisk_consent.errors import ConsentError

_TERM = "lies elsewhere, has its own term"
_REMEDY = "Give it a term there and clear it there when somebody is erased, or switch it off in {file}"
_CAPTURES = frozenset({".pcap", ".pcapng", ".cap"})
_NUMBERS_ARE_IN = frozenset({"*", "verbose", "dtmf", "debug", "trace"})
"""Levels of a log that show the dialplan at work, and with it who calls whom."""

Read = Callable[[str], AsteriskConf]
"""Reads a file of Asterisk's configuration by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskPlace:
    """Where Asterisk's configuration and logs lie, and which modules run, ``None`` where it did not say."""

    etc: Path
    log: Path
    modules: frozenset[str] | None = None

    def may_run(self, module: str) -> bool:
        """Tell whether a module runs, or may run where Asterisk did not say."""
        return self.modules is None or f"{module}.so" in self.modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One of the places that call records or channel events can go to.

    :param file: the configuration file that switches it on.
    :param is_on: tells from that file whether it does.
    :param lies: where its records lie under Asterisk's log directory; empty where that is a database.
    """

    module: str
    file: str
    is_on: Callable[[AsteriskConf], bool]
    lies: str = ""


def _section(name: str) -> Callable[[AsteriskConf], bool]:
    return lambda conf: name in conf.sections


def _settings(section: str) -> Callable[[AsteriskConf], bool]:
    return lambda conf: bool(conf.of(section))


def _connection(conf: AsteriskConf) -> bool:
    return any(each.key.lower() == "connection" for each in conf.settings)


CALL_RECORDS = (
    Backend(module="cdr_csv", file="cdr.conf", is_on=_section("csv"), lies="cdr-csv"),
    Backend(module="cdr_custom", file="cdr_custom.conf", is_on=_settings("mappings"), lies="cdr-custom"),
    Backend(
        module="cdr_sqlite3_custom",
        file="cdr_sqlite3_custom.conf",
        is_on=_settings("master"),
        lies="master.db",
    ),
    Backend(module="cdr_adaptive_odbc", file="cdr_adaptive_odbc.conf", is_on=_connection),
    Backend(module="cdr_odbc", file="cdr_odbc.conf", is_on=_settings("global")),
    Backend(module="cdr_pgsql", file="cdr_pgsql.conf", is_on=_settings("global")),
    Backend(module="cdr_mysql", file="cdr_mysql.conf", is_on=_settings("global")),
    Backend(module="cdr_tds", file="cdr_tds.conf", is_on=_settings("global")),
    Backend(module="cdr_radius", file="cdr.conf", is_on=_section("radius")),
    Backend(module="cdr_syslog", file="cdr_syslog.conf", is_on=lambda conf: bool(conf.settings)),
    Backend(
        module="cdr_manager",
        file="cdr_manager.conf",
        is_on=lambda conf: conf.is_on("general", "enabled", default=False),
    ),
)
CHANNEL_EVENTS = (
    Backend(module="cel_custom", file="cel_custom.conf", is_on=_settings("mappings"), lies="cel-custom"),
    Backend(
        module="cel_sqlite3_custom",
        file="cel_sqlite3_custom.conf",
        is_on=_settings("master"),
        lies="master.db",
    ),
    Backend(module="cel_odbc", file="cel_odbc.conf", is_on=_connection),
    Backend(module="cel_pgsql", file="cel_pgsql.conf", is_on=_settings("global")),
    Backend(module="cel_radius", file="cel.conf", is_on=_section("radius")),
    Backend(
        module="cel_manager",
        file="cel.conf",
        is_on=lambda conf: conf.is_on("manager", "enabled", default=False),
    ),
)


def elsewhere_findings(place: AsteriskPlace) -> Iterator[Finding]:
    """Look at everything that Asterisk may keep of callers."""
    try:
        list_directory(place.etc)
    except ConsentError as problem:
        yield unknown(
            f"what Asterisk keeps of callers: its configuration {problem.what}",
            place.etc,
            "Name its directory with --asterisk-etc, or run doctor as root",
        )
    else:
        checks = (
            call_record_findings,
            channel_event_findings,
            queue_findings,
            log_findings,
            capture_findings,
        )
        for check in checks:
            try:
                yield from check(place, lambda name: read_conf(place.etc, name))
            except ConsentError as problem:
                yield from of_error(problem)
    yield from _lying_captures(place)


def call_record_findings(place: AsteriskPlace, read: Read) -> Iterator[Finding]:
    """Say where call detail records go."""
    enabled = read("cdr.conf").is_on("general", "enable", default=True)
    yield from _backends("call records (CDR)", place, read, CALL_RECORDS, enabled=enabled)


def channel_event_findings(place: AsteriskPlace, read: Read) -> Iterator[Finding]:
    """Say where channel events go."""
    enabled = read("cel.conf").is_on("general", "enable", default=False)
    yield from _backends("channel events (CEL)", place, read, CHANNEL_EVENTS, enabled=enabled)


def _backends(
    what: str, place: AsteriskPlace, read: Read, backends: tuple[Backend, ...], *, enabled: bool
) -> Iterator[Finding]:
    nothing = True
    for backend in backends:
        lies = place.log / backend.lies if backend.lies else None
        conf = place.etc / backend.file
        if enabled and place.may_run(backend.module) and backend.is_on(read(backend.file)):
            nothing = False
            yield warn(
                f"{what} by {backend.module}: who called whom and when; {_TERM}: {lies or f'see {conf}'}",
                conf,
                _REMEDY.format(file=backend.file),
            )
        elif lies is not None and _holds_something(lies):
            nothing = False
            yield warn(
                f"{what} of earlier, {backend.module} is off now; {_TERM}: {lies}",
                lies,
                "Remove them when their term is over",
            )
    if nothing:
        yield ok(f"Asterisk keeps no {what}", place.etc)


def queue_findings(place: AsteriskPlace, read: Read) -> Iterator[Finding]:
    """Say whether queues keep a log."""
    conf = read("logger.conf")
    log = place.log / (conf.value("general", "queue_log_name") or "queue_log")
    is_on = conf.is_on("general", "queue_log", default=True) and place.may_run("app_queue")
    in_database = read("extconfig.conf").value("settings", "queue_log")
    if is_on and in_database:
        yield warn(
            f"the log of the queues: who called and when; {_TERM}: a database, see {place.etc / 'extconfig.conf'}",
            place.etc / "extconfig.conf",
            _REMEDY.format(file="logger.conf (queue_log = no)"),
        )
    if _holds_something(log):
        state = "" if is_on else ", of earlier"
        yield warn(
            f"the log of the queues{state}: who called and when; {_TERM}: {log}",
            log,
            _REMEDY.format(file="logger.conf (queue_log = no)"),
        )
    elif not (is_on and in_database):
        yield ok("no log of queues", log)


def log_findings(place: AsteriskPlace, read: Read) -> Iterator[Finding]:
    """Say which logs show the dialplan at work."""
    nothing = True
    for each in read("logger.conf").of("logfiles"):
        shown = _levels(each.value) & _NUMBERS_ARE_IN
        if not shown or each.key == "console":
            continue
        nothing = False
        yield warn(
            f"a log with {', '.join(sorted(shown))}: numbers, digits and names of callers; {_TERM}:"
            f" {'syslog' if each.key.startswith('syslog') else place.log / masked(each.key)}",
            place.etc / "logger.conf",
            "Let logrotate give it a term, or leave it notice, warning and error only",
        )
    if nothing:
        yield ok("no log shows the dialplan at work", place.etc / "logger.conf")


def capture_findings(place: AsteriskPlace, read: Read) -> Iterator[Finding]:
    """Say whether SIP messages are captured or logged."""
    hep, pjsip, sip = read("hep.conf"), read("pjsip.conf"), read("sip.conf")
    nothing = True
    if (
        "general" in hep.sections
        and hep.is_on("general", "enabled", default=True)
        and place.may_run("res_hep")
    ):
        nothing = False
        yield warn(
            f"SIP messages go to a capture server (res_hep), numbers included; {_TERM}: that server",
            place.etc / "hep.conf",
            _REMEDY.format(file="hep.conf (enabled = no)"),
        )
    globals_of_pjsip = {
        each.section for each in pjsip.settings if (each.key, each.value) == ("type", "global")
    }
    debugged = any(
        pjsip.value(section, "debug").lower() not in ("", "no", "false", "0", "off")
        for section in globals_of_pjsip
    )
    if debugged and place.may_run("res_pjsip_logger"):
        nothing = False
        yield warn(
            f"SIP messages are logged (res_pjsip_logger), numbers included; {_TERM}: the logs in {place.log}",
            place.etc / "pjsip.conf",
            _REMEDY.format(file="pjsip.conf (debug = no)"),
        )
    if sip.is_on("general", "sipdebug", default=False) and place.may_run("chan_sip"):
        nothing = False
        yield warn(
            f"SIP messages are logged (chan_sip), numbers included; {_TERM}: the logs in {place.log}",
            place.etc / "sip.conf",
            _REMEDY.format(file="sip.conf (sipdebug = no)"),
        )
    if nothing:
        yield ok("SIP messages are captured nowhere, as far as the files say", place.etc)


def _lying_captures(place: AsteriskPlace) -> Iterator[Finding]:
    try:
        listed = list_directory(place.log)
        captures = [path for path in listed if path.suffix.lower() in _CAPTURES]
    except ConsentError as problem:
        yield unknown(
            f"which captures lie among the logs: {problem.what}",
            place.log,
            "Name the directory with --asterisk-log, or run doctor as root",
        )
        return
    if captures:
        yield warn(
            f"{counted(len(captures), 'capture')} of network traffic (pcap), with numbers and perhaps voices;"
            f" {_TERM}: {place.log}",
            place.log,
            "Remove them as soon as nobody needs them",
        )


def _levels(value: str) -> set[str]:
    """Return the levels of a line of ``[logfiles]``, without formatter and detail: ``[json]verbose(3),dtmf``."""
    levels = value.rpartition("]")[2].split(",")
    return {level.partition("(")[0].strip().lower() for level in levels}


def _holds_something(path: Path) -> bool:
    """Tell whether a file is not empty, or a directory has files.

    :raises ConsentError: it may not be looked at.
    """
    if not is_there(path):
        return False
    seen = look_at(path)
    return bool(list_directory(path)) if seen.is_directory else seen.size > 0
