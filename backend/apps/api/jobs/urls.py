from django.urls import path

from apps.api.jobs import views

urlpatterns = [
    path("jobs/", views.JobListView.as_view(), name="job-list"),
    path("jobs/estimate/", views.EstimateView.as_view(), name="job-estimate"),
    path("jobs/<uuid:job_id>/", views.JobView.as_view(), name="job-detail"),
    path("jobs/<uuid:job_id>/events/", views.JobEventsView.as_view(), name="job-events"),
    path("jobs/<uuid:job_id>/cancel/", views.JobCancelView.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", views.JobRetryView.as_view(), name="job-retry"),
]
