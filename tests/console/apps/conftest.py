"""The pages are shown with the same app of alice's as the actions are tried on."""

from tests.apps.conftest import app, converge, droplet, make_droplet, recorded, running, runtime

__all__ = ["app", "converge", "droplet", "make_droplet", "recorded", "running", "runtime"]
