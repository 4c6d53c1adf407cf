"""The neural posterior on the test curves: a fit each, kept as soon as it is done.

Fits run in processes of one thread, each seeded by its row, so that a result depends
neither on the number of processes nor on the order in which they finish. Processes end
with their parent: at Ctrl-C at once, and also when it is killed and could not say so.
"""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import torch

from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.base import Fit
from saxinfer.paper.data import MODEL, ExperimentError, LabelledCurves
from saxinfer.paper.scores import Predictions

__all__ = ["FitJob", "FittedCurve", "fit_curves", "predictions_of"]

# What is kept of a marginal, in the order of Predictions.
_MARGINALS = ("mean", "low", "high", "least", "most")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FittedCurve:
    """What is kept of one fit: for each column its marginal, and how the fit went.

    Attributes:
        row: Row of the curve in the data set.
        mean: Posterior means.
        low: 5 % quantiles.
        high: 95 % quantiles.
        least: Smallest of all samples.
        most: Largest of all samples.
        verdict: Of the fit.
        effective: Effective posterior samples.
        seconds: Wall time.
        refused: Why there is no fit; all else is empty then.
    """

    row: int
    mean: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    least: tuple[float, ...] = ()
    most: tuple[float, ...] = ()
    verdict: str = ""
    effective: float = 0.0
    seconds: float = 0.0
    refused: str = ""

    @classmethod
    def of(cls, row: int, fit: Fit) -> "FittedCurve":
        """The marginals of a fit's ten columns."""
        posterior = fit.posterior
        names = [quantity.name for quantity in posterior.of_kind("parameter")]
        found = [posterior.summary(name) for name in names]
        samples = [posterior.column(name) for name in names]
        return cls(
            row=row,
            mean=tuple(each.mean for each in found),
            low=tuple(each.q05 for each in found),
            high=tuple(each.q95 for each in found),
            least=tuple(float(each.min()) for each in samples),
            most=tuple(float(each.max()) for each in samples),
            verdict=fit.quality.verdict,
            effective=fit.quality.effective_samples,
            seconds=fit.provenance.seconds,
        )

    @classmethod
    def from_json(cls, text: str) -> "FittedCurve":
        """What :func:`fit_curves` keeps."""
        fields: dict[str, Any] = json.loads(text)
        for name in _MARGINALS:
            fields[name] = tuple(fields[name])
        return cls(**fields)


@dataclass(frozen=True, eq=False)
class FitJob:
    """All that a process needs to know for one fit."""

    row: int
    curve: Curve
    options: FitOptions
    seed: int

    @classmethod
    def of(
        cls, curves: LabelledCurves, row: int, options: FitOptions, seed: int
    ) -> "FitJob":
        """The fit of one row of the data set, in an experiment of some seed."""
        curve = Curve(
            q=torch.from_numpy(curves.q),
            intensity=torch.from_numpy(curves.intensity[row]),
            sigma=torch.from_numpy(curves.sigma[row]),
            name=f"curve {row}",
            intensity_unit="nm³",
        )
        # Neighbouring seeds must not share the fits of neighbouring rows.
        (own,) = np.random.SeedSequence((seed, row)).generate_state(1)
        return cls(row, curve, options, int(own))


def fit_curves(
    jobs: Sequence[FitJob],
    folder: Path,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> tuple[FittedCurve, ...]:
    """Fits those of the curves that are not yet in the folder.

    Args:
        jobs: Which curves, and how.
        folder: Keeps one file a fit; made if it does not exist.
        workers: Number of processes.
        progress: Told how many of the fits are done, of how many.

    Raises:
        ExperimentError: If a process was killed; what was finished is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {job.row: folder / f"{job.row:06d}.json" for job in jobs}
    done = {
        row: FittedCurve.from_json(place.read_text())
        for row, place in places.items()
        if place.exists()
    }
    missing = [job for job in jobs if job.row not in done]
    progress(len(done), len(jobs))
    with closing(_in_processes(missing, min(workers, len(missing)))) as fits:
        for found in fits:
            _keep(found, places[found.row])
            done[found.row] = found
            progress(len(done), len(jobs))
    return tuple(done[job.row] for job in jobs)


def predictions_of(fits: Sequence[FittedCurve]) -> Predictions:
    """Posterior means, 90 % intervals and extremes of the fits that came about."""
    good = [fit for fit in fits if not fit.refused]
    return Predictions(
        np.array([fit.row for fit in good], dtype=int),
        *(
            np.array([getattr(fit, part) for fit in good], dtype=float)
            for part in _MARGINALS
        ),
    )


def _keep(found: FittedCurve, place: Path) -> None:
    """Writes one fit, whole or not at all."""
    beside = place.with_suffix(".part")
    beside.write_text(json.dumps(asdict(found)))
    beside.replace(place)


def _in_processes(jobs: list[FitJob], workers: int) -> Generator[FittedCurve]:
    """Fits in the order in which they are done; no process has a queue of its own."""
    if not jobs:
        return
    waiting = iter(jobs)
    with _processes(workers) as submit:
        running = {submit(job) for job in islice(waiting, workers)}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {submit(job) for job in islice(waiting, len(finished))}
            for future in finished:
                yield future.result()


@contextmanager
def _processes(count: int) -> Iterator[Callable[[FitJob], Future[FittedCurve]]]:
    """Processes that end with this block, however it is left."""
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, _begin)

    def submit(job: FitJob) -> Future[FittedCurve]:
        with _deaf():
            return pool.submit(_fitted, job)

    try:
        yield submit
    except BrokenProcessPool:
        raise ExperimentError(
            "a process that fitted a curve was killed, for want of memory perhaps. "
            "What was finished is kept; go on with --resume and fewer --workers."
        ) from None
    finally:
        # All that was asked for is done, or nobody waits for it any more.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started meanwhile leave Ctrl-C to their parent."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Prepares a process: one thread, and gone when the parent is."""
    torch.set_num_threads(1)
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _fitted(job: FitJob) -> FittedCurve:
    """Fits one curve; that it was refused is a result as well."""
    try:
        fit = run(job.curve, MODEL, options=job.options, seed=job.seed)
    except ValueError as error:
        return FittedCurve(job.row, refused=" ".join(str(error).split()))
    return FittedCurve.of(job.row, fit)
