"""sbi's neural posterior estimation beside ours: the same curves, as many of them.

Both read the same features through an embedding of the same layers, and turn these
into a neural spline flow of as many transforms, bins and hidden features. Ours sees
each curve once, as ``saxinfer train`` does, under its own schedule. sbi keeps them all,
holds a tenth back for validation, goes through the others again and again under its own
defaults, and stops by its own rule or when its time is over, with the weights that were
best in validation. Curves cost next to nothing here, so ours is also trained on as many
as it takes for the seconds that sbi took.

Both are asked about curves of either tier, half each, that neither has seen: the mean
log density of the truth, the root mean square error of the posterior mean, and how many
truths the central 90 % intervals cover. All numbers are in latent coordinates, whose
prior is standard normal: a network that learnt nothing has an error of 1, and a log
density of the truth of -1.42 a column.

References:
    Tejero-Cantero et al., JOSS 5, 2505 (2020): sbi.
"""

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from peer_convergence import Stopwatch
from peer_samplers import peak_memory
from saxinfer.inference.card import load_estimator
from saxinfer.inference.npe import NUISANCE_TARGETS, PosteriorNetwork, seen
from saxinfer.inference.training import Course, Recipe, recipe_for, train
from saxinfer.inference.training_curves import GRIDS, kind_of_step, simulate
from saxinfer.structures import get_structure

__all__ = ["NETWORKS", "Judged", "judged"]

NETWORKS = ("ours", "sbi")

# Curves that are asked about, those of them whose posterior is sampled, and draws.
HELD_OUT, SAMPLED, DRAWS = 4096, 512, 1000

# Seed of the curves that are asked about; steps between two signs of life of training.
ASKED_SEED, SIGNS = 9_000_000, 50

# The flow of PosteriorNetwork, in the words of sbi.
FLOW = {"hidden_features": 112, "num_transforms": 5, "num_bins": 8}

LogDensity = Callable[[Tensor, Tensor], Tensor]
Draw = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Judged:
    """What a network has learnt.

    Attributes:
        curves: Curves it was trained on.
        passes: How often it saw each.
        stopped: Whether it stopped by its own rule.
        seconds: Time of the processor of the training, simulation included [s].
        simulation: What simulation takes of it [s].
        weights: Number of trained weights.
        log_density: Mean log density of the truth.
        log_density_sd: Standard error of the mean.
        columns: Latent parameters.
        rmse: Root mean square error of the posterior mean, of each [prior sd].
        coverage: Share of truths in the central 90 % intervals, of each.
        draw_seconds: Time for 1,000 draws of one curve [s].
        peak: Largest memory while it was trained [GiB].
    """

    curves: int
    passes: float
    stopped: bool
    seconds: float
    simulation: float
    weights: int
    log_density: float
    log_density_sd: float
    columns: list[str]
    rmse: list[float]
    coverage: list[float]
    draw_seconds: float
    peak: float


@dataclass(frozen=True, eq=False)
class _Trained:
    """A trained network: see ``Judged``, and how to ask it."""

    passes: float
    stopped: bool
    seconds: float
    weights: int
    log_density: LogDensity
    draw: Draw


def _recipe(model: str, budget: int, seed: int) -> Recipe:
    """Our recipe for a budget of curves, in whole signs of life.

    Raises:
        ValueError: If the budget is too small.
    """
    recipe = recipe_for(model, seed=seed)
    steps = SIGNS * round(budget / recipe.batch / SIGNS)
    if not steps:
        raise ValueError(
            f"--budget must be at least {SIGNS * recipe.batch}, got {budget}."
        )
    return replace(recipe, steps=steps)


def _simulated(model: str, recipe: Recipe) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches that ``saxinfer train`` makes by this recipe, in its order."""
    structure = get_structure(model)
    generator = torch.Generator().manual_seed(recipe.seed)
    for step in range(recipe.steps):
        tier, points = kind_of_step(step)
        yield simulate(structure, tier, recipe.batch, points, generator)


def _ours(model: str, recipe: Recipe, limit: float) -> _Trained:
    """Our network, trained and loaded as a user's would be."""
    watch, done = Stopwatch(), [0.0]

    def progress(step: int, total: int, note: str) -> None:
        done[0] = watch.read()[0]

    with tempfile.TemporaryDirectory() as folder:
        course = Course(accelerator="cpu")
        train(model, Path(folder), recipe=recipe, course=course, progress=progress)
        network = load_estimator(model, Path(folder)).network
    generator = torch.Generator().manual_seed(recipe.seed)
    return _Trained(
        passes=1.0,
        stopped=True,
        seconds=done[0],
        weights=sum(p.numel() for p in network.parameters()),
        log_density=network.log_density,
        draw=lambda shown, count: network.sample(shown, count, generator),
    )


def _theirs(model: str, recipe: Recipe, limit: float) -> _Trained:
    """The network of sbi, trained until its own rule, or the time, stops it."""
    trainer_class = _sbi_within(limit)
    from sbi.neural_nets import posterior_nn

    watch = Stopwatch()
    torch.manual_seed(recipe.seed)
    latent, shown = (torch.cat(p) for p in zip(*_simulated(model, recipe), strict=True))
    size, structure = latent.shape[1], get_structure(model)
    prior = torch.distributions.MultivariateNormal(torch.zeros(size), torch.eye(size))
    build = posterior_nn(
        "nsf",
        z_score_theta="none",
        z_score_x="none",
        embedding_net=PosteriorNetwork(structure).embedding,
        **FLOW,
    )
    trainer = trainer_class(prior, density_estimator=build, show_progress_bars=False)
    trainer.append_simulations(latent, shown)
    with contextlib.redirect_stdout(io.StringIO()):
        network = trainer.train(training_batch_size=recipe.batch)
    seconds = watch.read()[0]
    network.eval()
    return _Trained(
        passes=trainer.epoch,
        stopped=not trainer.late,
        seconds=seconds,
        weights=sum(p.numel() for p in network.parameters()),
        log_density=lambda x, seen: network.log_prob(x[None], condition=seen)[0],
        draw=lambda seen, count: network.sample((count,), condition=seen)[:, 0],
    )


def _sbi_within(limit: float) -> type:
    """The trainer of sbi, which knows no limit of time, with one [s].

    Raises:
        ImportError: If sbi is not installed.
    """
    try:
        from sbi.inference import NPE
    except ImportError:
        raise ImportError(
            "sbi is needed to be set beside ours. Install it with pip install "
            "'saxinfer[dev]', or leave npe out of --parts."
        ) from None

    class Within(NPE):
        """Stops when its time is over, with the best weights so far."""

        late = False

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            self._watch = Stopwatch()

        def _converged(self, epoch: int, stop_after_epochs: int) -> bool:
            if super()._converged(epoch, stop_after_epochs):
                return True
            self.late = self._watch.read()[0] >= limit
            if self.late:
                self._neural_net.load_state_dict(self._best_model_state_dict)
            return self.late

    return Within


def _asked(model: str, curves: int) -> tuple[Tensor, Tensor]:
    """Curves that neither network has seen, of all kinds that training has, mixed."""
    kinds = 2 * len(GRIDS)
    recipe = Recipe(steps=kinds, batch=-(-curves // kinds), seed=ASKED_SEED)
    latent, shown = (torch.cat(p) for p in zip(*_simulated(model, recipe), strict=True))
    order = torch.randperm(len(latent), generator=torch.Generator().manual_seed(0))
    return latent[order][:curves], shown[order][:curves]


def judged(network: str, model: str, budget: int, limit: float, seed: int) -> Judged:
    """Trains a network and asks it about curves that it has not seen.

    Args:
        network: One of ``NETWORKS``.
        model: Name of the structure.
        budget: Curves to train on, about.
        limit: Most seconds of training of sbi's.
        seed: Of weights and curves.
    """
    recipe, watch = _recipe(model, budget, seed), Stopwatch()
    for _ in _simulated(model, replace(recipe, steps=2 * len(GRIDS))):
        pass
    simulation = watch.read()[0] * recipe.steps / (2 * len(GRIDS))
    found = _in_a_folder({"ours": _ours, "sbi": _theirs}[network], model, recipe, limit)
    peak = peak_memory()
    latent, shown = _asked(model, HELD_OUT)
    with torch.no_grad():
        parts = zip(latent.split(256), shown.split(256), strict=True)
        value = torch.cat([found.log_density(x, seen) for x, seen in parts]).double()
        found.draw(shown[:1], DRAWS)
        watch = Stopwatch()
        rows = [found.draw(shown[i : i + 1], DRAWS) for i in range(SAMPLED)]
        draw_seconds = watch.read()[0] / SAMPLED
    draws, truth = torch.stack(rows), latent[:SAMPLED]
    error = draws.mean(1) - truth
    rank = (draws < truth[:, None]).double().mean(1)
    structure = get_structure(model)
    names = [structure.space.names[i] for i in seen(structure)]
    return Judged(
        curves=recipe.steps * recipe.batch,
        passes=found.passes,
        stopped=found.stopped,
        seconds=found.seconds,
        simulation=simulation,
        weights=found.weights,
        log_density=float(value.mean()),
        log_density_sd=float(value.std() / np.sqrt(len(value))),
        columns=[*names, *NUISANCE_TARGETS],
        rmse=error.square().mean(0).sqrt().tolist(),
        coverage=((rank >= 0.05) & (rank <= 0.95)).double().mean(0).tolist(),
        draw_seconds=draw_seconds,
        peak=peak,
    )


def _in_a_folder(
    trained: Callable[[str, Recipe, float], _Trained],
    model: str,
    recipe: Recipe,
    limit: float,
) -> _Trained:
    """Trains in a folder that goes again: sbi keeps a log where it is run."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return trained(model, recipe, limit)
        finally:
            os.chdir(here)
