"""A real scheduler and real workers make the same library, and may die doing so."""

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from saxinfer.crew import Crew, CrewError
from saxinfer.crew import cluster as module
from saxinfer.crew.cluster import connected
from saxinfer.library import LibraryError, Recipe, make_library, open_library
from saxinfer.library.block import computed
from saxinfer.library.columns import columns_of

pytest.importorskip("distributed")


@pytest.fixture
def recipe() -> Recipe:
    """Three blocks of curves in closed form, the last of them cut."""
    q = tuple(np.geomspace(0.05, 2.0, 30).tolist())
    return Recipe("sphere", 600, seed=3, q=q)


def test_a_worker_that_is_killed_is_replaced_by_another(
    machines: Any, processes: ModuleType
) -> None:
    q = tuple(0.01 * n for n in range(1, 301))
    recipe = Recipe("core_shell_sphere", 12 * 250, seed=1, q=q, noise="standard")
    machines.start_scheduler()
    machines.start_worker()
    machines.start_worker()

    def kill_one(done: int, total: int) -> None:
        if done == 500:
            processes.kill_group(machines.workers[0].pid)

    folder, crew = machines.folder / "a.zarr", Crew(cluster=machines.address)
    assert make_library(recipe, folder, crew, progress=kill_one) == 3000
    assert machines.workers[0].wait(10) == -signal.SIGKILL
    found = open_library(folder)
    for number in range(recipe.blocks):
        here, rows = computed(recipe, number), slice(250 * number, 250 * number + 250)
        assert here.sigma is not None
        assert found["intensity"].values[rows].tobytes() == here.intensity.tobytes()
        assert found["sigma"].values[rows].tobytes() == here.sigma.tobytes()
        columns = np.stack([found[c.name][rows] for c in columns_of(recipe)], 1)
        assert columns.tobytes() == here.columns.tobytes()


@pytest.mark.slow
def test_what_the_workers_run_must_be_what_runs_here(
    machines: Any, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.start_scheduler()
    machines.start_worker()
    monkeypatch.setattr(module, "VERSION", "9.9")
    folder = machines.folder / "a.zarr"
    sentence = "The worker tcp.* has saxinfer .* but here is saxinfer 9.9, .* Install"
    with pytest.raises(LibraryError, match=sentence):
        make_library(recipe, folder, Crew(cluster=machines.address))


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_said(
    machines: Any, processes: ModuleType
) -> None:
    q = tuple(0.01 * n for n in range(1, 301))
    recipe = Recipe("core_shell_sphere", 40 * 250, q=q)
    scheduler = machines.start_scheduler()
    machines.start_worker()
    with (
        connected(machines.address) as work,
        closing(work(partial(computed, recipe), range(40))) as blocks,
    ):
        next(blocks)
        processes.kill_group(scheduler.pid)
        with pytest.raises(CrewError, match="The Dask scheduler is gone"):
            list(blocks)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("tcp://127.0.0.1:9", "no Dask scheduler answers"),
        ("tcp://nowhere.invalid:8786", "no Dask scheduler answers"),
        ("tcp://localhost", "needs an address tcp://host:port, but got"),
    ],
)
def test_where_no_scheduler_is_nothing_is_written(
    address: str, sentence: str, recipe: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(LibraryError, match=sentence):
        make_library(recipe, tmp_path / "a.zarr", Crew(cluster=address))
    assert list(tmp_path.iterdir()) == []


# Stands for SLURM: a job is a process group, its number that of the group.
SBATCH = """#!/bin/sh
copy="$0.$$.job"
cp "$1" "$copy"
setsid sh -c 'exec bash "$0"' "$copy" < /dev/null > "$copy.log" 2>&1 &
echo "Submitted batch job $!"
echo $! >> "$0.jobs"
"""
SCANCEL = """#!/bin/sh
kill -TERM -- "-$1"
"""


@pytest.fixture
def slurm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: ModuleType
) -> Iterator[Path]:
    """A folder with sbatch and scancel, on the path."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, content in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(content)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    yield folder
    jobs = folder / "sbatch.jobs"
    for job in jobs.read_text().split() if jobs.exists() else ():
        processes.kill_group(int(job))


@pytest.mark.slow
def test_jobs_of_a_slurm_cluster_make_a_library(
    slurm: Path, recipe: Recipe, processes: ModuleType
) -> None:
    file = slurm / "slurm.yaml"
    file.write_text(
        "jobs: 2\ncores: 1\nmemory: 1GB\nwalltime: '00:10:00'\nqueue: short\n"
        f"interface: lo\nlocal_directory: {slurm}\n"
    )
    with connected(str(file)) as work:
        blocks = list(work(partial(computed, recipe), range(3)))
        jobs = [int(job) for job in (slurm / "sbatch.jobs").read_text().split()]
        script = next(slurm.glob("*.job")).read_text()
    assert {"#SBATCH -p short", "#SBATCH -t 00:10:00"} <= set(script.splitlines())
    assert len(jobs) == 2
    for block in blocks:
        here = computed(recipe, block.number)
        assert block.intensity.tobytes() == here.intensity.tobytes()
    processes.waited_for(lambda: not any(map(processes.group_members, jobs)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("cores: 1\n", "needs a line 'jobs: N'"),
        ("- 1\n", "needs a line 'jobs: N'"),
        ("jobs: many\n", "needs a line 'jobs: N'"),
        ("{", "cannot be read"),
        ("jobs: 1\ncores: 1\n", "does not take these options"),
        ("jobs: 1\ncores: 1\nmemory: 1GB\npartition: x\n", "does not take these"),
        ("jobs: 1\ncores: 1\nmemory: 1GB\ninterface: no0\n", "does not take these"),
    ],
)
def test_a_file_that_describes_no_cluster_is_refused(
    slurm: Path, content: str, sentence: str
) -> None:
    (slurm / "slurm.yaml").write_text(content)
    with (
        pytest.raises(CrewError, match=sentence),
        connected(str(slurm / "slurm.yaml")),
    ):
        pass


def test_jobs_that_slurm_refuses_are_said(slurm: Path) -> None:
    (slurm / "sbatch").write_text("#!/bin/sh\necho invalid partition >&2\nexit 1\n")
    (slurm / "slurm.yaml").write_text("jobs: 1\ncores: 1\nmemory: 1GB\ninterface: lo\n")
    with (
        pytest.raises(CrewError, match=r"SLURM does not take the job.*invalid part"),
        connected(str(slurm / "slurm.yaml")),
    ):
        pass


def test_slurm_is_not_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slurm.yaml").write_text("jobs: 1\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(CrewError, match="sbatch, which is not on this machine"),
        connected(str(tmp_path / "slurm.yaml")),
    ):
        pass
