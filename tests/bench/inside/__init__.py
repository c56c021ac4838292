"""Programs that run inside the backend (its settings, its packages): the seed and the clients.

Run as `python -m tests.bench.inside.<name>` from the repository's root with the backend's folder in PYTHONPATH.
"""

import django

django.setup()
