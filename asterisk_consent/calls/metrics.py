"""Figures for Prometheus on 127.0.0.1, read when asked: nothing is counted twice on the way of a call.

No label ever holds a number, a name or an id. A ledger that cannot be read takes none of the other figures away.
"""

from collections.abc import Callable, Iterator

import prometheus_client
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from asterisk_consent.calls.heartbeat import Heartbeat
from asterisk_consent.calls.recorder import Recorder
from asterisk_consent.calls.switchboard import Switchboard
from asterisk_consent.errors import ConfigError, LedgerError
from asterisk_consent.rights.figures import FiguresOfRights

log = structlog.get_logger(__name__)


class _Figures(Collector):
    def __init__(
        self, switchboard: Switchboard, recorder: Recorder, heartbeat: Heartbeat, rights: FiguresOfRights
    ) -> None:
        self._switchboard = switchboard
        self._recorder = recorder
        self._heartbeat = heartbeat
        self._rights = rights

    def collect(self) -> Iterator[Metric]:
        yield from self._of_calls()
        try:
            yield from self._of_rights()
        except LedgerError as error:
            log.warning("metrics.not_read", error=str(error))

    def _of_rights(self) -> Iterator[Metric]:
        found = self._rights.read()
        requests = CounterMetricFamily(
            "consent_requests", "What people asked for, by right and way", labels=["right", "way"]
        )
        for labels, count in found.requests.items():
            requests.add_metric(labels, count)
        ended = CounterMetricFamily(
            "consent_requests_ended", "Requests by right and by how they ended", labels=["right", "end"]
        )
        for labels, count in found.ended.items():
            ended.add_metric(labels, count)
        yield requests
        yield ended
        yield GaugeMetricFamily(
            "consent_requests_waiting", "Requests that are not carried out yet", found.waiting
        )
        yield GaugeMetricFamily(
            "consent_requests_waiting_oldest_seconds",
            "How long the oldest of them has waited; 0 where none waits",
            found.waiting_oldest_s,
        )
        yield CounterMetricFamily(
            "consent_recordings_erased", "Recordings erased, for whatever reason", found.erased
        )
        yield CounterMetricFamily(
            "consent_sweep_recordings_erased", "Those of them that a sweep erased", found.erased_by_sweeps
        )
        yield GaugeMetricFamily(
            "consent_sweep_last_timestamp_seconds",
            "When the last sweep went through, UTC; 0 where none did",
            found.swept_at,
        )

    def _of_calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("consent_calls", "Calls by outcome", labels=["outcome"])
        for outcome, count in self._switchboard.outcomes.items():
            calls.add_metric([outcome], count)
        ended = CounterMetricFamily("consent_recordings", "Recordings by their end", labels=["end"])
        for end, count in self._recorder.ended.items():
            ended.add_metric([end], count)
        yield calls
        yield ended
        yield CounterMetricFamily(
            "consent_calls_left_alone",
            "Calls under a policy that is off, or of an excluded entity, since Asterisk started",
            self._heartbeat.left_alone,
        )
        yield GaugeMetricFamily("consent_calls_asked", "Calls being asked now", self._switchboard.depth)
        yield GaugeMetricFamily(
            "consent_recordings_open", "Recordings without an end yet", self._recorder.depth
        )
        yield GaugeMetricFamily(
            "consent_recordings_waiting",
            "Recordings that have ended and still lie in the spool",
            self._recorder.spool.depth,
        )
        yield GaugeMetricFamily(
            "consent_recordings_waiting_oldest_seconds",
            "How long the oldest of them has waited; 0 where none waits",
            self._recorder.spool.oldest_s,
        )
        yield GaugeMetricFamily(
            "consent_healthy", "1 while calls can be asked", float(self._heartbeat.healthy)
        )


def publish_metrics(
    port: int,
    switchboard: Switchboard,
    recorder: Recorder,
    heartbeat: Heartbeat,
    *,
    rights: Callable[[], FiguresOfRights],
) -> None:
    """Answer Prometheus on 127.0.0.1; port 0 answers nobody.

    :param rights: begins to count what people ask for.
    :raises ConfigError: the port is taken.
    :raises LedgerError: the ledger cannot be read.
    """
    if not port:
        return
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Figures(switchboard, recorder, heartbeat, rights()))
    try:
        prometheus_client.start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        raise ConfigError(
            f"metrics_port {port}: {error.strerror}",
            where="[limits]",
            remedy="Choose a free port, or 0 for none",
        ) from error
