"""Learning without labels against labels: the same curves, the same budget.

    python benchmarks/label_free.py train MODEL -o DIR [--only PART ...]
    python benchmarks/label_free.py fit MODEL -o DIR [--fits 200] [--workers 2]
    python benchmarks/label_free.py table MODEL -o DIR

``train`` makes a library of 10,000 curves and one of 1,000 that judge, both of the
standard tier on the library's q, and learns from the first 100, 1,000 and all of them:

- ``free-N``: without labels, as ``saxinfer train --method label-free`` does;
- ``labels-N``: the same network, schedule, batch and number of steps, but the labels of
  the same N curves; a tenth of them chooses the best weights;
- ``trees-N``: the boosted trees of ``saxinfer train --method xgboost``;
- ``without-X``, ``with-X``: shorter trainings without labels, one term changed each,
  beside ``usual`` with nothing changed.

``fit`` refines the proposals of ``free-10000`` for the first curves that judge: what
intervals hold, and the Bayes limit; the seed of a fit is the number of its curve.
``table`` scores what there is, prints the tables, writes scores.csv, and draws the
figure. Each part is kept in a folder of DIR and not made twice; a training without
labels that was stopped goes on, the others begin again.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from label_free_scores import COUNTS, fit_all, table
from saxinfer.inference.label_free.curves import read_unlabelled
from saxinfer.inference.label_free.learn import STEEPEST, WARM
from saxinfer.inference.label_free.plan import Plan
from saxinfer.inference.label_free.training import train_label_free
from saxinfer.inference.npe import NUISANCE_TARGETS, PosteriorNetwork, seen
from saxinfer.inference.recipe import Course, share_of_rate
from saxinfer.inference.trees.training import train_trees
from saxinfer.instrument.nuisance import TRAINING
from saxinfer.library import Recipe, make_library, open_library
from saxinfer.preprocess.features import features
from saxinfer.scattering.matrix_prior import REACH, Heights
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

# As `saxinfer simulate MODEL --noise standard` has it [1/nm].
Q_LOW, Q_HIGH, POINTS = 0.02, 3.0, 500

# Learning from few curves takes fewer steps before nothing is left to learn.
STEPS = {100: 2_000, 1_000: 3_000, 10_000: 12_000}

SHORT = 600

# What is changed in each of the shorter trainings.
VARIANTS: dict[str, dict[str, float | str | bool]] = {
    "usual": {},
    "without-wake": {"wake": 0.0},
    "without-bound": {"bound": "none"},
    "without-wake-and-entropy": {"entropy": 0.0, "wake": 0.0},
    "without-memory": {"memory": False},
    "without-softening": {"anneal": 0.0},
    "without-prior": {"prior": 0.0},
    "with-iwae": {"bound": "iwae"},
    "with-invariant-and-porod": {"invariant": 1.0, "porod": 1.0},
    "with-sleep": {"sleep": 1.0},
}

TRAIN, TEST = "train.zarr", "test.zarr"


def told(name: str) -> Callable[[int, int, str], None]:
    """Progress of a part, on one line."""

    def tell(done: int, total: int, note: str) -> None:
        print(f"\r{name}: {done:,} of {total:,}, {note} ", end="", file=sys.stderr)

    return tell


def make_curves(model: str, out: Path) -> None:
    """The curves that are learnt from, and those that judge."""
    shares = [n / (POINTS - 1) for n in range(POINTS)]
    q = tuple(Q_LOW * (Q_HIGH / Q_LOW) ** share for share in shares)
    recipes = {TRAIN: Recipe(model, COUNTS[-1], q=q, noise="standard")}
    recipes[TEST] = replace(recipes[TRAIN], count=1_000, seed=1)
    for name, recipe in recipes.items():
        make_library(recipe, out / name, resume=True)


def learn_free(model: str, out: Path, name: str, count: int, plan: Plan) -> None:
    """Without labels."""
    curves = read_unlabelled([out / TRAIN], most=count)
    train_label_free(
        model,
        out / name,
        curves,
        plan=plan,
        course=Course(accelerator="cpu"),
        resume=True,
        progress=told(name),
    )


def learn_labels(model: str, out: Path, name: str, count: int) -> None:
    """From labels, as the network without them learns: schedule, batch, steps."""
    structure, plan = get_structure(model), Plan(steps=STEPS[count])
    latent, shown = labelled(structure, out / TRAIN, count)
    generator = Generator().manual_seed(plan.seed)
    order = torch.randperm(count, generator=generator)
    held, used = order[: count // 10], order[count // 10 :]
    torch.manual_seed(plan.seed)
    network = PosteriorNetwork(structure)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate)
    best, kept = float("inf"), network.state_dict()
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * share_of_rate(step, plan.steps, WARM)
        rows = used[torch.randperm(len(used), generator=generator)[: plan.batch]]
        loss = -network.log_density(latent[rows], shown[rows]).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), STEEPEST)
        optimizer.step()
        if (step + 1) % 100 == 0:
            with torch.no_grad():
                figure = -float(network.log_density(latent[held], shown[held]).mean())
            told(name)(step + 1, plan.steps, f"held back {figure:.3f} nat")
            if figure < best:
                best = figure
                kept = {n: w.clone() for n, w in network.state_dict().items()}
    (out / name).mkdir(exist_ok=True)
    torch.save(kept, out / name / "weights.pt")


def labelled(structure: Structure, path: Path, count: int) -> tuple[Tensor, Tensor]:
    """What is to be learnt from labels, and what is seen."""
    data = open_library(path)

    def column(name: str) -> Tensor:
        return torch.from_numpy(np.array(data[name][:count], dtype=np.float64))

    q = torch.from_numpy(np.array(data["q"])).repeat(count, 1)
    shown = features(q, column("intensity"), column("sigma"))
    theta = torch.stack([column(name) for name in structure.space.names], -1)
    # As in training from simulations, none is as good as very little.
    least = {"power_law_share": 3e-4, "model_error": 3.2e-4}
    nuisance = torch.stack(
        [
            torch.ones(count, dtype=torch.float64)
            if name == "level"
            else column(name).clamp(min=least.get(name, 0.0))
            for name in TRAINING.names
        ],
        -1,
    )
    extra = TRAINING.latent_from_theta(nuisance)[:, -len(NUISANCE_TARGETS) :]
    own = coordinates(structure, theta)[:, seen(structure)]
    return torch.cat([own, extra], -1).clamp(-4.5, 4.5).float(), shown


def coordinates(structure: Structure, theta: Tensor) -> Tensor:
    """What ``structure.latent`` makes latent numbers of, from parameters."""
    found = structure.space.latent_from_theta(theta)
    if not structure.entangled:
        return found
    # Cellulose alone: |f - 1/2| and the contrast ratio stand for share and density.
    names = structure.space.names
    columns = dict(zip(names, theta.unbind(-1), strict=True))
    share = columns["phi_grf1"] / (1 - columns["phi_crystal"])
    level = torch.special.ndtri((share - 0.5).abs() / REACH).clamp(-4.5, 4.5)
    first, second = columns["sld_grf1"], columns["sld_grf2"]
    wanted = (1 - share * first - (1 - share) * second) / (first - second)
    low, high = torch.full_like(level, -6.0), torch.full_like(level, 6.0)
    for _ in range(50):
        middle = 0.5 * (low + high)
        below = Heights.of(middle, level).inverse > wanted
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    found[:, names.index("sld_grf1")] = 0.5 * (low + high)
    found[:, names.index("phi_grf1")] = level
    return found


def train(model: str, out: Path, only: list[str]) -> None:
    """All parts that are not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    make_curves(model, out)
    parts: dict[str, Callable[[], None]] = {}
    for count in reversed(COUNTS):
        plan = Plan(steps=STEPS[count])
        parts[f"free-{count}"] = lambda c=count, p=plan: learn_free(
            model, out, f"free-{c}", c, p
        )
        parts[f"labels-{count}"] = lambda c=count: learn_labels(
            model, out, f"labels-{c}", c
        )
        parts[f"trees-{count}"] = lambda c=count: train_trees(
            model,
            out / f"trees-{c}",
            curves=c,
            library=out / TRAIN,
            progress=told(f"trees-{c}"),
        )
    for name, change in VARIANTS.items():
        plan = replace(Plan(steps=SHORT), **change)  # type: ignore[arg-type]
        parts[name] = lambda n=name, p=plan: learn_free(model, out, n, COUNTS[-1], p)
    for name in only or parts:
        if name not in parts:
            raise SystemExit(f"No part '{name}'. Parts: {', '.join(parts)}.")
        if not finished(out / name):
            parts[name]()
            print(file=sys.stderr)


def finished(folder: Path) -> bool:
    """Whether a part is there."""
    return (folder / "card.json").exists() or (folder / "weights.pt").exists()


def main() -> None:
    """Trains, fits or tabulates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("train", "fit", "table"))
    parser.add_argument("model")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if asked.what == "train":
        torch.set_num_threads(1)
        train(asked.model, asked.out, asked.only)
    elif asked.what == "fit":
        fit_all(asked.model, asked.out, asked.out / TEST, asked.fits, asked.workers)
    else:
        table(asked.model, asked.out, asked.out / TEST)


if __name__ == "__main__":
    main()
