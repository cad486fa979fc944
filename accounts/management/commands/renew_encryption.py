"""Lets an old key go: what it encrypted is encrypted anew with the newest one, while the platform runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.db.models import TextField, Value
from django.db.models.functions import Cast

from paas.lib import crypto


class Command(BaseCommand):
    help = "Encrypt with the newest of PAAS_SECRET_KEYS all that an older one has encrypted, so that the older can go."

    def handle(self, *args: Any, **options: Any) -> None:
        lost = 0
        for model in apps.get_models():
            for field in model._meta.local_concrete_fields:
                if isinstance(field, crypto.EncryptedJSONField):
                    lost += self._told(f"{model._meta.label}.{field.name}", _renew(model, field.name))
        lost += self._told("second factors", _renew_factors())
        if lost:
            raise CommandError(
                f"{lost} values are encrypted with keys that are not in PAAS_SECRET_KEYS. Add those keys behind the newest "
                "one, and run this again."
            )
        self.stdout.write("Everything in the database is encrypted with the newest key.")

    def _told(self, what: str, renewed: Iterator[bool]) -> int:
        """Say how many were encrypted anew; return how many could not be read."""
        ended = list(renewed)
        if ended:
            self.stdout.write(f"{what}: {ended.count(True)} of {len(ended)}")
        return ended.count(False)


def _renew(model: type[models.Model], name: str) -> Iterator[bool]:
    """Yield for each value under an older key whether it could be read; who writes a row meanwhile wins."""
    rows = model._base_manager.annotate(stored=Cast(name, TextField())).exclude(stored=None)
    old = rows.exclude(stored__startswith=crypto.prefix()).values_list("pk", "stored")
    for pk, stored in old.iterator(chunk_size=500):
        try:
            value = Value(crypto.encrypt(crypto.decrypt(stored)), TextField())
        except LookupError:
            yield False
        else:
            rows.filter(pk=pk, stored=stored).update(**{name: value})
            yield True


def _renew_factors() -> Iterator[bool]:
    """The same for what second factors keep: allauth has the adapter encrypt single texts of its own JSON."""
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            try:
                data = row and _anew(row.data)
            except LookupError:
                yield False
                continue
            if row and data != row.data:
                row.data = data
                row.save(update_fields=["data"])
                yield True


def _anew(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _anew(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_anew(each) for each in value]
    if isinstance(value, str) and crypto.is_encrypted(value) and not value.startswith(crypto.prefix()):
        return crypto.encrypt(crypto.decrypt(value))
    return value
