"""Screens of every app page at two widths, with axe."""
import os
from datetime import timedelta
from typing import Any
import pytest
from django.utils import timezone
from accounts import audit
from accounts.models import User
from apps import outside
from apps.actions import app as apps, destination, push, route
from apps.models import *
from paas.seams.runtimes.base import LogLine
from tests.console.conftest import *
from tests.apps.conftest import app, converge, droplet, make_droplet, recorded, running, runtime

pytestmark = pytest.mark.django_db(transaction=True)

def test_all(visit, faults, alice, bob, running, runtime, space, system, make_droplet, converge):
    Buildpack.objects.create(name="python_buildpack", builtin="python", state="READY")
    Buildpack.objects.create(name="nodejs_buildpack", builtin="nodejs", state="READY", position=2)
    domain = Domain.objects.create(name="apps.localhost")
    region = space.region; region.watched_at = timezone.now(); region.save()
    r1 = route.create(alice, space, domain=domain, host="site"); destination.add(alice, r1, ends=[destination.End(running)])
    r2 = route.create(alice, space, domain=domain, host="site", path="/documentation"); destination.add(alice, r2, ends=[destination.End(running)])
    r3 = route.create(alice, space, domain=domain, host="a-reserved-name-that-is-quite-long-for-a-host")
    other = apps.create(alice, space, name="a-second-app-with-a-rather-long-name-of-its-own")
    third = apps.create(alice, space, name="worker")
    destination.add(alice, r2, ends=[destination.End(other)])
    Process.objects.filter(app=running, type="web").update(instances=2)
    running.wish(); converge(running)
    apps.set_environment(alice, running, variables={"DATABASE_URL": "postgresql://u:p@host/x" + "y" * 90, "MODE": "fast"})
    converge(apps.restart(alice, App.objects.get(pk=running.pk)))
    apps.set_environment(alice, running, variables={"MODE": "slow"})
    audit.record(system, "app.crash", running, index=0, reason="CRASHED", exit_status=137, exit_description="out of memory", process_type="web", last_lines=["Traceback (most recent call last):", '  File "/home/vcap/app/app.py", line 12, in <module>', "MemoryError " + "x" * 150])
    Droplet.objects.filter(app=running).update(buildpacks=[{"name": "python_buildpack", "version": "1.0", "detect_output": "", "buildpack_name": ""}])
    lines = []
    for n in range(60):
        lines += [LogLine(0, "APP/PROC/WEB", str(n % 2), "OUT", f"\x1b[32mINFO\x1b[0m request {n} handled in \x1b[1m{n*3} ms\x1b[0m"), LogLine(0, "RTR", "0", "OUT", f'site.apps.localhost - "GET /page/{n} HTTP/1.1" 200 0 1234 "Mozilla/5.0 (X11; Linux x86_64)" x_forwarded_for:"10.0.0.{n}"')]
    lines += [LogLine(0, "APP/PROC/WEB", "1", "ERR", "\x1b[31mERROR something is wrong\x1b[0m"), LogLine(0, "CELL", "0", "OUT", "Revision 2 is live")]
    runtime.write_log(running.guid, lines)
    at = runtime.read_log(running.guid)[30].at
    pk = push.create_package(alice, running, source_url="https://example.org/team/app.git", source_ref="main")
    live = push.stage(alice, pk, deploys=True)
    now = timezone.now()
    def steps(b, *, fail=False):
        Build.objects.filter(pk=b.pk).update(started_at=now - timedelta(seconds=40))
        BuildStep.objects.create(build=b, name="download", title="Fetch source and cache", started_at=now - timedelta(seconds=40), ended_at=now - timedelta(seconds=38))
        BuildStep.objects.create(build=b, name="detect", title="Find out what kind of app it is", started_at=now - timedelta(seconds=38), ended_at=now - timedelta(seconds=37))
        BuildStep.objects.create(build=b, name="supply", title="Supply with python_buildpack", started_at=now - timedelta(seconds=37), ended_at=now if fail else None, failed=fail)
        runtime.write_log(b.guid, [LogLine(0, "STG", "0", "OUT", "\x1b[1m-----> Python\x1b[0m 3.11.2"), LogLine(0, "STG", "0", "OUT", "       Collecting flask==3.0")] + ([LogLine(0, "STG", "0", "ERR", "\x1b[31mERROR: No matching distribution found for flaask\x1b[0m")] if fail else []))
    steps(live)
    bad = Build.objects.create(app=running, package=pk, state="FAILED", created_by=alice, ended_at=now, error_title="BuildpackCompileFailed", error="BuildpackCompileFailed - pip found no package flaask. The name or the version may be misspelt, or no version fits the stack's Python: correct it in requirements.txt and push again.\nThe last lines:\nERROR: Could not find a version that satisfies the requirement flaask\nERROR: No matching distribution found for flaask")
    steps(bad, fail=True)
    ok = Build.objects.create(app=running, package=pk, state="STAGED", created_by=alice, ended_at=now, droplet=running.droplet, deploys=True)
    steps(ok)
    BuildStep.objects.filter(build=ok).update(ended_at=now)
    g = running.guid
    pages = {
        "space": f"/spaces/{space.guid}", "routes": f"/spaces/{space.guid}/routes", "route": f"/routes/{r2.guid}", "route-delete": f"/routes/{r2.guid}/delete",
        "new": f"/spaces/{space.guid}/new", "new-git": f"/spaces/{space.guid}/new/git", "new-cf": f"/spaces/{space.guid}/new/cf",
        "app": f"/apps/{g}", "app-new": f"/apps/{third.guid}", "push": f"/apps/{g}/push", "builds": f"/apps/{g}/builds", "build-live": f"/builds/{live.guid}", "build-bad": f"/builds/{bad.guid}", "build-ok": f"/builds/{ok.guid}",
        "logs": f"/apps/{g}/logs", "logs-at": f"/apps/{g}/logs?at={at}#{at}", "events": f"/apps/{g}/events", "app-routes": f"/apps/{g}/routes", "environment": f"/apps/{g}/environment",
        "revisions": f"/apps/{g}/revisions", "rollback": f"/apps/{g}/revisions/1/deploy", "settings": f"/apps/{g}/settings", "delete": f"/apps/{g}/delete", "search": "/search?q=site",
    }
    only = os.environ.get("ONLY", "").split(",") if os.environ.get("ONLY") else list(pages)
    bad_pages = []
    for name in only:
        for width in (1200, 360):
            page = visit(pages[name], alice, width=width)
            page.wait_for_timeout(300)
            page.screenshot(path=f"/tmp/shots/{name}-{width}.png", full_page=True)
            wrong = faults(page)
            size = page.evaluate("performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).reduce((s,e)=>s+e.encodedBodySize,0)")
            print(name, width, size, wrong)
            page.context.close()
