"""Addresses of the worklog."""

from django.urls import path

from apps.api.worklog import views

urlpatterns = [
    path("worklogs/", views.EntryListView.as_view(), name="worklog-list"),
    path("worklogs/parse/", views.ParseView.as_view(), name="worklog-parse"),
    path("worklogs/defaults/", views.DefaultsView.as_view(), name="worklog-defaults"),
    path("worklogs/<uuid:entry_id>/", views.EntryView.as_view(), name="worklog-detail"),
    path("worklogs/<uuid:entry_id>/restore/", views.EntryRestoreView.as_view(), name="worklog-restore"),
    path("worklogs/<uuid:entry_id>/versions/", views.EntryVersionsView.as_view(), name="worklog-versions"),
    path("employers/", views.EmployerListView.as_view(), name="employer-list"),
    path("projects/", views.ProjectListView.as_view(), name="project-list"),
    path("tags/", views.TagListView.as_view(), name="tag-list"),
]
