"""What is kept of uploads: as long as something names it, within the budget."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from apps import uploads
from apps.actions import app as apps
from apps.actions import droplet as droplets
from apps.actions import package as packages
from apps.actions import push
from apps.jobs.clean import collect
from apps.models import App, Droplet, Package, SourceFile
from paas.seams.blobs.base import Blobs
from tenants.models import Space
from tests.apps.archives import LARGE, zipped


@pytest.fixture
def package(alice: User, app: App, store: Blobs) -> Package:
    return uploads.receive(alice, push.create_package(alice, app), bits=zipped({"data.bin": LARGE}))


def keys(store: Blobs) -> set[str]:
    return {blob.key for blob in store.list()}


def test_what_waits_for_its_bits_for_a_day_is_given_up(alice: User, app: App, package: Package) -> None:
    waiting, droplet = push.create_package(alice, app), droplets.create(alice, app)
    collect()
    assert Package.objects.filter(pk=waiting.pk).exists()
    for model in (Package, Droplet):
        model.objects.update(updated_at=timezone.now() - timedelta(days=2))
    collect()
    assert list(Package.objects.all()) == [package]
    assert not Droplet.objects.filter(pk=droplet.pk).exists()


def test_known_files_go_first_when_the_budget_is_used_up(package: Package, store: Blobs, settings: Any) -> None:
    known = SourceFile.objects.get()
    assert keys(store) == {package.key, known.key}
    settings.PAAS_BLOBS_BUDGET = package.size
    collect()
    assert keys(store) == {package.key}
    assert not SourceFile.objects.exists()


def test_bits_stay_while_a_copy_names_them(
    alice: User, space: Space, package: Package, store: Blobs, settings: Any
) -> None:
    copy = packages.copy(alice, package, app=apps.create(alice, space, name="other"))
    packages.delete(alice, package)
    settings.PAAS_BLOBS_BUDGET = 1 << 30
    collect()
    assert copy.key in keys(store)
    settings.PAAS_BLOBS_BUDGET = 0
    collect()
    copy.refresh_from_db()
    assert (copy.state, keys(store)) == ("EXPIRED", set())


def test_of_two_that_share_bits_both_expire_and_the_bits_once(
    alice: User, space: Space, package: Package, store: Blobs, settings: Any
) -> None:
    packages.copy(alice, package, app=apps.create(alice, space, name="other"))
    settings.PAAS_BLOBS_BUDGET = 0
    collect()
    assert set(Package.objects.values_list("state", flat=True)) == {"EXPIRED"}
    assert keys(store) == set()
