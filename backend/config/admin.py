"""How Django admin presents itself."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django_celery_beat.models import ClockedSchedule, SolarSchedule

site = admin.site
site.site_header = "AfterResume"
site.site_title = "AfterResume staff"
site.index_title = "Running the place"
# What staff may do is decided by the staff flag and by each page, not by groups of permissions.
site.unregister(Group)
# The schedule knows intervals and hours only.
site.unregister(ClockedSchedule)
site.unregister(SolarSchedule)
