"""How Django admin presents itself."""

from django.contrib import admin
from django.contrib.auth.models import Group

site = admin.site
site.site_header = "AfterResume"
site.site_title = "AfterResume staff"
site.index_title = "Running the place"
# What staff may do is decided by the staff flag and by each page, not by groups of permissions.
site.unregister(Group)
