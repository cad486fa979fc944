"""What a build or an app can say about itself: its words are written down, and stop no worker."""

from __future__ import annotations

import dataclasses

import pytest

from accounts.models import AuditEvent
from apps.actions import deployment as deployments
from apps.actions import push
from apps.jobs.stage import _outcome
from apps.models import Build, BuildStep, Droplet
from paas.seams.builders.base import BuildFailed, BuildRequest
from paas.seams.builders.failures import Ending, explain
from paas.seams.builders.results import built_from, step_from
from paas.seams.runtimes.seen import how_it_ended

USED = [{"name": "a\0", "version": "\ud800", "detect_output": "", "buildpack_name": ""}]
SAID = {"process_types": {"web": "run"}, "used": USED, "sidecars": []}


def result(**said):
    return built_from({**SAID, **said}, sha256="0" * 64, size=1)


def test_what_a_build_says_can_be_stored(app, alice):
    sidecars = [{"name": "s\0", "command": "\ud800", "process_types": ["web\0"], "memory_mb": 16}]
    built = result(process_types={"web": "run\0 \ud800", "b.2_c-D": ""}, sidecars=sidecars)
    droplet = Droplet.objects.create(app=app, state="STAGED", key="x", **_outcome(built))
    deployments.adopt(alice, app, droplet)
    assert {process.type for process in app.processes.all()} == {"web", "b.2_c-D"}
    assert droplet.process_types["web"] == "run\ufffd \ufffd"


@pytest.mark.parametrize(
    "said",
    [
        {"process_types": {"a/b": "run"}},
        {"process_types": {"": "run"}},
        {"process_types": {"web\n": "run"}},
        {"process_types": {"x" * 256: "run"}},
        {"process_types": {f"w{number}": "run" for number in range(101)}},
        {"process_types": [1]},
        {"sidecars": [{"name": "x" * 256, "command": "run", "process_types": []}]},
        {"sidecars": [{"name": "", "command": "run", "process_types": []}]},
        {"sidecars": [{"name": "s", "command": "run", "process_types": [], "memory_mb": 2**31}]},
        {"sidecars": [{"name": "s", "command": "run", "process_types": [], "memory_mb": -1}]},
    ],
)
def test_a_result_that_fits_nowhere_is_a_failed_build(said):
    with pytest.raises(BuildFailed):
        result(**said)


def test_a_build_that_ends_badly_says_so_whatever_it_wrote(alice, app):
    request = BuildRequest("g", "a", "s", "d", "c", "debian12", (), True, {})
    ending = Ending(1, False, False, "step", ["fine", "error: \0 \ud800 is no text"], {})
    said = dataclasses.replace(ending, said={"title": "T\0" * 100, "sentence": "\ud800\0"})
    step = step_from({"step": {"name": "supply", "title": "\0\ud800"}})
    package = push.create_package(alice, app, source_url="https://git.example/app.git")
    build = push.stage(alice, package)
    BuildStep.objects.create(build=build, name=step.name, title=step.title, started_at=build.created_at)
    for failure in (explain(ending, request), explain(said, request)):
        Build.objects.filter(pk=build.pk).update(error=failure.sentence, error_title=failure.title)
        push.fail(build, failure.sentence)


def test_an_app_that_ends_badly_is_recorded_whatever_it_wrote(app):
    end = how_it_ended({"status": 1, "reason": "exited", "at": 10**18, "last_lines": ["\0 binary", "\ud800"]})
    AuditEvent.objects.create(
        type="app.crash", actor_guid="", actor_type="system", actor_name="", target_guid=app.guid, target_type="app",
        target_name=app.name, data={"last_lines": list(end.last_lines)},
    )  # fmt: skip
    assert end.last_lines == ("\ufffd binary", "\ufffd")
