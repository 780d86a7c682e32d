"""The sound of one call: a UDP socket with a talker and a listener on it.

Rule: once the other side is known the socket is connected to it, so that RTCP for a neighbouring port, or
late packets of a call before, are never taken for this call's sound.
"""

import secrets
import socket
import time

from tests.pbx.ears import Heard, HeardDigit, Listener
from tests.pbx.g711 import Law
from tests.pbx.rtp import EVENT_PAYLOAD_TYPE, Talker
from tests.pbx.sip_message import Media

_RECEIVE_BUFFER = 256 * 1024
_ANSWERED_DIRECTION = {"sendonly": "recvonly", "recvonly": "sendonly"}


class SoundStream:
    """What a person on the phone does with voice, digits and ears. Moments are ``time.monotonic()``."""

    def __init__(self, local: str, law: Law) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.sock.bind((local, 0))
        self.local = local
        self.peer_direction = "sendrecv"
        self.opened_at = time.monotonic()
        self._version = 0
        self._talking = False
        self.talker = Talker(
            sock=self.sock,
            law=law,
            sequence=secrets.randbelow(0x8000),
            timestamp=secrets.randbits(32),
            ssrc=secrets.randbits(32),
        )
        self.listener = Listener(sock=self.sock, event_payload_type=EVENT_PAYLOAD_TYPE)
        self.listener.start()

    def description(self, *, direction: str = "") -> str:
        """Return our description, in answer to the peer's direction unless one is given."""
        self._version += 1
        direction = direction or _ANSWERED_DIRECTION.get(self.peer_direction, self.peer_direction)
        media = Media(
            address=self.local,
            port=self.sock.getsockname()[1],
            law=self.talker.law,
            event_payload_type=self.listener.event_payload_type,
            direction=direction,
        )
        return media.pack(version=self._version)

    def connect(self, peer: Media) -> None:
        """Send to where the other side listens, in the codec it chose."""
        self.talker.use(peer.law)
        self.talker.event_payload_type = peer.event_payload_type
        self.peer_direction = peer.direction
        self.sock.connect((peer.address, peer.port))

    def start_talking(self) -> None:
        """Begin to send silence every 20 ms; the second time it changes nothing."""
        if not self._talking:
            self._talking = True
            self.talker.start()

    def close(self) -> None:
        """Stop both ways; what was heard stays."""
        if self.sock.fileno() >= 0:
            self.talker.stop()
            self.listener.stop()
            self.sock.close()

    def tone(self, hz: int, *, dbfs: float = -12.0) -> None:
        """Sound a steady tone until told otherwise."""
        self.talker.tone(hz, dbfs=dbfs)

    def quiet(self) -> None:
        """Send silence."""
        self.talker.quiet()

    def mute(self) -> None:
        """Send nothing at all."""
        self.talker.mute()

    def restart_stream(self, *, sequence: int, timestamp: int | None = None, ssrc: int | None = None) -> None:
        """Go on with other RTP numbers, as after a restart of the phone's stream."""
        self.talker.restart(sequence=sequence, timestamp=timestamp, ssrc=ssrc)

    async def digit(self, digit: str, *, at: float | None = None, duration_ms: int = 160) -> float:
        """Press a digit, at the given moment or now; return the moment it was let go."""
        return await self.talker.press(digit, duration_ms=duration_ms, at=at)

    async def heard(
        self, hz: float, *, within_s: float, since: float | None = None, threshold_db: float = -35.0
    ) -> float:
        """Wait for a tone; return the moment it began.

        :raises NotHeardError: it was not heard in time.
        """
        since = self.opened_at if since is None else since
        return await self.listener.tone(hz, since=since, within_s=within_s, threshold_db=threshold_db)

    async def fell_silent(
        self, *, for_s: float, within_s: float, since: float | None = None, threshold_db: float = -50.0
    ) -> float:
        """Wait for the end of what is being said; return the moment it ended.

        :raises NotHeardError: nothing was said, or it did not end in time.
        """
        since = self.opened_at if since is None else since
        return await self.listener.silence(
            for_s=for_s, since=since, within_s=within_s, threshold_db=threshold_db
        )

    async def heard_digits(self, count: int, *, within_s: float) -> str:
        """Wait for that many digits; return them."""
        return await self.listener.digit(count, within_s=within_s)

    @property
    def received(self) -> Heard:
        """Everything heard so far."""
        return self.listener.heard

    @property
    def received_in_step(self) -> Heard:
        """Everything heard so far by the sender's time, for comparing sounds rather than moments."""
        return self.listener.heard_in_step

    @property
    def digits(self) -> list[HeardDigit]:
        """The digits heard so far."""
        return self.listener.digits
