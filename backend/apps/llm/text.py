"""Text from outside that has to be kept: what PostgreSQL and JSON can hold."""


def make_storable(text: str) -> str:
    """Drops NUL characters and replaces lone surrogates, neither of which can be stored."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
