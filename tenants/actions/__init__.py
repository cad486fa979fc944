"""What people can do with organizations, spaces, roles, quotas and feature flags, by noun. Every door calls these."""
