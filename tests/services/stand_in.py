"""A stand-in for Amazon behind a wire of its own: moto's server with TLS in a network namespace, on a private address."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3

from paas.seams.runtimes.authority import Authority
from services.brokers.engine.depot import Bucket
from tests.cell.machine import wait_until
from tests.wire import Wire

REGION = "eu-west-2"
PORT = 8443
# As Amazon does, it keeps a connection open: an end without a word is an error to whoever is careful with TLS.
SERVE = """
import sys, uvicorn
from moto.server import DomainDispatcherApplication, create_backend_app
app, tls = DomainDispatcherApplication(create_backend_app), {"ssl_keyfile": sys.argv[1], "ssl_certfile": sys.argv[2]}
uvicorn.run(app, interface="wsgi", host="0.0.0.0", port=8443, **tls)
"""


class StandIn:
    """Its wire can be cut and mended; what it holds is in memory, and stays."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.wire = Wire("s", "10.253")
        self.there = self.wire.there
        self.url = f"https://{self.there}:{PORT}"
        self.authorities = authority.bundle()
        issued = authority.issue(self.there, self.there)
        self.key, self.certificate = folder / f"{self.wire.name}.key", folder / f"{self.wire.name}.pem"
        self.key.write_text(issued.key)
        self.certificate.write_text(issued.certificate)
        self.log = folder / f"{self.wire.name}.log"
        self.server: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        self.wire.open()
        moto = self.wire.command(sys.executable, "-c", SERVE, str(self.key), str(self.certificate))
        output = self.log.open("wb")
        self.server = subprocess.Popen(moto, stdout=output, stderr=output)
        wait_until(self._answers, "the stand-in")

    def close(self) -> None:
        self.mend()
        if self.server:
            self.server.kill()
            self.server.wait(10)
        self.wire.close()

    def cut(self) -> None:
        subprocess.run(["ip", "route", "add", "unreachable", f"{self.there}/32"], check=True)

    def mend(self) -> None:
        subprocess.run(
            ["ip", "route", "del", "unreachable", f"{self.there}/32"], check=False, stderr=subprocess.DEVNULL
        )

    def client(self, service: str, **fields: Any) -> Any:
        given = {"aws_access_key_id": "operator", "aws_secret_access_key": "operator", "region_name": REGION}
        return boto3.client(service, endpoint_url=self.url, verify=str(self.authorities), **(given | fields))

    def bucket(self, name: str = "kept", **fields: Any) -> Bucket:
        """Return a place in a bucket that is made now, unless it is there."""
        where = {"LocationConstraint": REGION}
        if name not in (each["Name"] for each in self.client("s3").list_buckets()["Buckets"]):
            self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
        given = {"access_key": "operator", "secret_key": "operator", "authorities": self.authorities}
        return Bucket(name, "install-backups", REGION, self.url, **(given | fields))

    def operator(self) -> dict[str, str]:
        """Return the key of a user who may do everything."""
        iam, everything = self.client("iam"), {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.create_user(UserName="operator")
        document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        iam.put_user_policy(UserName="operator", PolicyName="everything", PolicyDocument=document)
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}

    def enforce(self, on: bool) -> None:
        """Have it look at keys and policies, which it does not do from the start."""
        context = ssl.create_default_context(cafile=str(self.authorities))
        request = Request(
            f"{self.url}/moto-api/reset-auth", data=b"0" if on else b"inf", headers={"Content-Type": "text/plain"}
        )
        urlopen(request, context=context, timeout=10).close()

    def keys(self, prefix: str = "", *, bucket: str = "kept") -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def _answers(self) -> bool:
        try:
            self.client("s3").list_buckets()
        except Exception:
            return False
        return True


@contextmanager
def stand_in(folder: Path, authority: Authority) -> Iterator[StandIn]:
    made = StandIn(folder, authority)
    try:
        made.open()
        yield made
    finally:
        made.close()
