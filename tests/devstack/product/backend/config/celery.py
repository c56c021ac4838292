"""A Celery application of the smallest kind."""

import os

from celery import Celery

app = Celery("product", broker=os.environ["REDIS_URL"])
