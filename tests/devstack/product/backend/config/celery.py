"""A Celery application of the smallest kind."""

import os

from celery import Celery

app = Celery("product", broker=os.environ["REDIS_URL"])
# Beside the media folder, in the stack's own data.
app.conf.beat_schedule_filename = os.environ["MEDIA_DIR"] + "-schedule"
