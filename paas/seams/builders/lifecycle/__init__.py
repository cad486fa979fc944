"""What runs inside a build container: Cloud Foundry's buildpack contract, from a zip to a droplet.

It is copied onto the build's disk and started there with the stack's own Python; it imports nothing else of ours.
"""
