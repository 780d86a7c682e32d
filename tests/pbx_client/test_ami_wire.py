"""The AMI reader and the check of what is sent, without sockets."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import PbxProtocolError
from asterisk_consent.pbx.ami_wire import (
    MAX_LINE_BYTES,
    MAX_LINES,
    MAX_SENT_HEADERS,
    MAX_SENT_LINE_BYTES,
    AmiEvent,
    AmiReader,
    AmiReply,
    check_action,
)

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def read_all(*chunks: bytes) -> list[AmiEvent | AmiReply]:
    reader = AmiReader()
    messages = []
    for chunk in chunks:
        reader.feed(chunk)
        while (message := reader.next_message()) is not None:
            messages.append(message)
    return messages


def test_events_and_replies_are_read_in_order() -> None:
    event, reply = read_all(
        GREETING + b"Event: Newchannel\r\nChannel: PJSIP/a-1\r\nAccountCode: \r\n\r\n"
        b"Response: Error\r\nActionID: 7\r\nMessage: No such channel\r\n\r\n"
    )
    assert isinstance(event, AmiEvent)
    assert (event.name, event.get("Channel"), event.get("AccountCode")) == ("Newchannel", "PJSIP/a-1", "")
    assert isinstance(reply, AmiReply)
    assert (reply.success, reply.action_id, reply.get("Message")) == (False, "7", "No such channel")


def test_an_unknown_or_misspelt_header_raises_unless_a_default_is_given() -> None:
    (event,) = read_all(GREETING + b"Event: X\r\nChannel: PJSIP/a-1\r\n\r\n")
    with pytest.raises(KeyError):
        event.get("Chanel")
    with pytest.raises(AttributeError):
        _ = event.Chanel  # type: ignore[union-attr]  # the point of the test
    assert event.get("Chanel", "") == ""


def test_a_repeated_header_keeps_its_first_value() -> None:
    (event,) = read_all(GREETING + b"Event: X\r\nChannel: mine\r\nChannel: forged\r\n\r\n")
    assert event.get("Channel") == "mine"


def test_a_bare_line_feed_in_a_value_does_not_begin_a_header() -> None:
    (event,) = read_all(GREETING + b"Event: X\r\nName: a\nChannel: forged\r\n\r\n")
    assert dict(event.fields) == {"Event": "X", "Name": "a\nChannel: forged"}


def test_a_line_without_a_colon_belongs_to_the_value_before_it() -> None:
    (event,) = read_all(GREETING + b"Event: X\r\nValue: one\r\ntwo\r\n\r\n")
    assert event.get("Value") == "one\r\ntwo"


def test_what_is_not_utf_8_is_shown_escaped() -> None:
    (event,) = read_all(GREETING + b"Event: X\r\nName: a\xffb\xed\xa0\x80\r\n\r\n")
    assert event.get("Name") == r"a\xffb\xed\xa0\x80"
    assert event.get("Name").encode()


@pytest.mark.parametrize(
    "stream",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"x" * (MAX_LINE_BYTES + 1),
        GREETING + b"x" * (MAX_LINE_BYTES + 1),
        GREETING + b"Event: X\r\nName: " + b"x" * MAX_LINE_BYTES + b"\r\n\r\n",
        GREETING + b"Event: X\r\n" + b"A: b\r\n" * MAX_LINES,
        GREETING + b"Event: X\r\n" + b"A\r\n" * MAX_LINES,
        GREETING + b"\r\n" * MAX_LINES,
        GREETING + b"Event: X\r\n" + (b"A: " + b"x" * 16_000 + b"\r\n") * 5,
        GREETING + b"no colon\r\n",
        GREETING + b"Channel: PJSIP/a-1\r\nEvent: X\r\n\r\n",
    ],
)
def test_what_is_not_ami_or_too_large_is_a_protocol_error(stream: bytes) -> None:
    with pytest.raises(PbxProtocolError):
        read_all(stream)


FRAGMENTS = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"Event: X", b"Response: Success", b": ", b":", b"ActionID: 1",
     b"EventList: start", "é€😀".encode(), b"\0", b"\xff"]
)  # fmt: skip
STREAMS = st.lists(FRAGMENTS | st.binary(max_size=12), max_size=60).map(b"".join)


def read_until_broken(chunks: list[bytes]) -> tuple[list[AmiEvent | AmiReply], bool]:
    reader = AmiReader()
    messages: list[AmiEvent | AmiReply] = []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (message := reader.next_message()) is not None:
                messages.append(message)
    except PbxProtocolError:
        return messages, True
    return messages, False


@given(stream=STREAMS, greeted=st.booleans(), cuts=st.lists(st.integers(0, 400), max_size=20))
def test_any_bytes_in_any_chunks_give_the_same_messages_or_a_protocol_error(
    stream: bytes, greeted: bool, cuts: list[int]
) -> None:
    stream = GREETING * greeted + stream
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    assert read_until_broken(chunks) == read_until_broken([stream])
    assert read_until_broken([stream[i : i + 1] for i in range(len(stream))]) == read_until_broken([stream])


@given(stream=st.binary(max_size=4_000), times=st.integers(1, 40))
def test_the_reader_holds_no_more_than_one_line_and_one_message(stream: bytes, times: int) -> None:
    reader = AmiReader()
    reader.feed(GREETING)
    try:
        for _ in range(times):
            reader.feed(stream)
            while reader.next_message() is not None:
                pass
            assert len(reader._buffer) <= MAX_LINE_BYTES
            assert len(reader._headers) <= MAX_LINES
    except PbxProtocolError:
        pass


@pytest.mark.parametrize("broken", ["\r", "\n", "\0", "a\r\n\r\nAction: Hangup", "\ud800"])
def test_a_value_that_could_begin_another_line_is_refused(broken: str) -> None:
    with pytest.raises(PbxProtocolError):
        check_action("StopMixMonitor", {"Channel": broken})
    with pytest.raises(PbxProtocolError):
        check_action(broken, {})


@pytest.mark.parametrize("header", ["", "A:b", "A b", "A\r\nB", "Action", "actionid", "É"])
def test_a_header_that_is_no_name_or_ours_is_refused(header: str) -> None:
    with pytest.raises(PbxProtocolError):
        check_action("Ping", {header: "x"})


def test_what_asterisk_would_cut_off_is_refused() -> None:
    check_action("Ping", {"A": "x" * (MAX_SENT_LINE_BYTES - 3)})
    with pytest.raises(PbxProtocolError):
        check_action("Ping", {"A": "x" * (MAX_SENT_LINE_BYTES - 2)})
    with pytest.raises(PbxProtocolError):
        check_action("Ping", {f"A{i}": "" for i in range(MAX_SENT_HEADERS + 1)})
    with pytest.raises(PbxProtocolError):
        check_action("Ping", {"Channel": "a", "channel": "b"})
