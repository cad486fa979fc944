"""Amazon, as moto's server stands in for it over real HTTP, and a broker there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import requests as http
from moto.server import ThreadedMotoServer

from paas.seams.runtimes.authority import MACHINE
from services.brokers.amazon import plans
from services.brokers.amazon.broker import AmazonBroker
from services.brokers.amazon.cloud import Account
from services.brokers.base import Binding, Done, Instance, Place
from services.brokers.engine.plans import identity
from tests.cell.machine import ROOT
from tests.services.amazon import caches, windows

REGION = "eu-west-2"
PLACE = Place("org-guid", "ministry", "space-guid", "production")
KEYS = ("k" * 40,)
FILE = ROOT / "services/amazon.toml"


class Amazon:
    """The stand-in at ``url``, and what is asked of a broker with an account there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.account = Account(
            region=REGION, endpoint_url=url, access_key="operator", secret_key="secret", sources=("192.0.2.0/24",)
        )
        self.broker = self.broker_with()

    def broker_with(self, *, keys: tuple[str, ...] = KEYS, **fields: Any) -> AmazonBroker:
        account = replace(self.account, **fields)
        return AmazonBroker(account=account, services=plans.read(FILE), keys=keys, trust=Path(MACHINE))

    def client(self, service: str, **credentials: Any) -> Any:
        """A client of somebody's own: of the operator, or with the credentials that a binding holds."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=credentials.get("aws_access_key_id", "operator"),
            aws_secret_access_key=credentials.get("aws_secret_access_key", "secret"),
        )

    def instance(self, kind: str, plan: str, **parameters: Any) -> Instance:
        ids = identity("amazon", kind), identity("amazon", kind, plan)
        return Instance(str(uuid4()), "our-data", *ids, PLACE, parameters or None)

    def binding(self, instance: Instance, **parameters: Any) -> Binding:
        return Binding(str(uuid4()), instance, parameters=parameters or None)

    def made(self, kind: str, plan: str, **parameters: Any) -> Instance:
        instance = self.instance(kind, plan, **parameters)
        assert self.broker.provision(instance) == Done()
        return instance

    def credentials(self, binding: Binding) -> dict[str, Any]:
        outcome = self.broker.bind(binding)
        assert isinstance(outcome, Done) and outcome.bound, outcome
        return dict(outcome.bound.credentials)


@contextmanager
def enforcing(amazon: Amazon) -> Iterator[None]:
    """Have everybody held to their policies, which moto leaves out otherwise. It knows no conditions about addresses."""
    reset = f"{amazon.url}/moto-api/reset-auth"
    before = http.post(reset, data=b"0", timeout=10).json()["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"]
    try:
        yield
    finally:
        http.post(reset, data=str(before).encode(), timeout=10)


@contextmanager
def standing_in() -> Iterator[Amazon]:
    caches.complete()
    windows.complete()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Amazon(f"http://{host}:{port}")
    finally:
        server.stop()
