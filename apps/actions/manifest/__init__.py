"""Manifests: what several apps of a space should be, in one document; applied as a whole or not at all."""

from apps.actions.manifest.apply import apply
from apps.actions.manifest.diff import diff
from apps.actions.manifest.document import read, write
from apps.actions.manifest.show import show

__all__ = ["apply", "diff", "read", "show", "write"]
