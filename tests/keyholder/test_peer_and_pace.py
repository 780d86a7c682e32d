"""Who asks, and how often: what the kernel says, and what work explains."""

import os
import pwd
import socket
import stat
from pathlib import Path

import pytest

from asterisk_consent.errors import BrowsingError, ConfigError, ConsentError, RequestRefusedError
from asterisk_consent.keyholder.listening import group_id, listen
from asterisk_consent.keyholder.pace import Pace
from asterisk_consent.keyholder.peer import Peer, peer_of
from asterisk_consent.keyholder.wire import Released

ANNA = Peer(uid=1000, login="anna", groups=frozenset({1000, 50}))


def test_the_peer_is_who_the_kernel_says() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = peer_of(ours)
    assert (peer.uid, peer.login) == (os.getuid(), pwd.getpwuid(os.getuid()).pw_name)
    assert os.getgid() in peer.groups


def test_members_of_the_group_may_ask_and_root() -> None:
    assert ANNA.may_ask(50)
    assert not ANNA.may_ask(51)
    assert Peer(uid=0, login="root", groups=frozenset({0})).may_ask(51)


@pytest.mark.parametrize(
    ("sent", "entered"),
    [
        ("", "anna"),
        ("  \n", "anna"),
        ("bert", "anna for bert"),
        ("bert\nroot\x1b[2J", "anna for bert root [2J"),
    ],
)
def test_whom_somebody_asks_for_is_entered_after_their_login(sent: str, entered: str) -> None:
    assert ANNA.person(sent) == entered


def test_as_many_requests_in_any_minute_as_stated_and_no_more() -> None:
    pace = Pace(per_minute=2, at_once=9)
    pace.begin(1, 0.0)
    pace.begin(1, 59.0)
    with pytest.raises(BrowsingError):
        pace.begin(1, 59.9)
    pace.begin(2, 59.9)
    pace.begin(1, 60.0)
    with pytest.raises(BrowsingError):
        pace.begin(1, 61.0)


def test_as_many_requests_at_once_as_stated_and_no_more() -> None:
    pace = Pace(per_minute=9, at_once=1)
    pace.begin(1, 0.0)
    with pytest.raises(RequestRefusedError):
        pace.begin(1, 0.0)
    pace.begin(2, 0.0)
    pace.end(1)
    pace.begin(1, 0.0)


def test_the_socket_is_for_its_owner_and_the_group(tmp_path: Path) -> None:
    with listen(tmp_path / "socket", 65534):
        status = (tmp_path / "socket").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o660, 65534)


def test_a_second_key_holder_does_not_take_the_place_and_what_a_dead_one_left_is_taken(
    tmp_path: Path,
) -> None:
    with listen(tmp_path / "socket", 0), pytest.raises(ConsentError, match="another key holder"):
        listen(tmp_path / "socket", 0)
    listen(tmp_path / "socket", 0).close()


def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "socket").write_text("mine")
    with pytest.raises(ConsentError):
        listen(tmp_path / "socket", 0)
    assert (tmp_path / "socket").read_text() == "mine"


def test_a_group_is_named_or_numbered() -> None:
    assert (group_id("root"), group_id("4711")) == (0, 4711)
    with pytest.raises(ConfigError, match="there is no group 'nobody-here'"):
        group_id("nobody-here")


def test_released_keys_do_not_show_in_a_text() -> None:
    assert "SECRET" not in repr(Released(("AGE-SECRET-KEY-1",)))
