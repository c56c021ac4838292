"""What the list of jobs can be narrowed by."""

from django_filters import rest_framework as filters

from apps.orchestration.models import Job
from apps.orchestration.types import JobKind, JobState


class JobFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=JobState.choices)
    kind = filters.ChoiceFilter(choices=JobKind.choices)

    class Meta:
        model = Job
        fields = ["state", "kind"]
