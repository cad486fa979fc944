"""Static sites, built and served."""

from __future__ import annotations

import base64

import pytest

from paas.seams.builders.base import BuildFailed
from tests.buildpacks.conftest import Run
from tests.contracts.building import Bench

SITE = {"site/index.html": "<h1>hello</h1>", "site/404.html": "not here", "site/.hidden": "secret", "notes.txt": "ours"}
SITE |= {"site/long.css": "body { color: red }\n" * 200, "site/files/one.txt": "1", "site/.well-known/x": "known"}


def test_a_lone_page_is_served(bench: Bench, run: Run) -> None:
    request, built = bench.push({"index.html": "<h1>hello</h1>", "manifest.yml": "secret: yes"})
    assert built.process_types == {"web": "$HOME/boot.sh"}
    site = run(request)
    assert site.get().text == "<h1>hello</h1>"
    assert site.get("/manifest.yml").status == 404


def test_the_root_is_served_and_nothing_else(bench: Bench, run: Run) -> None:
    request, _ = bench.push(SITE | {"Staticfile": "root: site\n"})
    site = run(request)
    assert site.get("/").text == "<h1>hello</h1>"
    assert (site.get("/nowhere").status, site.get("/nowhere").text) == (404, "not here")
    assert site.get("/.hidden").status == 404
    assert site.get("/.well-known/x").text == "known"
    for path in ("/notes.txt", "/Staticfile", "/nginx/conf/nginx.conf", "/../notes.txt", "/boot.sh"):
        assert site.get(path).text not in ("ours", "root: site\n"), path
        assert site.get(path).status in (400, 404), path
    assert site.get("/long.css", Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
    assert site.get("/files/").status in (403, 404)


def test_options_are_obeyed(bench: Bench, run: Run) -> None:
    options = "root: site\ndirectory: visible\nhost_dot_files: true\nhttp_strict_transport_security: true\n"
    request, _ = bench.push(SITE | {"Staticfile": options + "status_codes:\n  404: /files/one.txt\n"})
    site = run(request)
    assert "one.txt" in site.get("/files/").text
    assert site.get("/.hidden").text == "secret"
    assert site.get("/nowhere").text == "1"
    assert "max-age" in site.get("/").headers["Strict-Transport-Security"]


def test_pushstate_answers_every_path_with_the_page(bench: Bench, run: Run) -> None:
    request, _ = bench.push(SITE | {"Staticfile": "root: site\npushstate: enabled\n"})
    answer = run(request).get("/any/where")
    assert (answer.status, answer.text) == (200, "<h1>hello</h1>")


def test_https_is_forced_by_what_the_router_says(bench: Bench, run: Run) -> None:
    request, _ = bench.push(SITE | {"Staticfile": "root: site\nforce_https: true\n"})
    site = run(request)
    answer = site.get("/a?b=1", Host="example.test", X_Forwarded_Proto="http")
    assert (answer.status, answer.headers["Location"]) == (301, "https://example.test/a?b=1")
    assert site.get("/", X_Forwarded_Proto="https").status == 200


def test_a_password_is_asked_for(bench: Bench, run: Run) -> None:
    # alice:open-sesame
    accounts = "alice:{SHA}" + base64.b64encode(_sha1(b"open-sesame")).decode() + "\n"
    request, _ = bench.push(SITE | {"Staticfile": "root: site\n", "Staticfile.auth": accounts})
    site = run(request)
    assert site.get("/").status == 401
    login = base64.b64encode(b"alice:open-sesame").decode()
    assert site.get("/", Authorization=f"Basic {login}").status == 200


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("root: nowhere\n", "has no such folder"), ("root: [", "is not YAML"), ("root: ../..\n", "has no such folder")],
)
def test_a_staticfile_that_cannot_be_is_refused(bench: Bench, text: str, sentence: str) -> None:
    with pytest.raises(BuildFailed, match=sentence):
        bench.push(SITE | {"Staticfile": text})


def _sha1(data: bytes) -> bytes:
    import hashlib

    return hashlib.sha1(data, usedforsecurity=False).digest()
