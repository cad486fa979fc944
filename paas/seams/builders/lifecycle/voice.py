"""How a build speaks to the builder outside: lines as they are, and messages on lines of their own."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

MARK = "\x1epaas "

# Cloud Foundry's exit statuses of staging.
DETECT, COMPILE, RELEASE, SUPPLY, FINALIZE = 222, 223, 224, 225, 226
OTHER = 1


class Refused(Exception):
    """The build cannot go on; ``sentence`` is for the person who pushed, "" where the output says it better."""

    def __init__(self, status: int, title: str, sentence: str = "") -> None:
        self.status, self.title, self.sentence = status, title, sentence
        super().__init__(sentence)


def step(name: str, title: str) -> None:
    _message(step={"name": name, "title": title})


def failure(refused: Refused) -> None:
    _message(failure={"title": refused.title, "sentence": refused.sentence})


def result(**facts: Any) -> None:
    _message(result=facts)


def say(text: str) -> None:
    _write(sys.stdout, text)


def warn(text: str) -> None:
    _write(sys.stderr, text)


def _message(**content: Any) -> None:
    _write(sys.stdout, MARK + json.dumps(content))


def _write(stream: TextIO, text: str) -> None:
    # As others wrote it: a name of a file may be no text at all.
    stream.write(text.encode(errors="replace").decode() + "\n")
    stream.flush()
