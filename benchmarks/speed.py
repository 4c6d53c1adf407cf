"""How many curves a second: drawn structures, closed forms, and sasmodels beside them.

    python benchmarks/speed.py [--rounds 3] [--seconds 4] [--workers 2]

All run on as many processes of one thread each; every round lets each contestant
compute for some seconds in turn, so that a slow moment of the machine meets all alike.
Printed are the median of the rounds, its ratio to sasmodels' polydisperse
``core_shell_sphere``, and the largest memory of a process. Every curve has 500 points
and parameters of its own.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context

import numpy as np

POINTS, BATCH, RADII = 500, 250, 35
Q = np.geomspace(0.02, 4.0, POINTS)
REFERENCE = "sasmodels core_shell_sphere, 35 radii"


def drawn_cellulose() -> Iterator[int]:
    """Structures on 512² pixels of 0.125 nm, each packed, drawn and transformed."""
    import torch

    from saxinfer.scattering.fourier import Rings
    from saxinfer.scattering.grid import Grid
    from saxinfer.structures import get_structure

    torch.set_num_threads(1)
    model, grid = get_structure("cellulose"), Grid(512, 0.125)
    space = model.space.narrow("mu", 0.94, 1.0).narrow("alpha_mean", 1.0, 4.0)
    rings = Rings.filled(grid, POINTS, fewest=1.0)
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    while True:
        (theta,) = space.sample(1, generator)
        try:
            drawn = model.realise(theta, grid, rng)
        except ValueError:
            # Fewer than nine of the largest crystals at the lowest fractions.
            continue
        model.drawn_intensity(drawn, rings)
        yield 1


def closed(name: str, kind: str = "double") -> Iterator[int]:
    """Closed forms in batches: in double or single precision, or with gradients."""
    import torch

    from saxinfer.structures import get_structure

    torch.set_num_threads(1)
    model, q = get_structure(name), torch.from_numpy(Q)
    generator = torch.Generator().manual_seed(0)
    while True:
        theta = model.space.sample(BATCH, generator).double()
        if kind == "gradients":
            theta.requires_grad_()
            model.intensity(q, theta).log().sum().backward()
        else:
            model.intensity(q, theta.float() if kind == "single" else theta)
        yield BATCH


def sasmodels(name: str) -> Iterator[int]:
    """A polydisperse model of sasmodels in double precision, one curve a call."""
    from sasmodels.core import load_model
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    call = DirectModel(empty_data1D(Q / 10), load_model(name, dtype="double"))
    rng = np.random.default_rng(0)
    while True:
        call(radius=rng.uniform(20, 60), radius_pd=0.15, radius_pd_n=RADII)
        yield 1


CONTESTANTS: dict[str, Callable[[], Iterator[int]]] = {
    "cellulose, drawn on 512² pixels": drawn_cellulose,
    "cellulose, closed form": lambda: closed("cellulose"),
    "cellulose, single precision": lambda: closed("cellulose", "single"),
    "cellulose, with gradients": lambda: closed("cellulose", "gradients"),
    "core_shell_sphere, closed form": lambda: closed("core_shell_sphere"),
    **{
        f"{name}, {words}": partial(closed, name, kind)
        for name in ("two_phase", "three_phase", "wood", "lnp")
        for kind, words in (
            ("double", "closed form"),
            ("gradients", "with gradients"),
        )
    },
    REFERENCE: lambda: sasmodels("core_shell_sphere"),
    "sasmodels cylinder, 35 radii": lambda: sasmodels("cylinder"),
}


@cache
def started(name: str) -> Iterator[int]:
    """A contestant that has loaded and compiled what it needs.

    Its process keeps the memory that it frees, as every one of saxinfer's does.
    """
    from saxinfer.crew import keep_memory

    keep_memory()
    running = CONTESTANTS[name]()
    next(running)
    return running


def race(name: str, seconds: float) -> tuple[float, float]:
    """Curves a second of one process, and its largest memory so far [GiB]."""
    running, curves, start = started(name), 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        curves += next(running)
    rate = curves / (time.perf_counter() - start)
    return rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def together(
    teams: dict[str, ProcessPoolExecutor], name: str, seconds: float, workers: int
) -> tuple[float, float]:
    """Curves a second of all processes of a contestant."""
    jobs = [teams[name].submit(race, name, seconds) for _ in range(workers)]
    rates, memory = zip(*(job.result() for job in jobs), strict=True)
    return sum(rates), max(memory)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    # Read by the libraries of each process when it starts.
    os.environ["OMP_NUM_THREADS"] = "1"
    teams = {
        name: ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn"))
        for name in CONTESTANTS
    }
    rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    memory = dict.fromkeys(CONTESTANTS, 0.0)
    for name in CONTESTANTS:
        together(teams, name, 0.0, asked.workers)
    for _ in range(asked.rounds):
        for name in CONTESTANTS:
            rate, memory[name] = together(teams, name, asked.seconds, asked.workers)
            rates[name].append(rate)
    for team in teams.values():
        team.shutdown()
    middle = {name: statistics.median(found) for name, found in rates.items()}
    print(f"{asked.workers} processes of one thread, {POINTS} points a curve\n")
    print("| engine | curves/s | ratio | 10,000 curves | memory of a process |")
    print("|---|---|---|---|---|")
    for name, rate in middle.items():
        print(
            f"| {name} | {rate:.4g} | {rate / middle[REFERENCE]:.3g} | "
            f"{10_000 / rate:.3g} s | {memory[name]:.2f} GiB |"
        )


if __name__ == "__main__":
    main()
