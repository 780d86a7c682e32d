"""``object``: one list for each controller, which outlives every call and names no number."""

from pathlib import Path

import pytest

from tests.cli.test_asking import KNOWN
from tests.cli.typing_commands import Desk
from tests.rights.kept_calls import NUMBER


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await Desk.begin(tmp_path)


def test_an_objection_is_entered_once_for_each_controller_and_lifted_where_it_is(desk: Desk) -> None:
    first, second = sorted(desk.kept.controller(name) for name in ("p1-nl", "p5-be"))
    assert desk.answer("object", "--number", NUMBER, "--controller", first)[0]["changed"]
    both = desk.answer("object", "--number", NUMBER)
    assert [(row["controller"], row["objects"], row["changed"]) for row in both] == [
        (first, True, False),
        (second, True, True),
    ]
    desk.answer("object", "--number", NUMBER, "--controller", second, "--lift")
    printed = desk.type("object", "--number", NUMBER, "--lift").stdout
    assert printed.splitlines() == [
        f"{first}: no longer on the list of objections.",
        f"{second}: not on the list of objections.",
    ]


def test_an_objection_outlives_the_erasure_of_every_call(desk: Desk) -> None:
    call_id = desk.recorded(1)
    desk.answer("object", "--number", NUMBER)
    desk.answer("erase", call_id, *KNOWN)
    assert not any(row["changed"] for row in desk.answer("object", "--number", NUMBER))


def test_a_policy_file_that_cannot_be_read_keeps_nobody_from_objecting(desk: Desk) -> None:
    desk.kept.place.file_of("p5-be").write_text("no policy")
    assert len(desk.answer("object", "--number", NUMBER)) == 2


def test_what_is_recorded_by_law_is_said_to_who_objects(desk: Desk) -> None:
    desk.kept.place.change("p1-nl", "version = 1", "version = 2")
    desk.kept.place.change("p1-nl", 'basis = "consent"', 'basis = "legal-obligation"')
    desk.kept.place.change("p1-nl", 'mode = "opt-in"', 'mode = "notice"')
    desk.kept.place.approve("p1-nl")
    assert (
        "a law demands recordings under p1-nl all the same" in desk.type("object", "--number", NUMBER).stdout
    )
