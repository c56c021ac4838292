"""Asks the service in this container whether it is alive: `healthcheck.py /path/`. Exit code 0 means yes.

The Host header is the first of ALLOWED_HOSTS, since the loopback address is rightly refused in production.
"""

import os
import sys
import urllib.error
import urllib.request


def main() -> int:
    """Make the request; anything but a 200 is a no."""
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip()
    address = f"http://127.0.0.1:{os.environ['GRANIAN_PORT']}{sys.argv[1]}"
    request = urllib.request.Request(address, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own http:// address
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, TimeoutError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - Docker shows it as the reason
        return 1


if __name__ == "__main__":
    sys.exit(main())
