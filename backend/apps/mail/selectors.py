"""Reading the outbox."""


def mask_address(address: str) -> str:
    """Enough to recognise an address that one knows: `a***@example.org`."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else ""
