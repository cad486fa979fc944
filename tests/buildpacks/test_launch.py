"""Apps that say themselves how they start, and what the launcher gives them."""

from __future__ import annotations

import json

from paas.seams.builders.base import BuildpackRef
from tests.buildpacks.conftest import Run
from tests.contracts.building import Bench, zipped

SERVE = "#!/bin/sh\nexec python3 -m http.server $PORT\n"
PROFILE = {
    ".profile.d/b.sh": 'export ORDER="$ORDER app"\n',
    ".profile": 'export ORDER="$ORDER profile"\n',
}


def test_a_procfile_starts_the_app(bench: Bench, run: Run) -> None:
    request, built = bench.push({"Procfile": "web: ./serve\n", "serve": SERVE})
    assert built.process_types == {"web": "./serve"}
    assert run(request).get().status == 200


def test_a_program_from_an_archive_without_modes_can_be_run(bench: Bench, run: Run) -> None:
    request, _ = bench.push({"Procfile": "web: ./serve\n", "serve": b"\n" + SERVE.encode()})
    assert "Made serve executable" in bench.story.text
    assert run(request).get().status == 200


def test_profile_scripts_run_in_order_before_the_command(bench: Bench, run: Run) -> None:
    _buildpack(bench, "echo 'export ORDER=buildpack' > $5/a.sh")
    own = (BuildpackRef("own", "blob", "buildpacks/own"),)
    request, _ = bench.push({"Procfile": "web: echo order=$ORDER", **PROFILE}, buildpacks=own, detect=False)
    app = run(request)
    assert app.ended() == 0
    assert "order=buildpack app profile" in app.output


def test_the_environment_is_cloud_foundrys(bench: Bench, run: Run) -> None:
    request, _ = bench.push({"Procfile": "web: env; pwd"})
    services = {
        "db": [{"credentials": {"uri": "http://no.database"}}, {"credentials": {"uri": "postgresql://u:p@db/x"}}]
    }
    app = run(
        request,
        VCAP_APPLICATION='{"name": "hello"}',
        VCAP_SERVICES=json.dumps(services),
        DATABASE_URL="sqlite://",
        CF_INSTANCE_INDEX="3",
        CF_INSTANCE_GUID="abc",
    )
    assert app.ended() == 0
    lines = app.output.splitlines()
    for line in (
        "HOME=/home/vcap/app",
        "TMPDIR=/home/vcap/tmp",
        "DEPS_DIR=/home/vcap/deps",
        "USER=vcap",
        "/home/vcap/app",
    ):
        assert line in lines
    assert "DATABASE_URL=postgres://u:p@db/x" in lines
    facts = json.loads(next(line for line in lines if line.startswith("VCAP_APPLICATION=")).partition("=")[2])
    assert facts == {"name": "hello", "host": "0.0.0.0", "instance_index": 3, "instance_id": "abc", "port": 8080}


def test_a_stop_reaches_the_app_itself(bench: Bench, run: Run) -> None:
    request, _ = bench.push({"Procfile": "web: python3 app.py", "app.py": STOPS})
    app = run(request)
    assert app.get().status == 200
    app.container.stop(timeout=30)
    assert app.ended() == 0
    assert "goodbye" in app.output


def test_launch_yml_replaces_release_and_procfile_goes_before_both(bench: Bench) -> None:
    launch = {"processes": [{"type": "web", "command": "launched"}, {"type": "clock", "command": "tick"}]}
    side = {
        "type": "proxy",
        "command": "serve",
        "limits": {"memory": 64},
        "platforms": {"cloudfoundry": {"sidecar_for": ["web"]}},
    }
    launch["processes"].append(side)
    _buildpack(bench, f"echo '{json.dumps(launch)}' > $3/$4/launch.yml")
    own = (BuildpackRef("own", "blob", "buildpacks/own"),)
    _, built = bench.push({"Procfile": "clock: tock\n"}, buildpacks=own, detect=False)
    assert built.process_types == {"web": "launched", "clock": "tock"}
    assert [(side.name, side.process_types, side.memory_mb) for side in built.sidecars] == [("proxy", ("web",), 64)]


def _buildpack(bench: Bench, finalize: str) -> None:
    release = "#!/bin/sh\necho 'default_process_types: {web: released, old: gone}'\n"
    files = {"bin/detect": "#!/bin/sh\n", "bin/finalize": f"#!/bin/bash\nset -e\n{finalize}\n", "bin/release": release}
    bench.blobs.put("buildpacks/own", zipped(files))


STOPS = """
import http.server, os, signal, sys

def stop(number, frame):
    print("goodbye", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
http.server.HTTPServer(("", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
