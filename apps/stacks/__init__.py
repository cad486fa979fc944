"""The images that apps are built and run on; plain Python, since they come before all else."""

from .debian import CommandFailed
from .images import base_image_name, ensure, ensure_base, image_name, remove

__all__ = ["CommandFailed", "base_image_name", "ensure", "ensure_base", "image_name", "remove"]
