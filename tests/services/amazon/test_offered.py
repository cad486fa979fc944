"""What is offered of Amazon's, from the operator's file and settings, and what is not where there are none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from apps.models import App
from paas.lib.queue import work
from services import outside
from services.actions import binding as bindings
from services.actions import instance as instances
from services.brokers.amazon import plans
from services.brokers.engine.plans import PlansWrong
from services.jobs import outlived
from services.jobs.compare import compare_one
from services.models import Offering, Plan, ServiceBroker
from tenants.models import Space
from tests.cell.machine import ROOT
from tests.services.amazon.stand_in import FILE, Amazon

ORIGINAL = {
    "aws-s3-bucket": {"default"},
    "aws-sqs-queue": {"standard", "fifo"},
    "aws-rds-postgres": {"tiny-15", "small-15", "small-ha-15", "medium-15", "medium-ha-15", "large-ha-15-high-iops"},
    "aws-rds-mysql": {"tiny-8.4", "small-ha-8.4", "xlarge-ha-8.4"},
    "aws-elasticache-redis": {"micro-7", "micro-ha-7", "tiny-7", "small-ha-7", "medium-ha-7", "xlarge-ha-7"},
}


@pytest.fixture
def configured(amazon: Amazon, settings: Any, root: User) -> Iterator[ServiceBroker]:
    """The platform with the account in its settings, after a start."""
    settings.PAAS_AWS = asdict(amazon.account)
    outside.amazon.cache_clear()
    call_command("offer_services", "amazon")
    broker = ServiceBroker.objects.get(kind="amazon")
    work("services.jobs.synchronize", broker.pk)
    broker.refresh_from_db()
    yield broker
    outside.amazon.cache_clear()


@pytest.mark.django_db
def test_with_an_account_its_plans_are_offered_to_all_with_prices(configured: ServiceBroker) -> None:
    assert configured.state == ServiceBroker.State.AVAILABLE
    for kind, names in ORIGINAL.items():
        found = Plan.objects.filter(offering__broker=configured, offering__name=kind)
        assert names <= {plan.name for plan in found}
        assert all(plan.costs and not plan.free and plan.visibility_type == "public" for plan in found)
    small = Plan.objects.get(offering__name="aws-rds-postgres", name="small-ha-15")
    assert small.costs[0]["amount"] == 74.61


@pytest.mark.django_db
def test_without_one_nothing_is_offered_any_more(configured: ServiceBroker, settings: Any) -> None:
    settings.PAAS_AWS = settings.PAAS_AWS | {"region": ""}
    outside.amazon.cache_clear()
    call_command("offer_services", "amazon")
    work("services.jobs.synchronize", configured.pk)
    assert not Offering.objects.filter(broker=configured, available=True).exists()


@pytest.mark.django_db
def test_nothing_was_ever_offered_where_there_never_was_one(settings: Any) -> None:
    assert settings.PAAS_AWS["region"] == ""
    call_command("offer_services", "amazon")
    outlived.forget_outlived()
    assert not ServiceBroker.objects.filter(kind="amazon").exists()


def test_amazons_library_is_not_loaded_before_it_is_called() -> None:
    look = [
        "import sys; from pathlib import Path",
        "from services.brokers.amazon import broker, cloud, plans",
        f"services = plans.read(Path({str(FILE)!r}))",
        "broker.AmazonBroker(account=cloud.Account('eu-west-2'), services=services, keys=('k',), trust=Path('/')).catalog()",
        "print(*(name for name in ('boto3', 'botocore') if name in sys.modules))",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(look)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


@pytest.mark.django_db
def test_a_bucket_is_made_bound_compared_and_removed_through_the_platform(
    alice: User, space: Space, app: App, configured: ServiceBroker, settle: Callable[[Any], Any], amazon: Amazon
) -> None:
    plan = Plan.objects.select_related("offering__broker").get(offering__name="aws-s3-bucket")
    made, _job = instances.create(alice, space, name="files", plan=plan)
    bucket = settle(made)
    assert bucket.operation_state == "succeeded", bucket.operation_description
    binding = settle(bindings.create(alice, bucket, app=app, parameters={"allow_external_access": True}))
    client = amazon.client("s3", **binding.credentials)
    client.put_object(Bucket=binding.credentials["bucket_name"], Key="hello", Body=b"there")
    assert compare_one(configured) == []
    bindings.delete(alice, binding)
    instances.delete(alice, bucket)
    failed = settle(bucket)
    assert "not empty" in failed.operation_description
    amazon.client("s3").delete_object(Bucket=binding.credentials["bucket_name"], Key="hello")
    instances.delete(alice, failed)
    assert settle(failed) is None


@pytest.mark.parametrize("line", ["monthly_gbp = 4.34\n", 'title = "Amazon S3 bucket"\n'])
def test_a_file_that_lacks_something_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    (tmp_path / "amazon.toml").write_text(FILE.read_text().replace(line, "", 1))
    with pytest.raises(PlansWrong, match="aws-s3-bucket"):
        plans.read(tmp_path / "amazon.toml")
