"""Cleaning takes away what was made, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from paas.host import clean, doctor, stop
from paas.host.install import load_or_create, write_private
from paas.host.settings import CHECKOUT
from paas.host.shell import HostError


def test_mounts_are_found_by_where_they_are(tmp_path: Path):
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/loop1 /srv/paas/disks/b ext4 rw 0 0\n"
        "/dev/loop0 /srv/paas/disks/a\\040b ext4 rw 0 0\n"
        "/dev/vda / ext4 rw 0 0\n"
        "/dev/vda /srv/paas ext4 rw 0 0\n"
        "/dev/loop9 /srv/paas-other/disks/c ext4 rw 0 0\n"
    )
    assert stop.mounts_under(Path("/srv/paas"), table) == ["/srv/paas/disks/a b", "/srv/paas/disks/b"]


def test_cleaning_asks_and_scripts_have_to_say_yes(tmp_path: Path):
    load_or_create(tmp_path)
    with pytest.raises(HostError, match="YES=1"):
        clean.clean({"PAAS_STATE": str(tmp_path)})
    assert (tmp_path / "install.json").exists()


def test_a_folder_without_an_install_is_left_alone(tmp_path: Path):
    (tmp_path / "precious").write_text("x")
    assert clean.clean({"PAAS_STATE": str(tmp_path), "YES": "1"}) == 0
    assert (tmp_path / "precious").exists()


def test_the_doctor_knows_what_the_operator_said_from_what_we_chose(tmp_path: Path):
    install = load_or_create(tmp_path)
    lines = (
        "# a comment",
        "PAAS_PORT=9000",
        f"PAAS_SUBNET={install.subnet}",
        f"DATABASE_URL=postgresql://a:b@127.0.0.1:{install.postgres_port}/paas",
        "REDIS_URL=redis://elsewhere:6379/0",
    )
    write_private(tmp_path / "env", "\n".join(lines))
    assert doctor.last_settings(tmp_path / "env", install) == {
        "PAAS_PORT": "9000",
        "REDIS_URL": "redis://elsewhere:6379/0",
    }


def test_this_room_stands_alone():
    """It runs before anything is installed: the standard library, itself, and ``apps.stacks``."""
    import ast
    import sys

    allowed = sys.stdlib_module_names | {"apps"}
    for file in (CHECKOUT / "paas" / "host").glob("*.py"):
        if file.name == "router.py":  # runs in the virtual environment
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
                assert node.module != "apps" or [alias.name for alias in node.names] == ["stacks"]
            assert {name.partition(".")[0] for name in names} <= allowed, f"{file.name} imports {names}"
