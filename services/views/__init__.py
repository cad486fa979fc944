"""The console's pages about services."""
