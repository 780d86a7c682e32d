"""A place for recordings for each test."""

from pathlib import Path

import pytest

from tests.calls.recording_place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
