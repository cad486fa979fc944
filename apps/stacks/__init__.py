"""The images that apps are built and run on; standard library and the engine's command only, since nothing else is there yet."""

from .debian import CommandFailed
from .images import base_image_name, ensure, ensure_base, image_name, remove

__all__ = ["CommandFailed", "base_image_name", "ensure", "ensure_base", "image_name", "remove"]
