"""``docs/reference/storage.md`` assigns every field of every entry and table to a class."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from asterisk_consent.ledger import Kind
from asterisk_consent.ledger.entry import PAYLOAD_OF, Header
from asterisk_consent.ledger.index import INDEX_OF
from asterisk_consent.ledger.payload import Payload
from asterisk_consent.ledger.schema import migrate

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "storage.md").read_text()
ENTRY, _, REST = PAGE.partition("### Header")
HEADER, _, REST = REST.partition("### Rules")
KINDS, _, REST = REST.partition("| type | field | class | holds |")
FIELDS, _, TABLES = REST.partition("## Tables for reading")
CLASSES = {"chain", "index", "proof", "service"}


def assigned(section: str) -> list[tuple[str, str]]:
    """Return owner and field of every row that names a class, in the order of the page."""
    return [
        (owner, field)
        for owner, fields, of_class in re.findall(
            r"^\| `(\w+)` \| (`[^|]+) \| (\w+) \|", section, re.MULTILINE
        )
        for field in re.findall(r"`(\w+)`", fields)
        if of_class in CLASSES
    ]


def tag_of(payload: type[msgspec.Struct]) -> str:
    return str(payload.__struct_config__.tag)


@pytest.mark.parametrize("payload", get_args(Payload))
def test_every_field_of_a_payload_has_a_class_and_its_place(payload: type[msgspec.Struct]) -> None:
    listed = tuple(field for owner, field in assigned(FIELDS) if owner == tag_of(payload))
    assert listed == payload.__struct_fields__


@pytest.mark.parametrize("payload", INDEX_OF)
def test_what_an_index_shows_is_of_class_index_or_chain_and_the_rest_is_sealed(
    payload: type[Payload],
) -> None:
    rows = re.findall(rf"^\| `{tag_of(payload)}` \| `(\w+)` \| (\w+) \|", FIELDS, re.MULTILINE)
    shown = tuple(field for field, of_class in rows if of_class in {"chain", "index"})
    of_index = INDEX_OF[payload].__struct_fields__
    assert shown == tuple(field for field in of_index if field in payload.__struct_fields__)
    assert {of_class for field, of_class in rows if field not in shown} == {"proof"}


def test_the_header_is_described_field_by_field_in_its_order() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \|", HEADER, re.MULTILINE)) == Header.__struct_fields__


def test_every_kind_is_listed_with_its_type() -> None:
    listed = {
        (kind, tag)
        for tag, kinds in re.findall(r"^\| `(\w+)` \| (.+) \|$", KINDS, re.MULTILINE)
        for kind in re.findall(r"`([\w.]+)`", kinds)
    }
    assert listed == {(str(kind), tag_of(PAYLOAD_OF[kind])) for kind in Kind}


def test_every_column_of_every_table_has_a_class() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, where="memory")
        columns = connection.execute(
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        ).fetchall()
    assert sorted(assigned(ENTRY) + assigned(TABLES)) == sorted(columns)
