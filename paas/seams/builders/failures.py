"""Says why a build failed: what happened, the likely cause, the next step, and the lines that matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paas.lib.text import storable
from paas.seams.builders.base import BuildFailed, BuildRequest

TITLES = {222: "NoAppDetectedError", 223: "BuildpackCompileFailed", 224: "BuildpackReleaseFailed"}
TITLES |= {225: "BuildpackCompileFailed", 226: "BuildpackCompileFailed"}
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SHOWN = 6  # lines
LONGEST_TITLE = 64  # characters

# What programs say, and what it means. The first that is found counts, so the particular comes before the general.
CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|ENOSPC|Disk quota exceeded",
        "The build's disk of {disk} MB is full. Leave large files out of the push (.cfignore), or depend on less.",
    ),
    (
        r"No matching distribution found for (?P<a>\S+)",
        "pip found no package {a}. The name or the version may be misspelt, or no version fits the stack's Python: "
        "correct it in requirements.txt and push again.",
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        "A package is not the one that its hash in requirements.txt promises. Make the hashes anew and push again.",
    ),
    (
        r"Because (?P<a>\S+) was not found in the package registry|there is no version of (?P<b>\S+)",
        "uv found no package {a}. Correct its name or version in pyproject.toml and push again.",
    ),
    (
        r"lockfile at `uv\.lock` needs to be updated",
        "uv.lock does not fit pyproject.toml. Run `uv lock`, and push with the new uv.lock.",
    ),
    (
        r"ResolutionImpossible|conflicting dependencies|No solution found when resolving",
        "The app's requirements contradict each other. Loosen the versions named below and push again.",
    ),
    (
        r"Failed (?:building wheel|to build) (?:for )?(?P<a>\S+)|Could not build wheels for (?P<b>[^,]+),",
        "The package {a} has no ready-made wheel for this stack, and building it from source failed. "
        "Use a version that has one, or leave it out.",
    ),
    (
        r"Invalid requirement: (?P<a>.+)|Could not open requirements file: (?P<b>.+)",
        "requirements.txt holds something that pip cannot read: {a}. Correct that line and push again.",
    ),
    (
        r"ModuleNotFoundError: No module named '(?P<a>[^']+)'",
        "The Python module {a} is not installed. Add its package to requirements.txt (or Pipfile, pyproject.toml).",
    ),
    (
        r"npm (?:ERR!|error) (?:code )?E404|is not in (?:this|the npm) registry",
        "npm found no such package or version. Correct the name in package.json and push again.",
    ),
    (
        r"npm (?:ERR!|error) code ETARGET",
        "npm found the package, but not the version. Correct the version in package.json and push again.",
    ),
    (
        r"npm (?:ERR!|error) code EUSAGE|can only install packages when your package\.json and package-lock\.json",
        "package-lock.json does not fit package.json. Run `npm install`, and push with the new package-lock.json.",
    ),
    (
        r"npm (?:ERR!|error) code ERESOLVE",
        "The app's npm packages contradict each other. Align the versions in package.json and push again.",
    ),
    (
        r"(?:npm (?:ERR!|error)|error) .*EBADENGINE|The engine \"node\" is incompatible",
        'A package does not run on this version of Node.js. Ask for another in package.json under "engines".',
    ),
    (
        r"Your lockfile needs to be updated|lockfile would have been modified",
        "yarn.lock does not fit package.json. Run `yarn install`, and push with the new yarn.lock.",
    ),
    (
        r"Cannot find module '(?P<a>[^']+)'",
        "The Node.js module {a} is not installed. Add it to the dependencies in package.json.",
    ),
    (
        r"EJSONPARSE|JSON\.parse Failed to parse|Unexpected token .* in JSON",
        "A JSON file of the app cannot be read, most likely package.json. Correct it and push again.",
    ),
    (
        r"Temporary failure in name resolution|Could not resolve host|ENOTFOUND|EAI_AGAIN|NewConnectionError|ETIMEDOUT"
        r"|Connection timed out|Network is unreachable",
        "The build could not reach the address that it fetches from. If it is a private one, the operator has to allow "
        "it; otherwise try again in a minute.",
    ),
    (
        r"SyntaxError: (?P<a>.+)",
        "A file has a syntax error ({a}). Correct it and push again.",
    ),
    (
        r"MemoryError|JavaScript heap out of memory|Cannot allocate memory",
        "The build ran out of memory: it may use {memory} MB. Depend on less, or build fewer things at a time.",
    ),
)
TELLING = re.compile(r"error|ERR!|fail|not found|cannot|unable|denied|missing|invalid|conflict", re.IGNORECASE)


@dataclass(frozen=True)
class Ending:
    """How a build container ended."""

    status: int
    out_of_memory: bool
    disk_full: bool
    step: str  # the title of the last step
    last_lines: Sequence[str]
    said: dict[str, Any]  # the runner's own failure, {} where it had none


def explain(ending: Ending, request: BuildRequest) -> BuildFailed:
    """Return the failure to raise; the container's own facts go before what a program said of them."""
    lines = [storable(COLOUR.sub("", line)).rstrip() for line in ending.last_lines]
    lines = [line for line in lines if line.strip()]
    if ending.out_of_memory:
        return BuildFailed(
            "StagingError",
            f"The build ran out of memory: it may use {request.memory_mb} MB. Depend on less, build fewer things at a "
            f"time, or ask the platform team for more.{_quote(lines[-SHOWN:])}",
        )
    title = storable(str(ending.said.get("title") or TITLES.get(ending.status, "StagingError")))[:LONGEST_TITLE]
    if ending.disk_full:
        return BuildFailed("StagingError", _fill(CAUSES[0][1], "", request=request) + _quote(_telling(lines)))
    if sentence := storable(str(ending.said.get("sentence") or "")):
        return BuildFailed(title, sentence)
    if complaints := [line.partition("**ERROR**")[2].strip() for line in lines if "**ERROR**" in line]:
        return BuildFailed(title, " ".join(complaints))
    if cause := _cause(lines, request):
        return BuildFailed(title, cause + _quote(_telling(lines)))
    return BuildFailed(
        title,
        f"The step “{ending.step}” ended with status {ending.status}. The log of the build says why; correct it and "
        f"push again.{_quote(lines[-SHOWN:])}",
    )


def _cause(lines: Sequence[str], request: BuildRequest) -> str:
    text = "\n".join(lines)
    for pattern, sentence in CAUSES:
        if found := re.search(pattern, text):
            named = next((group for group in found.groups() if group), "")
            return _fill(sentence, named, request=request)
    return ""


def _fill(sentence: str, named: str, *, request: BuildRequest) -> str:
    return sentence.format(a=named.strip(), disk=request.disk_mb, memory=request.memory_mb)


def _telling(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines that speak of the failure, or else simply the last."""
    return [line for line in lines if TELLING.search(line)][-SHOWN:] or lines[-SHOWN:]


def _quote(lines: Sequence[str]) -> str:
    return "\nThe last lines:\n" + "\n".join(line[:300] for line in lines) if lines else ""
