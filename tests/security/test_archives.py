"""Archives that are made to be read for ever."""

from __future__ import annotations

import io
import tarfile

import pytest

from apps import uploads
from apps.models import Droplet
from apps.uploads.tree import Tree
from paas.lib.errors import Unprocessable


def test_links_through_links_are_followed_only_so_far():
    tree, deep = Tree(), "/".join(["d"] * 500)
    for number in range(3000):
        tree.link(f"l{number}", f"{deep}/{'../' * 500}l{number + 1}"[:1024])
        tree.link(f"m{number}", f"l{number}/../" * 50 + "x")
    with pytest.raises(Unprocessable, match="through too many others"):
        tree.check()


def test_the_links_of_a_large_app_are_all_right():
    tree = Tree()
    for number in range(20_000):
        tree.file(f"node_modules/package{number}/bin/run.js")
        tree.link(f"node_modules/.bin/run{number}", f"../package{number}/bin/run.js")
    tree.check()


NAMES = [chr(name) for name in range(ord("a"), ord("w"))]
LISTS = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(ord(name) + 1)}: &{chr(ord(name) + 1)} [{','.join([f'*{name}'] * 8)}]\n" for name in NAMES
)
MERGES = "a: &a {x: y}\n" + "".join(
    f"{chr(ord(name) + 1)}: &{chr(ord(name) + 1)} {{<<: [{','.join([f'*{name}'] * 8)}]}}\n" for name in NAMES
)


@pytest.mark.parametrize(
    "info",
    [
        r'{"start_command": "run \0"}',
        r'{"start_command": "\uD800"}',
        LISTS + "start_command: *w\n",
        MERGES,
        "a: [",
    ],
)
def test_a_droplet_that_says_the_impossible_of_itself_is_refused(alice, app, store, info):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        folder = tarfile.TarInfo("./app")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        content = info.encode("latin-1")
        entry = tarfile.TarInfo("./staging_info.yml")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    droplet = Droplet.objects.create(app=app, stack="debian12")
    with pytest.raises(Unprocessable, match="cannot be read"):
        uploads.receive_droplet(alice, droplet, packed)
    droplet.refresh_from_db()
    assert droplet.state == "AWAITING_UPLOAD"
