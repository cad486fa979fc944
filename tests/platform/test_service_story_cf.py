"""A database's whole life with the unmodified `cf`: made, bound, backed up, lost a table, restored, swapped, deleted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.platform.client import Client, wait_until
from tests.platform.story_app import notes
from tests.platform.test_cf import Terminal, cf, folder, place  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.skipif(shutil.which("cf") is None, reason="the cf command line is not on the PATH"),
    pytest.mark.timeout(600),
]


def backups(cf: Terminal, guid: str) -> list[Any]:  # noqa: F811
    return list(json.loads(cf("curl", f"/v3/service_instances/{guid}/backups"))["resources"])


def test_a_table_that_was_dropped_comes_back_by_the_command_line(
    cf: Terminal, alice: Client, name: str, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    wait_until(lambda: "tiny-15" in cf("marketplace", "-e", "postgres"), "the platform's own services to be offered")
    cf("create-service", "postgres", "tiny-15", "records", "--wait")
    records = cf("service", "records", "--guid").strip()
    source = folder(tmp_path / "source", notes())
    cf("push", name, "-p", str(source), "-m", "128M", "--no-start")
    cf("bind-service", name, "records", "--wait")
    cf("start", name)

    def asked(path: str, text: str | None = None) -> tuple[int, str]:
        answer = alice.fetch(name, path, method="GET" if text is None else "POST", data=text)
        return answer.status_code, answer.text

    assert asked("/notes", "before the backup") == (200, "1")
    before = len(backups(cf, records))
    cf("curl", "-X", "POST", f"/v3/service_instances/{records}/backups")
    wait_until(lambda: len(backups(cf, records)) > before, "the backup")
    assert asked("/notes", "after the backup") == (200, "2")
    _, moment = asked("/now")
    assert asked("/drop", "")[0] == 200
    assert asked("/notes")[0] == 503 and 'relation "notes" does not exist' in asked("/notes")[1]

    wanted = {"restore_from_point_in_time_of": records, "restore_from_point_in_time_before": moment}
    cf("create-service", "postgres", "tiny-15", "restored", "-c", json.dumps(wanted), "--wait")
    assert "create succeeded" in cf("service", "restored")
    cf("bind-service", name, "restored", "--wait")
    cf("unbind-service", name, "records", "--wait")
    cf("restart", name, "--strategy", "rolling")
    assert asked("/notes") == (200, "before the backup\nafter the backup")
    assert asked("/host")[1].startswith(cf("service", "restored", "--guid").strip())
    assert asked("/notes", "in the restored")[0] == 200

    assert "OK" in cf("delete-service", "records", "-f", "--wait")
    kept = json.loads(cf("curl", f"/v3/service_backup_repositories/{records}"))
    assert kept["name"] == "records"  # what it held can be brought back
    assert asked("/notes")[1].endswith("in the restored")
    cf("delete", name, "-f", "-r")
    cf("delete-service", "restored", "-f", "--wait")
    assert "No service" in cf("services")
