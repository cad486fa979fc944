"""Lists ask the database the same number of questions whatever there is to tell."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.models import App, Deployment, Droplet, Process, Revision, Sidecar, Task


@pytest.fixture
def populate(space):
    """Make so many more apps, each with a droplet, two processes, a sidecar, a version that serves and a task."""

    def make(start, count):
        apps = App.objects.bulk_create(
            App(space=space, name=f"app-{number}", state="STARTED") for number in range(start, start + count)
        )
        droplets = Droplet.objects.bulk_create(
            Droplet(app=app, state="STAGED", process_types={"web": "run"}) for app in apps
        )
        Process.objects.bulk_create(
            Process(app=app, type=type, **({"guid": app.guid} if type == "web" else {}))
            for app in apps
            for type in ("web", "worker")
        )
        Sidecar.objects.bulk_create(Sidecar(app=app, name="s", command="c", process_types=["web"]) for app in apps)
        revisions = Revision.objects.bulk_create(
            Revision(app=app, version=1, droplet=droplet) for app, droplet in zip(apps, droplets, strict=True)
        )
        deployments = Deployment.objects.bulk_create(
            Deployment(app=app, revision=revision, droplet=droplet, previous_droplet=droplet)
            for app, revision, droplet in zip(apps, revisions, droplets, strict=True)
        )
        Task.objects.bulk_create(
            Task(app=app, droplet=droplet, sequence_id=1, name="t", command="c", memory_mb=1, disk_mb=1)
            for app, droplet in zip(apps, droplets, strict=True)
        )
        for app, droplet, deployment in zip(apps, droplets, deployments, strict=True):
            app.droplet, app.target, app.serving = droplet, deployment, deployment
        App.objects.bulk_update(apps, ["droplet", "target", "serving"])

    return make


LISTS = (
    "/v3/apps?order_by=name&include=space,space.organization",
    "/v3/apps?label_selector=!env",
    "/v3/processes?types=web,worker",
    "/v3/deployments?status_values=ACTIVE&order_by=-created_at",
    "/v3/tasks?states=PENDING",
)


def test_ten_or_a_thousand_rows_take_the_same_queries(api, alice, populate):
    client = api(alice)

    def queries(there):
        with CaptureQueriesContext(connection) as seen:
            told = client.get(f"{there}&per_page=5000").json()
        return len(seen), len(told["resources"])

    populate(0, 10)
    few = {there: queries(there) for there in LISTS}
    populate(10, 990)
    many = {there: queries(there) for there in LISTS}
    for there in LISTS:
        rows = 2 if "processes" in there else 1
        assert (few[there][1], many[there][1]) == (10 * rows, 1000 * rows)
        assert few[there][0] == many[there][0] <= 5, there


def test_lists_below_an_app_do_too(api, alice, app, droplet):
    def fill(numbers):
        for model, fields in (
            (Revision, {"droplet": droplet}),
            (Task, {"droplet": droplet, "name": "t", "command": "c", "memory_mb": 1, "disk_mb": 1}),
        ):
            count = "version" if model is Revision else "sequence_id"
            model.objects.bulk_create(model(app=app, **{count: number}, **fields) for number in numbers)
        Sidecar.objects.bulk_create(
            Sidecar(app=app, name=str(number), command="c", process_types=["web"]) for number in numbers
        )
        Process.objects.bulk_create(Process(app=app, type=f"type-{number}") for number in numbers)

    def queries():
        found = {}
        for name in ("revisions", "tasks", "sidecars", "processes", "processes/web/sidecars"):
            with CaptureQueriesContext(connection) as seen:
                api(alice).get(f"/v3/apps/{app.guid}/{name}?per_page=5000")
            found[name] = len(seen)
        return found

    fill(range(1, 11))
    few = queries()
    fill(range(11, 1001))
    assert queries() == few
