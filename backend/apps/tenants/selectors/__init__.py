"""Reading customers and the people in them."""

from apps.tenants.selectors.bearers import find_bearer
from apps.tenants.selectors.people import find_member, get_member, has_tenant, is_active_member

__all__ = ["find_bearer", "find_member", "get_member", "has_tenant", "is_active_member"]
