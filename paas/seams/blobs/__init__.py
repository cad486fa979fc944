"""Where packages, droplets, caches and buildpacks are kept."""

KINDS = {"disk": "paas.seams.blobs.disk.DiskBlobs", "s3": "paas.seams.blobs.s3.S3Blobs"}
