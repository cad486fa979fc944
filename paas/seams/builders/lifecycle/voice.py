"""How a build speaks to the builder outside: lines as they are, and messages on lines of their own."""

from __future__ import annotations

import json
import sys
from typing import Any

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
    print(text, flush=True)


def warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _message(**content: Any) -> None:
    print(MARK + json.dumps(content), flush=True)
