"""Diagrams come from the tables."""

from pathlib import Path

from django.core.management import call_command

from apps.orchestration.management.commands.export_states import MACHINES


def test_each_machine_has_its_diagram(tmp_path: Path) -> None:
    call_command("export_states", str(tmp_path / "states"))
    assert {path.stem for path in (tmp_path / "states").iterdir()} == {machine.name for machine in MACHINES}
    job = (tmp_path / "states" / "job.md").read_text()
    assert "queued --> running" in job
    assert "queued --> succeeded" not in job
    assert "succeeded --> [*]" in job
