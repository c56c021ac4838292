import re
from pathlib import Path

import brotli
from django.contrib.staticfiles import finders
from django.test import Client

LIMIT = 150 * 1024


def test_the_first_load_stays_small(signed_in: Client) -> None:
    page = signed_in.get("/").content.decode()
    addresses = re.findall(r'(?:src|href)="/static/([^"]+\.(?:js|css))"', page)
    files = [Path(str(finders.find(address))) for address in addresses]
    assert len(files) >= 8
    assert sum(len(brotli.compress(file.read_bytes(), quality=9)) for file in files) < LIMIT
