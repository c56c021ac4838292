from django.urls import path

from apps.worklog.views import entries, quick_add, timeline

app_name = "worklog"
urlpatterns = [
    path("", timeline.timeline, name="timeline"),
    path("quick-add/", quick_add.quick_add, name="quick-add"),
    path("quick-add/preview/", quick_add.preview_line, name="preview"),
    path("<uuid:entry_id>/", entries.entry, name="entry"),
    path("<uuid:entry_id>/edit/", entries.edit, name="edit"),
    path("<uuid:entry_id>/delete/", entries.delete, name="delete"),
    path("<uuid:entry_id>/restore/", entries.restore, name="restore"),
]
