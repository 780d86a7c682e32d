"""A place with an approved policy, as a service that has run left it."""

from pathlib import Path

import pytest

from tests.calls.approved_place import ApprovedPlace


@pytest.fixture
async def place(tmp_path: Path) -> ApprovedPlace:
    """A place with the Norwegian policy, approved."""
    place = await ApprovedPlace(tmp_path).begin()
    place.put_approved("p2-nb")
    return place
