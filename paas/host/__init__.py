"""Installs, starts, supervises, checks, stops and removes one install of the platform on one machine.

It runs on Debian's own Python, before any virtual environment exists: standard library only, and from the rest of
the house nothing but ``apps.stacks``, which keeps to the same rule.
"""
