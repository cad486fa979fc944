"""The worker door of the tenants floor."""

from tenants.jobs.announce_key import announce_key

__all__ = ["announce_key"]
