"""The users that bindings have in the account itself (IAM): each may do what its policy says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paas.lib.crypto import decrypt, encrypt
from services.brokers.base import Binding

from .base import kept
from .cloud import Cloud, Failed, labels, tags

POLICY, SECRET = "binding", "paas:secret"
MISSING = "NoSuchEntity"


@dataclass(frozen=True)
class AccessKey:
    id: str
    secret: str = field(repr=False)


class Users:
    """A key's secret is told once, when it is made: it is kept, encrypted, in the user's own tags, to be told again."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def make(self, binding: Binding, statements: Sequence[Mapping[str, Any]], *, owner: Mapping[str, str]) -> AccessKey:
        name, account = self.cloud.name(binding.guid), self.cloud.account
        boundary = {"PermissionsBoundary": account.permissions_boundary} if account.permissions_boundary else {}
        whose = tags({**owner, "paas:binding": binding.guid, **kept(binding.parameters)})
        try:
            self.cloud.call("iam", "create_user", UserName=name, Path=account.user_path, Tags=whose, **boundary)
        except Failed as error:
            if error.reason != "EntityAlreadyExists":
                raise
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.cloud.call("iam", "put_user_policy", UserName=name, PolicyName=POLICY, PolicyDocument=document)
        return self._kept(name, self._labels(name) or {}) or self._new(name)

    def look(self, binding: Binding) -> tuple[dict[str, str], AccessKey] | None:
        """Return the user's tags and key, None where there is none."""
        name = self.cloud.name(binding.guid)
        found = self._labels(name)
        key = None if found is None else self._kept(name, found)
        return (found, key) if found is not None and key else None

    def drop(self, binding: Binding) -> None:
        name = self.cloud.name(binding.guid)
        try:
            self._drop_keys(name)
            self._drop_policy(name)
            self.cloud.call("iam", "delete_user", UserName=name)
        except Failed as error:
            if error.reason != MISSING:
                raise

    def _drop_policy(self, name: str) -> None:
        try:
            self.cloud.call("iam", "delete_user_policy", UserName=name, PolicyName=POLICY)
        except Failed as error:
            if error.reason != MISSING:  # a worker that died may have taken it away, or never given it
                raise

    def _labels(self, name: str) -> dict[str, str] | None:
        try:
            return labels(self.cloud.call("iam", "list_user_tags", UserName=name)["Tags"])
        except Failed as error:
            if error.reason != MISSING:
                raise
        return None

    def _kept(self, name: str, found: Mapping[str, str]) -> AccessKey | None:
        """Return the key that was made before, unless its secret is lost."""
        try:
            key = AccessKey(*decrypt(found[SECRET]))
        except LookupError:
            return None
        return key if key.id in self._keys(name) else None

    def _new(self, name: str) -> AccessKey:
        self._drop_keys(name)  # nobody was told their secret
        made = self.cloud.call("iam", "create_access_key", UserName=name)["AccessKey"]
        key = AccessKey(made["AccessKeyId"], made["SecretAccessKey"])
        self.cloud.call("iam", "tag_user", UserName=name, Tags=tags({SECRET: encrypt([key.id, key.secret])}))
        return key

    def _keys(self, name: str) -> list[str]:
        found = self.cloud.call("iam", "list_access_keys", UserName=name)["AccessKeyMetadata"]
        return [each["AccessKeyId"] for each in found]

    def _drop_keys(self, name: str) -> None:
        for key in self._keys(name):
            self.cloud.call("iam", "delete_access_key", UserName=name, AccessKeyId=key)
