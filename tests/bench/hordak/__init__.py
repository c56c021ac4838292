"""The smallest Django project that django-hordak runs in, in an environment of its own (requirements-bench.txt)."""
