"""One stand-in for Amazon for each test file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.amazon.stand_in import Amazon, standing_in


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with standing_in() as there:
        yield there
