"""A stand-in of object storage as Hetzner's: S3 on plain files, with keys and hashes that are really checked."""

from sandbox.storage.office import BUCKET, REGION, ObjectStorage

__all__ = ["BUCKET", "REGION", "ObjectStorage"]
