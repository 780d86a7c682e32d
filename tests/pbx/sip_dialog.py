"""The two ends of a SIP call and the numbering of requests between them (RFC 3261 §12).

Rule: each new request takes the next number of our side; ACK and CANCEL repeat the number they belong to.
"""

from dataclasses import dataclass

from tests.pbx.sip_message import Headers, Request
from tests.pbx.sip_transport import Address, SipTransport

SDP_TYPE = ("Content-Type", "application/sdp")


@dataclass(slots=True, kw_only=True)
class Dialog:
    """Who talks to whom; ``local`` and ``remote`` are header values with their tags."""

    call_id: str
    local: str
    remote: str
    target: str
    peer: Address
    sequence: int = 0

    def request(
        self, method: str, transport: SipTransport, contact: str, *, extra: Headers = (), body: str = ""
    ) -> Request:
        """Return the next request of this dialog."""
        self.sequence += 1
        return self.repeat(method, self.sequence, (transport.via(), ("Contact", contact), *extra), body)

    def repeat(self, method: str, sequence: int, extra: Headers, body: str = "") -> Request:
        """Return a request with a number given before, as ACK and CANCEL need it."""
        headers = (
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            ("User-Agent", "test phone"),
            *extra,
            *((SDP_TYPE,) if body else ()),
        )
        return Request(method=method, uri=self.target, headers=headers, body=body)
