"""Work done by a Dask cluster: the only module that knows Dask.

A cluster is the address of a scheduler, or a YAML file of options for dask-jobqueue's
``SLURMCluster``, in which ``jobs`` says how many jobs are asked for. What a lost worker
had been given is done by another.
"""

import inspect
import re
import shutil
import socket
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from saxinfer.crew.base import Job, Result, Team
from saxinfer.crew.error import CrewError
from saxinfer.version import VERSION

__all__ = ["connected"]

# Seconds until an address counts as dead.
PATIENCE = 5

# Jobs ordered of each thread of the cluster beforehand, and at the least.
AHEAD, LEAST = 2, 4


@contextmanager
def connected(cluster: str) -> Iterator[Team]:
    """Connects to a cluster, or starts one, and disconnects afterwards.

    Args:
        cluster: Address of a scheduler (``tcp://host:port``) or name of a YAML file.

    Yields:
        Function from work and jobs to the results as they are done.

    Raises:
        CrewError: If there is no such cluster, or it runs other software.
    """
    distributed = _distributed()
    if "://" in cluster:
        with _client(distributed, cluster) as client:
            yield _team(distributed, client)
        return
    with (
        _slurm(Path(cluster)) as started,
        distributed.Client(started, set_as_default=False) as client,
    ):
        yield _team(distributed, client)


def _distributed() -> ModuleType:
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            "clusters need Dask. Install it with pip install 'saxinfer[library]'."
        ) from error
    return distributed


def _client(distributed: ModuleType, address: str) -> Any:  # noqa: ANN401
    place = re.fullmatch(r"\w+://\[?(.+?)\]?:(\d+)/?", address)
    if place is None:
        raise CrewError(
            f"--cluster needs an address tcp://host:port, but got '{address}'."
        )
    try:
        # A client takes its time to find out that nobody is there.
        socket.create_connection((place[1], int(place[2])), PATIENCE).close()
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, OverflowError, ValueError) as error:
        reason = _short(error) or "no answer"
        raise CrewError(
            f"{address}: no Dask scheduler answers ({reason}). Start one with 'dask "
            "scheduler', and give its address with --cluster."
        ) from None


@contextmanager
def _slurm(file: Path) -> Iterator[Any]:
    """Jobs of a SLURM cluster, as a file describes them."""
    options = _options(file)
    jobs = options.pop("jobs")
    if shutil.which("sbatch") is None:
        raise CrewError(
            f"{file}: jobs are handed in with sbatch, which is not on this machine. "
            "Run the command where SLURM is."
        )
    from dask_jobqueue.slurm import SLURMCluster

    try:
        _refuse_unfit(options)
        started: Any = SLURMCluster(**options)
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        raise CrewError(
            f"{file}: dask-jobqueue does not take these options: {_short(error)}"
        ) from None
    with started:
        try:
            started.sync(_hand_in, started, jobs)
        except (RuntimeError, OSError, ValueError) as error:
            raise CrewError(
                f"{file}: SLURM does not take the jobs: {_short(error)}"
            ) from None
        yield started


def _refuse_unfit(options: dict[str, Any]) -> None:
    """Tries the options for a job, before a cluster would be half made."""
    from dask_jobqueue.core import JobQueueCluster
    from dask_jobqueue.slurm import SLURMJob

    own = set(inspect.signature(JobQueueCluster).parameters) - {"interface", "protocol"}
    job = {name: value for name, value in options.items() if name not in own}
    kind: Any = SLURMJob
    kind("tcp://127.0.0.1:1", name="tried", **job)


async def _hand_in(cluster: Any, jobs: int) -> None:  # noqa: ANN401
    """Hands jobs in; ``scale`` would not tell whether they were taken."""
    from distributed import Status

    while len(cluster.worker_spec) < jobs:
        cluster.worker_spec.update(cluster.new_worker_spec())
    try:
        await cluster._correct_state()
    except BaseException:
        for job in cluster.workers.values():
            # Closing insists on it that no job is still to come.
            if job.job_id is None:
                job.status = Status.failed
        raise


def _short(error: Exception) -> str:
    """A message on one line."""
    return " ".join(str(error).split())[:300]


def _options(file: Path) -> dict[str, Any]:
    """Options for SLURMCluster, and ``jobs``."""
    import yaml  # type: ignore[import-untyped]

    try:
        found = yaml.safe_load(file.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        told = " ".join(str(reason).lower().split())
        raise CrewError(
            f"{file}: cannot be read ({told}). --cluster needs "
            "the address of a scheduler, tcp://host:port, or a YAML file."
        ) from None
    jobs = found.get("jobs") if isinstance(found, dict) else None
    if not isinstance(jobs, int) or jobs < 1:
        raise CrewError(
            f"{file}: needs a line 'jobs: N', the number of SLURM jobs, besides the "
            "options of dask-jobqueue's SLURMCluster."
        )
    # The usual port of the scheduler's web page may be taken.
    options = {"dashboard_address": ":0", **(found.get("scheduler_options") or {})}
    return {**found, "scheduler_options": options}


def _team(distributed: ModuleType, client: Any) -> Team:  # noqa: ANN401
    """What the workers of a client can be asked."""

    def team(
        work: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Generator[Result, None, None]:
        try:
            _refuse_other_software(client)
            yield from _in_turn(distributed, client, work, iter(jobs))
        except distributed.KilledWorker as error:
            raise CrewError(
                f"Several workers died of one job, perhaps for lack of memory "
                f"({_short(error)})."
            ) from None
        except (distributed.CancelledError, distributed.comm.CommClosedError):
            raise CrewError("The Dask scheduler is gone.") from None

    return team


def _refuse_other_software(client: Any) -> None:  # noqa: ANN401
    """Workers must be able to read what they are sent, and must compute the same."""
    client.wait_for_workers(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = client.run(_software)
    except Exception as error:
        raise CrewError(
            f"The workers cannot run saxinfer {VERSION}: "
            f"{_short(error)}. Install the same versions there."
        ) from None
    here = _software()
    for worker, there in found.items():
        if there != here:
            raise CrewError(
                f"The worker {worker} has {there}, but here is {here}: results would "
                "differ. Install the same versions there."
            )


def _software() -> str:
    """Versions that the numbers depend on."""
    return f"saxinfer {VERSION}, numpy {np.__version__}, torch {torch.__version__}"


def _in_turn(
    distributed: ModuleType,
    client: Any,  # noqa: ANN401
    work: Callable[[Job], Result],
    jobs: Iterator[Job],
) -> Iterator[Result]:
    """Orders jobs a little ahead of what the workers can do."""
    run, ordered = uuid4().hex, distributed.as_completed(loop=client.loop)
    numbered = enumerate(jobs)

    def order(most: int) -> None:
        for number, job in islice(numbered, most):
            key = f"saxinfer-{run}-{number}"
            ordered.add(client.submit(_alone, work, job, key=key, pure=False))

    order(_ahead(client))
    for future in ordered:
        result: Result = future.result()
        future.release()
        order(_ahead(client) - ordered.count())
        yield result


def _alone(work: Callable[[Job], Result], job: Job) -> Result:
    """On a worker: one thread, as everywhere."""
    torch.set_num_threads(1)
    return work(job)


def _ahead(client: Any) -> int:  # noqa: ANN401
    """How many blocks are ordered at a time; workers come and go."""
    threads: int = sum(client.nthreads().values())
    return max(LEAST, AHEAD * threads)
