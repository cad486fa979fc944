"""The figures of `make bench`, each against its reference in the same run."""
