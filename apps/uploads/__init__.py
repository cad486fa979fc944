"""Turns what browsers and clients send into blobs that are known to be good; every door of an upload goes through here."""

from apps.uploads.buildpacks import receive_buildpack
from apps.uploads.convert import as_zip, zip_of_files, zip_of_tar
from apps.uploads.droplets import receive_droplet
from apps.uploads.packages import receive, refuse

__all__ = ["as_zip", "receive", "receive_buildpack", "receive_droplet", "refuse", "zip_of_files", "zip_of_tar"]
