"""Node.js apps, built and run."""

from __future__ import annotations

import json

import pytest

from paas.seams.builders.base import BuildFailed
from tests.buildpacks.conftest import Lock, Run
from tests.contracts.building import Bench

SERVER = "require('http').createServer((q, s) => s.end(%s)).listen(process.env.PORT)\n"
NPM_LOCK = "npm install --package-lock-only --omit-lockfile-registry-resolved"


def package(**fields: object) -> str:
    return json.dumps({"name": "hello", "version": "1.0.0", **fields})


def test_an_app_without_packages_answers(bench: Bench, run: Run) -> None:
    request, built = bench.push({"package.json": package(), "server.js": SERVER % "'hello from node'"})
    assert built.process_types == {"web": "npm start"}
    assert run(request).get().text == "hello from node"


def test_packages_are_installed_by_npm(bench: Bench, run: Run) -> None:
    request, _ = bench.push(
        {
            "package.json": package(dependencies={"ms": "^2.1.0"}, scripts={"start": "node main.js"}),
            "main.js": SERVER % "require('ms')(60000)",
        }
    )
    assert run(request).get().text == "1m"


def test_the_build_script_has_what_it_needs_and_the_app_only_what_it_runs_on(
    bench: Bench, run: Run, lock: Lock
) -> None:
    build = "node -e \"require('fs').writeFileSync('built', require('ms')('1m') + require('escape-html')('<'))\""
    manifest = package(dependencies={"ms": "2"}, devDependencies={"escape-html": "1"}, scripts={"build": build})
    source = lock({"package.json": manifest, "server.js": SERVER % "require('fs').readFileSync('built')"}, NPM_LOCK)
    for said in ("Installing packages with npm", "Reusing the packages"):
        request, _ = bench.push(source)
        assert said in bench.story.text
        assert run(request).get().text == "60000&lt;"
        names = bench.droplet(request)
        assert any("node_modules/ms/" in name for name in names)
        assert not any("node_modules/escape-html/" in name for name in names)


def test_yarn_installs_what_its_lock_says(bench: Bench, run: Run, lock: Lock) -> None:
    source = lock(
        {"package.json": package(dependencies={"ms": "2"}), "server.js": SERVER % "require('ms')(1000)"}, "yarn install"
    )
    request, _ = bench.push(source)
    assert "with Yarn" in bench.story.text
    assert run(request).get().text == "1s"


def test_the_node_asked_for_is_the_one_that_runs(bench: Bench, run: Run) -> None:
    source = {"package.json": package(engines={"node": "20.x"}), "server.js": SERVER % "process.version"}
    request, built = bench.push(source)
    assert built.buildpacks[0].version.startswith("20.")
    assert run(request).get().text.startswith("v20.")


def test_a_node_that_nobody_has_is_refused_with_those_that_there_are(bench: Bench) -> None:
    with pytest.raises(BuildFailed, match=r"asks for Node.js 99.x.*There are: .*20\.x, 22\.x"):
        bench.push({"package.json": package(engines={"node": "99.x"})})


def test_a_package_that_is_not_there_is_told_with_npms_last_lines(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as failure:
        bench.push({"package.json": package(dependencies={"a-package-that-nobody-made-yet": "1"})})
    assert "npm found no such package" in failure.value.sentence
    assert "a-package-that-nobody-made-yet" in failure.value.sentence


def test_a_lock_that_does_not_fit_is_told(bench: Bench, lock: Lock) -> None:
    source = lock({"package.json": package(dependencies={"ms": "2"})}, NPM_LOCK)
    changed = source | {"package.json": package(dependencies={"escape-html": "1"}).encode()}
    with pytest.raises(BuildFailed, match=r"package-lock\.json does not fit package\.json"):
        bench.push(changed)


def test_a_package_json_that_is_none_is_refused(bench: Bench) -> None:
    with pytest.raises(BuildFailed, match=r"package\.json is not JSON"):
        bench.push({"package.json": "{"})


def test_a_build_script_that_fails_ends_the_build(bench: Bench) -> None:
    source = {"package.json": package(scripts={"build": "node -e \"require('no-such-module')\""})}
    with pytest.raises(BuildFailed, match="module no-such-module is not installed"):
        bench.push(source)
