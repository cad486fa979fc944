"""The operator's account at Amazon: what is wrong with it is said at the start."""

from __future__ import annotations

import pytest

from paas.host.settings import read
from paas.host.shell import HostError

ACCOUNT = {"PAAS_AWS_REGION": "eu-west-2", "PAAS_AWS_SOURCES": "203.0.113.7/32"}


def test_a_region_and_sources_are_enough() -> None:
    read(ACCOUNT)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"PAAS_AWS_PREFIX": "prod"}, "PAAS_AWS_REGION"),
        ({"PAAS_AWS_REGION": "eu-west-2"}, "PAAS_AWS_SOURCES"),
        (ACCOUNT | {"PAAS_AWS_SOURCES": "example.org"}, "PAAS_AWS_SOURCES"),
        (ACCOUNT | {"PAAS_AWS_ACCESS_KEY": "AKIA"}, "PAAS_AWS_SECRET_KEY"),
        (ACCOUNT | {"PAAS_AWS_PREFIX": "Production"}, "PAAS_AWS_PREFIX"),
        (ACCOUNT | {"PAAS_AWS_PREFIX": "toolongs"}, "PAAS_AWS_PREFIX"),
        (ACCOUNT | {"PAAS_AWS_USER_PATH": "paas"}, "PAAS_AWS_USER_PATH"),
        (ACCOUNT | {"PAAS_AWS_ENDPOINT_URL": "localhost:5000"}, "PAAS_AWS_ENDPOINT_URL"),
        (ACCOUNT | {"PAAS_AWS_PLANS": "/nothing"}, "PAAS_AWS_PLANS"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(HostError, match=named):
        read(given)
