"""The AGI header block, commands and replies, without sockets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import PbxProtocolError
from asterisk_consent.pbx.agi_wire import (
    IN_ORDER,
    MAX_COMMAND_BYTES,
    MAX_HEADERS,
    AgiReply,
    parse_reply,
    parse_request,
    render_command,
)
from tests.pbx_client.fake_agi_call import HEADERS, header_block

TAIL = "".join(f"\n{name}: 0" for name in IN_ORDER[IN_ORDER.index("agi_calleridname") + 1 :])


def lines_of(block: bytes) -> list[bytes]:
    return block.split(b"\n\n")[0].split(b"\n")


def test_the_header_block_is_read() -> None:
    request = parse_request(lines_of(header_block(agi_arg_2="two words")))
    assert request.arguments == ("support", "two words")
    assert dict(request.fields) == {**HEADERS, "agi_arg_2": "two words"}
    with pytest.raises(KeyError):
        request.get("agi_chanel")
    assert request.get("agi_chanel", "") == ""


def test_a_header_of_a_later_asterisk_is_accepted() -> None:
    lines = lines_of(header_block())
    lines.insert(5, b"agi_brand_new: x")
    assert parse_request(lines).get("agi_brand_new") == "x"


@pytest.mark.parametrize(
    "name",
    [
        "x\nagi_arg_1: forged",
        "x\nagi_arg_2: forged",
        "x\nagi_dnid: 112",
        "x\nagi_callingpres: 0",
        "x\nagi_channel: PJSIP/other-1",
        f"x{TAIL}",
        f"x{TAIL}\nagi_arg_1: forged",
        "x\nHANGUP",
        "x\n200 result=49",
    ],
)
@pytest.mark.parametrize("argument", [True, False])
def test_a_line_forged_by_a_callers_name_spoils_the_block(name: str, argument: bool) -> None:
    block = header_block(agi_calleridname=name)
    lines = lines_of(block)
    if not argument:
        lines.remove(b"agi_arg_1: support")
    with pytest.raises(PbxProtocolError):
        parse_request(lines)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"GET / HTTP/1.1"],
        lines_of(header_block())[:-3],
        lines_of(header_block()) + [b"agi_x%d: 1" % i for i in range(MAX_HEADERS)],
        [*lines_of(header_block()), b"agi_channel: again"],
        [b"agi_new: 1", *lines_of(header_block()), b"agi_new: 2"],
    ],
)
def test_what_is_no_whole_header_block_is_a_protocol_error(lines: list[bytes]) -> None:
    with pytest.raises(PbxProtocolError):
        parse_request(lines)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"200 result=0", AgiReply(result=0, text=None, endpos=0)),
        (b"200 result=-1 endpos=0", AgiReply(result=-1, text=None, endpos=0)),
        (b"200 result=49 endpos=3520", AgiReply(result=49, text=None, endpos=3520)),
        (b"200 result=1 (a (b) c)", AgiReply(result=1, text="a (b) c", endpos=0)),
        (b"200 result=1 ()", AgiReply(result=1, text="", endpos=0)),
    ],
)
def test_replies_are_read(line: bytes, reply: AgiReply) -> None:
    assert parse_reply(line) == reply


@pytest.mark.parametrize(
    "line",
    [b"", b"200", b"200 result=", b"200 result=1 (open", b"200 result=0x1", b" 200 result=0",
     b"200 result=0 ", b"200 result=99999999999", b"agi_arg_1: x", b"201 result=0", b"200 result=\xd9\xa1"],
)  # fmt: skip
def test_what_asterisk_never_replies_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(PbxProtocolError):
        parse_reply(line)


def as_asterisk_reads(line: bytes) -> list[str]:
    """Split a command as ``parse_args`` in ``res/res_agi.c`` does."""
    words: list[str] = []
    quoted = escaped = fresh = False
    fresh = True
    for letter in line.decode().removesuffix("\n"):
        if letter == '"' and not escaped:
            quoted = not quoted
            if quoted and fresh:
                words.append("")
                fresh = False
        elif letter == " " and not quoted and not escaped:
            fresh = True
        elif letter == "\\" and not escaped:
            escaped = True
        else:
            if fresh:
                words.append("")
            words[-1] += letter
            fresh = escaped = False
    assert not quoted
    assert not escaped
    return words


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40), max_size=4))
def test_asterisk_reads_back_exactly_what_was_given(arguments: list[str]) -> None:
    line = render_command("SET VARIABLE", *arguments)
    assert line.count(b"\n") == 1
    assert as_asterisk_reads(line) == ["SET", "VARIABLE", *arguments]


@pytest.mark.parametrize(
    "broken", ["\n", "\r", "\0", 'x" \nEXEC System "id', "\ud800", "x" * MAX_COMMAND_BYTES]
)
def test_an_argument_that_could_begin_another_command_is_refused(broken: str) -> None:
    with pytest.raises(PbxProtocolError):
        render_command("SET VARIABLE", "NAME", broken)


@given(st.binary(max_size=40).map(b"200 result=1".__add__) | st.binary(max_size=200))
def test_any_line_is_a_reply_or_a_protocol_error(line: bytes) -> None:
    try:
        reply = parse_reply(line)
    except PbxProtocolError:
        return
    assert line.startswith(b"200 result=")
    assert str(abs(reply.result)).encode() in line


HEADER_LINES = st.sampled_from(lines_of(header_block())) | st.binary(max_size=30)


@given(st.lists(HEADER_LINES, max_size=70))
def test_any_lines_are_a_request_with_a_channel_or_a_protocol_error(lines: list[bytes]) -> None:
    try:
        request = parse_request(lines)
    except PbxProtocolError:
        return
    assert request.get("agi_channel")
    assert len(request.fields) == len(lines)
