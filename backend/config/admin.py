"""How Django admin presents itself."""

from django.contrib import admin

site = admin.site
site.site_header = "AfterResume"
site.site_title = "AfterResume staff"
site.index_title = "Running the place"
site.enable_nav_sidebar = True
