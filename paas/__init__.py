"""The project and its ground floor."""
