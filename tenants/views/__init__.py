"""The console's pages about organizations, spaces, their members and events, and the documentation."""

from tenants.views.organizations import home

__all__ = ["home"]
