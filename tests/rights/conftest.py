"""A place with calls that were kept, and one outside of it for what is backed up."""

from pathlib import Path

import pytest


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"
