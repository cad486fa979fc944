"""What the tests of the services' pages share."""

from __future__ import annotations

from typing import Any


def page(client: Any, url: str) -> str:
    """Return the page at the address, which must be there to be seen."""
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.content.decode())
