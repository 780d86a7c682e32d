"""The AMI client: a supervised connection over which the service watches calls and stops what may not go on.

Rule: events are handed on in order and never dropped silently; an action is never sent twice; only the
product's errors come out. While the link was away events were missed:
``on_state(True)`` is the sign to look again.

Source: Asterisk documentation, "Asterisk Manager Interface (AMI)"; rights needed: ``dialplan/manager.conf``.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from asterisk_consent.errors import PbxError, PbxProtocolError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.pbx.ami_link import AmiLink
from asterisk_consent.pbx.ami_wire import AmiEvent, AmiReply, check_action
from asterisk_consent.pbx.backoff import Backoff

__all__ = ["AmiClient", "AmiEvent", "AmiReply"]

_log = structlog.get_logger("asterisk_consent.pbx.ami")


class AmiClient:
    """Keeps one AMI session open and carries actions one way, events the other.

    :param on_event: called with every event, in order, from the event loop; must not block.
    :param on_state: called with True after each login and with False after each loss.
    :param request_timeout_s: limit for connecting, logging in, each answer and each ping.
    :param ping_interval_s: how often a silent peer is asked whether it is still there.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        secret: str,
        on_event: Callable[[AmiEvent], None],
        on_state: Callable[[bool], None] | None = None,
        request_timeout_s: float = 2.0,
        ping_interval_s: float = 5.0,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._login = {"Username": username, "Secret": secret, "Events": "on"}
        check_action("Login", self._login)
        self._host, self._port = host, port
        self._place = f"AMI {host}:{port}"
        self._on_event = on_event
        self._on_state = on_state
        self._request_timeout_s = request_timeout_s
        self._ping_interval_s = ping_interval_s
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._link: AmiLink | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._reported = ""

    @property
    def connected(self) -> bool:
        """Whether the session is logged in and its loss not yet known."""
        return self._link is not None

    async def start(self) -> None:
        """Begin to connect, in the background; returns at once, also when Asterisk is away."""
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise(), name="ami-supervisor")

    async def try_login(self) -> None:
        """Log in once, beside whoever else is, and leave.

        :raises PbxError: why that is not possible.
        """
        link = AmiLink(host=self._host, port=self._port, on_event=self._deliver)
        try:
            await link.open(timeout_s=self._request_timeout_s)
            await self._log_in(link)
        finally:
            link.fail(PbxUnavailableError("the AMI connection was closed", where=self._place))

    async def close(self) -> None:
        """Drop the session and stop connecting; unanswered actions end with ``PbxUnavailableError``."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])

    async def action(self, name: str, /, **fields: str) -> AmiReply:
        """Send one action, once, and return the answer; list actions with their items.

        :raises PbxUnavailableError: no session, no answer in time, or lost before it: the effect is unknown.
        :raises PbxRefusedError: Asterisk answered with an error.
        :raises PbxProtocolError: a line break, NUL or overlong text in a field; nothing was sent.
        """
        check_action(name, fields)
        if self._link is None:
            raise PbxUnavailableError(f"{name} was not sent: not connected", where=self._place)
        return await self._link.request(name, fields, timeout_s=self._request_timeout_s)

    async def stop_mixmonitor(self, channel: str, mixmonitor_id: str = "") -> None:
        """Stop one recording on ``channel``; without an id the one started last.

        :raises PbxError: as for ``action``.
        """
        chosen = {"MixMonitorID": mixmonitor_id} if mixmonitor_id else {}
        await self.action("StopMixMonitor", Channel=channel, **chosen)

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began_at_s = loop.time()
            try:
                await self._one_session()
            except PbxError as error:
                self._report(error)
            except Exception:
                _log.exception("ami_session_failed", where=self._place)
            # A session that ends as soon as it began is a failure too, or it would be repeated at once.
            failures = 1 if loop.time() - began_at_s > self._backoff.cap_s else failures + 1
            await self._sleep(self._backoff.delay_s(failures))

    async def _one_session(self) -> None:
        link = AmiLink(host=self._host, port=self._port, on_event=self._deliver)
        try:
            await link.open(timeout_s=self._request_timeout_s)
            await self._log_in(link)
            self._link = link
            self._reported = ""
            _log.info("ami_connected", where=self._place)
            self._tell_state(True)
            await self._watch(link)
        except PbxError as error:
            raise (link.lost.result() if link.lost.done() else error) from error
        finally:
            link.fail(PbxUnavailableError("the AMI connection was closed", where=self._place))
            if self._link is not None:
                self._link = None
                self._tell_state(False)

    async def _log_in(self, link: AmiLink) -> None:
        try:
            await link.request("Login", self._login, timeout_s=self._request_timeout_s)
        except PbxRefusedError as error:
            raise PbxRefusedError(
                "Asterisk does not accept the AMI user or secret",
                where=self._place,
                remedy="Compare them with manager.conf, and its permit lines with our address",
            ) from error

    async def _watch(self, link: AmiLink) -> None:
        while not link.lost.done():
            await asyncio.wait([link.lost], timeout=self._ping_interval_s)
            if not link.lost.done():
                await link.request("Ping", {}, timeout_s=self._request_timeout_s)
        raise link.lost.result()

    def _deliver(self, event: AmiEvent) -> None:
        try:
            self._on_event(event)
        except Exception:
            _log.exception("ami_event_handler_failed", event_name=event.name)

    def _tell_state(self, connected: bool) -> None:
        try:
            if self._on_state is not None:
                self._on_state(connected)
        except Exception:
            _log.exception("ami_state_handler_failed", connected=connected)

    def _report(self, problem: PbxError) -> None:
        if str(problem) == self._reported:
            return
        self._reported = str(problem)
        broken = isinstance(problem, PbxProtocolError | PbxRefusedError)
        (_log.error if broken else _log.warning)("ami_away", problem=str(problem))
