"""Every move between two states is either in the table or refused."""

import itertools

import pytest

from apps.common import clock
from apps.common.states import WrongState
from apps.orchestration.models import Job, JobRun
from apps.orchestration.services.states import move_job, move_run
from apps.orchestration.types import JOB_STATES, RUN_STATES, JobState, RunState
from tests.factories.orchestration import begin_report, make_writer, run_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("before", "after"), list(itertools.product(JobState, JobState)))
def test_a_job_moves_only_along_its_table(before: JobState, after: JobState) -> None:
    job = begin_report(make_writer(entries=1))
    Job.objects.filter(pk=job.pk).update(state=before)
    job.refresh_from_db()
    if JOB_STATES.allows(before, after):
        move_job(job, to=after, now=clock.now(), message="moved")
        assert job.state == after
    else:
        with pytest.raises(WrongState):
            move_job(job, to=after, now=clock.now(), message="moved")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RunState, RunState)))
def test_a_step_moves_only_along_its_table(before: RunState, after: RunState) -> None:
    run = run_of(begin_report(make_writer(entries=1)))
    JobRun.objects.filter(pk=run.pk).update(state=before, lease_until=clock.now())
    run.refresh_from_db()
    if RUN_STATES.allows(before, after):
        move_run(run, to=after, now=clock.now())
        assert run.state == after
    else:
        with pytest.raises(WrongState):
            move_run(run, to=after, now=clock.now())


def test_the_slower_of_two_hands_does_not_move_a_job() -> None:
    job = begin_report(make_writer(entries=1))
    stale = Job.objects.get(pk=job.pk)
    move_job(job, to=JobState.CANCELLED, now=clock.now(), message="first")
    with pytest.raises(WrongState):
        move_job(stale, to=JobState.RUNNING, now=clock.now(), message="second")


def test_the_slower_of_two_hands_does_not_move_a_step() -> None:
    run = run_of(begin_report(make_writer(entries=1)))
    stale = JobRun.objects.get(pk=run.pk)
    move_run(run, to=RunState.CANCELLED, now=clock.now())
    with pytest.raises(WrongState):
        move_run(stale, to=RunState.RUNNING, now=clock.now(), lease_until=clock.now())
