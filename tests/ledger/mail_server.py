"""A mail server on loopback that keeps what it gets; speaks as much SMTP as a sender needs (RFC 5321, 3207)."""

import datetime
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps each mail as its text, and whether it came encrypted."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, tls: ssl.SSLContext | None, refusal: str, silent: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.tls, self.refusal, self.silent = tls, refusal, silent
        self.mails: list[str] = []
        self.encrypted: list[bool] = []
        self.ended = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.BaseRequestHandler):
    server: MailServer

    def handle(self) -> None:
        if self.server.silent:
            self.server.ended.wait()
            return
        with ExitStack() as stack:
            self._converse(stack)

    def _converse(self, stack: ExitStack) -> None:
        way, encrypted = self.request, False
        lines = stack.enter_context(way.makefile("rb"))
        way.sendall(b"220 here\r\n")
        while line := lines.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                offered = b"250-here\r\n250-STARTTLS\r\n" if self.server.tls and not encrypted else b""
                way.sendall(offered + b"250 SIZE 100000\r\n")
            elif verb == b"STARTTLS" and self.server.tls:
                way.sendall(b"220 go on\r\n")
                way, encrypted = stack.enter_context(self.server.tls.wrap_socket(way, server_side=True)), True
                lines = stack.enter_context(way.makefile("rb"))
            elif verb == b"RCPT" and self.server.refusal:
                way.sendall(f"550 {self.server.refusal}\r\n".encode())
            elif verb == b"DATA":
                way.sendall(b"354 go on\r\n")
                text = b"".join(iter(lines.readline, b".\r\n"))
                self.server.mails.append(text.decode())
                self.server.encrypted.append(encrypted)
                way.sendall(b"250 kept\r\n")
            elif verb == b"QUIT":
                way.sendall(b"221 bye\r\n")
                return
            else:
                way.sendall(b"250 ok\r\n")


@contextmanager
def mail_server(
    *, tls: ssl.SSLContext | None = None, refusal: str = "", silent: bool = False
) -> Iterator[MailServer]:
    """Run a mail server; a silent one accepts a connection and never says a word."""
    with MailServer(tls=tls, refusal=refusal, silent=silent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


def own_certificate(directory: Path) -> ssl.SSLContext:
    """Return the side of a server that nobody vouches for."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, None)
    )
    file = directory / "mail.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
