"""The app that is pushed and built by hand: Flask, with its version in the answer, and who answers."""

from __future__ import annotations

APP = """
import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return "{version} " + os.environ.get("CF_INSTANCE_GUID", os.environ.get("HOSTNAME", ""))


app.run("0.0.0.0", int(os.environ.get("PORT", "8080")))
"""


def files(version: int, *, requirements: int = 0) -> dict[str, str]:
    """Return the source; another number of ``requirements`` is another requirements.txt that asks for the same."""
    return {
        "app.py": APP.format(version=version),
        "requirements.txt": f"# {requirements}\nflask==3.1.3\n",
        "Procfile": "web: python app.py\n",
    }
