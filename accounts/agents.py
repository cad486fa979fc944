"""Names a browser by what it says of itself, in words that its owner knows it by."""

from __future__ import annotations

# What is in the text -> the name; the first that fits, since most claim to be others as well.
BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox/": "Firefox", "FxiOS": "Firefox",
    "CriOS": "Chrome", "Chrome/": "Chrome", "Safari/": "Safari", "curl/": "curl",
}  # fmt: skip
SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Macintosh": "a Mac",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


def described(agent: str) -> str:
    """Return "Firefox on Linux" for a User-Agent header."""
    browser = next((name for sign, name in BROWSERS.items() if sign in agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), "")
    return " on ".join(filter(None, (browser or "A browser", system)))
