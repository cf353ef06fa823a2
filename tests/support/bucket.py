"""A stand-in for S3 on this machine: the real protocol, and an empty bucket."""

from __future__ import annotations

import logging
from typing import Any, Self

import fsspec

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


class Bucket:
    """The bucket `s3://evidence`; use it as a context, and set its `environment` for those that are to reach it."""

    url = "s3://evidence"

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer  # a quarter of a second

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.environment: dict[str, str] = {}
        """The variables that lead a flow here."""

    def __enter__(self) -> Self:
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        # Its log lines hold whole requests.
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        self._client = _client(self.environment)
        self._client.create_bucket(Bucket="evidence")
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()
        # A connection that a test made knows nothing of the next one's server.
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        self._server.stop()

    def objects(self) -> dict[str, tuple[str, bytes]]:
        """Return the content type and the bytes of each object by its key."""
        listed = self._client.list_objects_v2(Bucket="evidence").get("Contents", [])
        found = {each["Key"]: self._client.get_object(Bucket="evidence", Key=each["Key"]) for each in listed}
        return {name: (each["ContentType"], each["Body"].read()) for name, each in found.items()}

    def clear(self) -> None:
        """Remove every object, and forget connections of this process, which may lead to another test's bucket."""
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        for name in self.objects():
            self._client.delete_object(Bucket="evidence", Key=name)


def _client(environment: dict[str, str]) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )
