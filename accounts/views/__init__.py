"""The console's pages about signing in and about one's own account."""
