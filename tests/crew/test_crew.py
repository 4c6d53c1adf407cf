"""A crew is of this machine unless a cluster is named."""

from pathlib import Path

import pytest

from saxinfer.crew import Crew, CrewError


def test_the_usual_crew_is_of_this_machine() -> None:
    with Crew().ready() as team:
        assert list(team(abs, [])) == []


def test_workers_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="workers must not be negative, got -1"):
        Crew(workers=-1)


def test_another_crew_is_that_of_a_cluster(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    crew = Crew(cluster=str(tmp_path / "nothing.yaml"))
    with pytest.raises(CrewError, match="cannot be read"), crew.ready():
        pass
