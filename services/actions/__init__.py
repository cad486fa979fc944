"""What people do with services, each verb once."""
