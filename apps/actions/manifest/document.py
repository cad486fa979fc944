"""Reads manifests from YAML, where a document can do no harm, and writes them."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]

from paas.lib.errors import MessageParseError, Unprocessable
from paas.lib.text import is_storable

MOST_BYTES = 256 * 1024
MOST_NODES = 50_000  # with everything that aliases and merges stand for written out
LONGEST_NUMBER = 64


class Loader(yaml.SafeLoader):
    """YAML without dates: a version or a day in an environment variable stays the text that it is."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: bytes) -> list[Any]:
    """Return the applications of a manifest; raise ``MessageParseError`` for what is no YAML of a sane size."""
    document = parsed(text)
    version = document.get("version", 1) if isinstance(document, dict) else 1
    if version != 1 or isinstance(version, bool):
        raise Unprocessable("Unsupported manifest schema version. Currently supported versions: [1].")
    applications = document.get("applications") if isinstance(document, dict) else None
    if not isinstance(applications, list) or not applications:
        raise Unprocessable("Cannot parse manifest with no 'applications' field.")
    return applications


def write(applications: list[dict[str, Any]]) -> str:
    return yaml.safe_dump({"applications": applications}, sort_keys=False, explicit_start=True, allow_unicode=True)


def parsed(text: bytes) -> Any:
    """Return what the YAML stands for; raise ``MessageParseError`` where it is none, or too large with all aliases written out."""
    if len(text) > MOST_BYTES:
        raise _refused(f"the manifest is larger than {MOST_BYTES // 1024} KB")
    loader = Loader(text.decode("utf-8", "replace"))
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_NODES:
            raise _refused("the manifest's aliases make it too large")
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise _refused(
            f"the manifest is not valid YAML{where}: {getattr(error, 'problem', '') or 'unreadable'}"
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused("the manifest is not valid YAML") from error
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the nodes below this one, each alias for all that it stands for; an alias of itself is refused."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise _refused("an alias of the manifest contains itself")
        return known[id(node)]
    known[id(node)] = 0
    if isinstance(node, yaml.ScalarNode):
        if node.tag == "tag:yaml.org,2002:int" and len(node.value) > LONGEST_NUMBER:
            raise _refused("the manifest has a number in it that is too long")
        if not is_storable(node.value):
            raise _refused("the manifest has a null byte or half a character in it")
        below: list[yaml.Node] = []
    elif isinstance(node, yaml.MappingNode):
        below = [part for pair in node.value for part in pair]
    else:
        below = list(node.value)
    known[id(node)] = 1 + sum(_size(part, known) for part in below)
    return known[id(node)]


def _refused(why: str) -> MessageParseError:
    return MessageParseError(f"Request invalid due to parse error: {why}")
