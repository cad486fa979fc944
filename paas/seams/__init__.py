"""Interfaces to the outside world; each has a base, one file per kind and one contract suite."""
