"""Uploads in parts as the vendor's own library makes them, and what goes wrong with them on the way."""

import io
from typing import Any

import boto3
import pytest
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from clients.object_storage_multipart import Multipart
from sandbox.storage.state import Fault
from tests.sandbox.storage.place import ACCESS, REGION, SECRET, Place, code

CONTENT = bytes(range(256)) * 60_000  # three parts
MIB = 1024 * 1024


@pytest.fixture
def library(place: Place) -> Any:
    """As anybody would use it."""
    return boto3.client(
        "s3", endpoint_url=place.server.url, region_name=REGION, aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )  # fmt: skip


def test_the_vendors_library_uploads_in_parts_and_reads_the_same_back(place: Place, library: Any):
    bucket = place.storage().bucket
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=3)
    library.upload_fileobj(io.BytesIO(CONTENT), bucket, "a/b", Config=config)
    assert library.get_object(Bucket=bucket, Key="a/b")["Body"].read() == CONTENT
    assert library.list_multipart_uploads(Bucket=bucket).get("Uploads") is None
    parts = [
        call for call in place.server.calls.rest().since() if (call.operation, call.key) == ("put", "a/b")
    ]
    assert len(parts) == 3


def test_an_upload_of_another_bucket_or_key_is_not_this_one(place: Place, library: Any):
    one, other = place.storage().bucket, place.storage().bucket
    upload = library.create_multipart_upload(Bucket=one, Key="a")["UploadId"]
    for bucket, key in ((other, "a"), (one, "b")):
        with pytest.raises(ClientError, match="NoSuchUpload"):
            library.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"1")
    with pytest.raises(ClientError, match="NoSuchUpload"):
        library.list_parts(Bucket=one, Key="a", UploadId="../../objects")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        library.create_multipart_upload(Bucket="nobodys", Key="a")


def test_a_part_that_breaks_off_is_none(place: Place):
    bucket = Multipart(place.server.url, REGION, place.storage().bucket, ACCESS, SECRET)
    upload = bucket.begin_upload("a")
    signed = bucket.presign_part("a", upload, 1, bytes=3, sha256="0" * 64)
    place.server.state.add(Fault("cut", "put"))
    with pytest.raises(requests.ConnectionError):
        requests.put(signed.url, b"abc", headers=signed.headers, timeout=20)
    assert bucket.parts("a", upload) == []
    assert code(requests.put(signed.url, b"abc", headers=signed.headers, timeout=20))[0] == 400
    assert bucket.parts("a", upload) == []


def test_uploads_grow_older_with_everything_else(place: Place):
    bucket = Multipart(place.server.url, REGION, place.storage().bucket, ACCESS, SECRET)
    bucket.begin_upload("a")
    before = next(iter(bucket.uploads())).at
    place.server.uploads.age(25)
    assert (before - next(iter(bucket.uploads())).at).total_seconds() == 25 * 3600
