"""What can be done with customers and the people in them."""

from apps.tenants.services.people import add_member, create_tenant, edit_profile, list_time_zones
from apps.tenants.services.signing_in import (
    check_member_credentials,
    check_sign_in,
    complete_sign_in,
    sign_in,
)

__all__ = [
    "add_member",
    "check_member_credentials",
    "check_sign_in",
    "complete_sign_in",
    "create_tenant",
    "edit_profile",
    "list_time_zones",
    "sign_in",
]
