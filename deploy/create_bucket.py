"""Makes the bucket of S3_BUCKET when it is not there. Safe to run at each start.

Waits for the store as long as boto3's own retries do; any other failure ends it with the store's message.
"""

import os
import sys

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

ALREADY_THERE = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def main() -> int:
    """Create the bucket; exit code 0 when it is there afterwards."""
    bucket = os.environ["S3_BUCKET"]
    client = boto3.client(
        "s3",
        endpoint_url=os.environ.get("S3_ENDPOINT_URL") or None,
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        region_name="us-east-1",
        config=Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=10),
    )
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ALREADY_THERE:
            sys.stderr.write(f"The bucket {bucket} cannot be made: {error}\n")
            return 1
    except BotoCoreError as error:
        sys.stderr.write(f"The store does not answer: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
