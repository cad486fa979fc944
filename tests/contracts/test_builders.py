"""The builder's contract, in containers and in the fake, and what only a container has to hold to."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound

from apps import stacks
from paas.lib.errors import ServiceUnavailable
from paas.seams.blobs.base import BlobNotFound
from paas.seams.blobs.disk import DiskBlobs
from paas.seams.builders.base import BuildFailed, BuildpackRef
from paas.seams.builders.container import ContainerBuilder
from paas.seams.builders.disk import BuildDisk
from paas.seams.builders.fake import FakeBuilder
from tests.contracts.building import BUILDPACKS, Bench, network, zipped

HELLO = {"Procfile": "web: ./hello\nworker: sleep 60\n", "hello": "#!/bin/sh\necho hello\n"}
PYTHON, NODE, BINARY = (BuildpackRef(f"{name}_buildpack", "builtin", name) for name in ("python", "nodejs", "binary"))


@pytest.fixture(scope="module")
def install() -> Iterator[str]:
    install = f"t{uuid.uuid4().hex[:6]}"
    with network(install):
        yield install


@pytest.fixture
def container(install: str, tmp_path: Path) -> Iterator[Bench]:
    blobs, state = DiskBlobs(root=tmp_path / "blobs"), tmp_path / "state"
    images = {"debian12": stacks.ensure(print)}
    builder = ContainerBuilder(install=install, state=state, blobs=blobs, images=images, buildpacks=BUILDPACKS)
    yield Bench(builder, blobs)
    builder.clean(())


@pytest.fixture(params=["fake", pytest.param("container", marks=pytest.mark.slow)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if request.param == "container":
        return request.getfixturevalue("container")
    blobs = DiskBlobs(root=tmp_path / "blobs")
    return Bench(FakeBuilder(blobs=blobs), blobs)


# The contract


def test_source_becomes_a_droplet_in_the_blob_store(bench: Bench) -> None:
    request, built = bench.push(HELLO)
    stored = bench.blobs.stat(request.droplet_key)
    assert (built.sha256, built.size) == (stored.sha256, stored.size)
    assert built.process_types == {"web": "./hello", "worker": "sleep 60"}


def test_a_droplet_has_cloud_foundrys_layout(bench: Bench) -> None:
    request, _ = bench.push(HELLO)
    files = bench.droplet(request)
    assert files["app/hello"] == HELLO["hello"].encode()
    assert b'"start_command": "./hello"' in files["staging_info.yml"]
    assert {name.split("/")[0] for name in files} <= {"app", "deps", "profile.d", "logs", "tmp", "staging_info.yml"}


def test_steps_and_lines_come_as_the_build_goes(bench: Bench) -> None:
    bench.push({"requirements.txt": "", "Procfile": "web: python app.py"})
    assert bench.story.steps == ["download", "detect", "supply", "finalize", "package"]
    assert bench.story.lines


def test_the_first_buildpack_in_order_that_takes_the_app_is_used(bench: Bench) -> None:
    both = {"requirements.txt": "", "package.json": "{}"}
    for order in ((PYTHON, NODE), (NODE, PYTHON)):
        _, built = bench.push(both, buildpacks=order)
        assert [used.name for used in built.buildpacks] == [order[0].name]
        assert built.buildpacks[0].detect_output


def test_a_buildpack_that_was_asked_for_is_not_asked_whether_it_fits(bench: Bench) -> None:
    _, built = bench.push({"index.html": "hello"}, buildpacks=(BINARY,), detect=False)
    assert [used.name for used in built.buildpacks] == ["binary_buildpack"]
    assert "detect" not in bench.story.steps


def test_several_buildpacks_are_used_in_the_order_asked_for(bench: Bench) -> None:
    source = {"requirements.txt": "", "package.json": "{}", "Procfile": "web: python app.py"}
    _, built = bench.push(source, buildpacks=(NODE, PYTHON), detect=False)
    assert [used.name for used in built.buildpacks] == ["nodejs_buildpack", "python_buildpack"]
    assert bench.story.steps.count("supply") == 2


def test_an_app_of_no_kind_is_told_what_was_looked_for(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as failure:
        bench.push({"readme.md": "hello"})
    assert failure.value.title == "NoAppDetectedError"
    for name in ("requirements.txt", "package.json", "Staticfile", "Procfile"):
        assert name in failure.value.sentence


@pytest.mark.parametrize("text", ["web python app.py\n", "", "- web\n- worker\n", "{"])
def test_a_procfile_that_is_none_is_refused_with_an_example(bench: Bench, text: str) -> None:
    request = bench.request({"requirements.txt": "", "Procfile": text})
    with pytest.raises(BuildFailed, match=r"Procfile is not one.*`web: "):
        bench.build(request)
    with pytest.raises(BlobNotFound):
        bench.blobs.stat(request.droplet_key)


def test_a_procfile_command_may_hold_what_yaml_would_not_take(bench: Bench) -> None:
    _, built = bench.push({"Procfile": 'web: run --header "Accept: all" \'x\n# a comment\n'})
    assert built.process_types == {"web": 'run --header "Accept: all" \'x'}


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "inside/../../outside"])
def test_an_archive_that_would_leave_its_folder_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(BuildFailed, match="leave the app's folder"):
        bench.push({"Procfile": "web: run", name: "gotcha"})


def test_source_that_is_no_longer_there_is_the_builds_failure(bench: Bench) -> None:
    request = bench.request(HELLO)
    bench.blobs.delete(request.source_key)
    with pytest.raises(BuildFailed, match="no longer stored"):
        bench.build(request)


def test_a_build_that_was_cancelled_leaves_no_droplet(bench: Bench) -> None:
    request = bench.request(HELLO)
    with pytest.raises(BuildFailed) as failure:
        bench.build(request, lambda: True)
    assert failure.value.title == "StagingCancelled"
    with pytest.raises(BlobNotFound):
        bench.blobs.stat(request.droplet_key)


def test_a_build_begun_anew_under_the_same_guid_succeeds(bench: Bench) -> None:
    request = bench.request(HELLO)
    assert bench.build(request).process_types == bench.build(request).process_types


def test_a_build_with_packages_leaves_a_cache_that_the_next_takes(bench: Bench) -> None:
    source = {"requirements.txt": "itsdangerous==2.2.0\n", "Procfile": "web: python app.py"}
    request, _ = bench.push(source)
    assert bench.blobs.stat(request.cache_key).size
    bench.push(source)


# The container


@pytest.fixture
def scripts(container: Bench) -> Iterator[object]:
    """Build with a buildpack whose bin/compile is the given script; its output is the story."""

    def build(script: str, *, cancelled: object = lambda: False, **changes: object) -> Bench:
        request = container.request({"app.txt": "hello"}, **_with(container, script) | changes)
        container.build(request, cancelled)  # type: ignore[arg-type]
        return container

    yield build


def _with(bench: Bench, script: str) -> dict[str, object]:
    compile = f"#!/bin/bash\nset -e\n{script}\n"
    files = {"bin/detect": "#!/bin/sh\n", "bin/compile": compile, "bin/release": "#!/bin/sh\necho '{}'\n"}
    bench.blobs.put("buildpacks/own", zipped(files))
    return {"buildpacks": (BuildpackRef("own", "blob", "buildpacks/own"),), "detect": False}


@pytest.mark.slow
def test_a_build_has_no_privileges(scripts) -> None:  # type: ignore[no-untyped-def]
    told = scripts("id; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; touch /x /build/x || true").story
    assert "uid=2000(vcap) gid=2000(vcap)" in told.text
    for fact in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert fact in told.text
    assert told.text.count("Read-only file system") == 2


@pytest.mark.slow
def test_a_build_sees_its_environment_and_nothing_of_the_platform(scripts, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DATABASE_URL", "postgres://the-platforms-own")
    told = scripts("env; ls /var/run/docker.sock /sys/block/* 2>&1 || true", environment={"GREETING": "hello"}).story
    assert "GREETING=hello" in told.text
    assert "the-platforms-own" not in told.text
    assert "CF_STACK=debian12" in told.text
    assert "/sys/block/loop0/" not in told.text
    assert "cannot access '/var/run/docker.sock'" in told.text


@pytest.mark.slow
def test_the_environment_is_not_in_the_containers_description(container: Bench, install: str) -> None:
    seen: list[str] = []

    def look() -> bool:
        for found in docker.from_env().containers.list(filters={"label": f"paas.install={install}"}):
            seen.append(str(found.attrs))
        return bool(seen)

    request = container.request({"app.txt": ""}, environment={"PASSWORD": "hush-hush"}, **_with(container, "sleep 60"))
    with pytest.raises(BuildFailed):
        container.build(request, look)
    assert request.guid in seen[0]
    assert "hush-hush" not in seen[0]


@pytest.mark.slow
def test_a_build_out_of_memory_is_told_so(scripts) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BuildFailed, match="out of memory: it may use 256 MB"):
        scripts("python3 -c 'bytearray(1 << 30)'", memory_mb=256)


@pytest.mark.slow
def test_a_build_with_a_full_disk_is_told_so_and_fills_no_other(scripts, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BuildFailed, match="disk of 300 MB is full"):
        scripts("head -c 500M /dev/zero > $1/big", disk_mb=300)
    with pytest.raises(BuildFailed, match="disk of 300 MB is full"):
        scripts("head -c 500M /dev/zero > /tmp/big", disk_mb=300)
    assert not list((tmp_path / "state" / "builds").iterdir())


@pytest.mark.slow
def test_a_fork_bomb_ends_with_its_build(scripts) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BuildFailed):
        scripts("bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 2; exit 3", memory_mb=512)
    assert scripts("echo alive").story.text.count("alive")


@pytest.mark.slow
def test_a_build_that_takes_too_long_is_ended(scripts) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BuildFailed) as failure:
        scripts("trap '' TERM; sleep 300", timeout=3)
    assert failure.value.title == "StagingTimeExpired"
    assert "3 seconds" in failure.value.sentence


@pytest.mark.slow
def test_a_cancel_kills_what_ignores_signals(scripts, install: str) -> None:  # type: ignore[no-untyped-def]
    began = time.monotonic()
    with pytest.raises(BuildFailed) as failure:
        scripts("trap '' TERM INT; while :; do sleep 1; done", cancelled=lambda: time.monotonic() > began + 2)
    assert failure.value.title == "StagingCancelled"
    assert not docker.from_env().containers.list(all=True, filters={"label": f"paas.install={install}"})


@pytest.mark.slow
def test_lines_are_whole_whatever_pieces_they_come_in(scripts) -> None:  # type: ignore[no-untyped-def]
    told = scripts(
        "printf 'one '; sleep 0.3; printf 'line\\n'; echo wrong >&2; printf '10%%\\r20%%\\rdone\\n'\n"
        "printf 'caf\\xc3'; sleep 0.3; printf '\\xa9\\n'; python3 -c 'print(\"x\" * (5 << 20))'; printf 'no end'"
    ).story
    lines = [line.text for line in told.lines]
    assert {"one line", "done", "café", "no end"} <= set(lines)
    assert next(line.text for line in told.lines if line.stream == "ERR") == "wrong"
    assert max(map(len, lines)) <= 1 << 20
    assert sum(line.count("x") for line in lines) >= 5 << 20


@pytest.mark.slow
def test_a_link_in_place_of_the_droplet_is_not_followed(tmp_path: Path) -> None:
    disk = BuildDisk(tmp_path / "build", size_mb=16)
    disk.make()
    try:
        (disk.path / "out" / "link").symlink_to("/etc/shadow")
        os.mkfifo(disk.path / "out" / "pipe")
        for name in ("link", "pipe", "nothing"):
            with pytest.raises(BuildFailed, match="cannot be read"):
                disk.open_output(name)
    finally:
        disk.remove()
    assert not (tmp_path / "build").exists()


@pytest.mark.slow
def test_a_result_that_an_app_made_up_harms_only_its_own_build(scripts) -> None:  # type: ignore[no-untyped-def]
    message = r"printf '\x1epaas {\"result\": {\"process_types\": 7}}\n\x1epaas nonsense\n\x1epaas [1]\n'"
    assert scripts(message).story.steps[-1] == "package"
    with pytest.raises(BuildFailed):
        scripts(f"{message}; exit 4")


@pytest.mark.slow
def test_a_second_builder_takes_over_what_the_first_left(container: Bench) -> None:
    first = container.request({"app.txt": ""}, **_with(container, "sleep 300"))
    failures: list[Exception] = []

    def wait_for_ever() -> None:
        try:
            container.builder.build(first, lambda event: None, lambda: False)
        except Exception as failure:
            failures.append(failure)

    other = threading.Thread(target=wait_for_ever)
    other.start()
    name = f"paas-{container.builder._install}-build-{first.guid}"  # type: ignore[attr-defined]
    _until(lambda: docker.from_env().containers.get(name).status == "running")
    container.blobs.put("buildpacks/own", zipped({"bin/compile": "#!/bin/sh\necho second\n"}))
    assert container.build(first).size
    other.join(30)
    assert failures and not other.is_alive()
    with pytest.raises(NotFound):
        docker.from_env().containers.get(name)


@pytest.mark.slow
def test_clean_removes_what_is_not_to_be_kept(container: Bench, tmp_path: Path) -> None:
    for guid in ("keep", "drop"):
        (tmp_path / "state" / "builds" / guid).mkdir(parents=True)
    container.builder.clean({"keep"})
    assert [path.name for path in (tmp_path / "state" / "builds").iterdir()] == ["keep"]


@pytest.mark.slow
def test_without_the_installs_network_no_build_begins(container: Bench, tmp_path: Path) -> None:
    images = {"debian12": stacks.image_name()}
    lonely = ContainerBuilder(
        install="tnone", state=tmp_path, blobs=container.blobs, images=images, buildpacks=BUILDPACKS
    )
    with pytest.raises(ServiceUnavailable):
        lonely.build(container.request(HELLO), lambda event: None, lambda: False)


@pytest.mark.slow
def test_a_stack_that_is_not_there_is_named_with_those_that_are(container: Bench) -> None:
    with pytest.raises(BuildFailed, match=r"no stack cflinuxfs4.*debian12"):
        container.push(HELLO, stack="cflinuxfs4")


def _until(true, seconds: int = 30) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if true():
                return
        except NotFound:
            pass
        time.sleep(0.2)
    raise AssertionError(f"It did not come true in {seconds} seconds.")
