"""Scores of what benchmarks/label_free.py has trained: tables, scores.csv, a figure."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from saxinfer.crew.processes import in_processes
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.card import load_estimator
from saxinfer.inference.label_free.gradient import coordinates_of
from saxinfer.inference.label_free.loss import sampled
from saxinfer.inference.npe import PosteriorNetwork, seen
from saxinfer.inference.trees.card import load_trees
from saxinfer.library import open_library
from saxinfer.preprocess.features import features
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

# Samples of a network for each curve, and curves that are worked on together.
SAMPLES, TOGETHER = 256, 50

# Truths lie in the interval between these, if it is honest, in nine cases of ten.
LOW, HIGH = 0.05, 0.95

# Numbers of curves that are learnt from.
COUNTS = (100, 1_000, 10_000)

REFINED = "free-10000"
FITS = "fits.jsonl"

# Parts of the figure: name, label, style (colours of Okabe & Ito).
SHOWN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("trees-10000", "boosted trees, labels", {"color": "#E69F00", "marker": "s"}),
    ("labels-10000", "network, labels", {"color": "#0072B2", "marker": "o"}),
    ("free-10000", "network, no labels", {"color": "#009E73", "marker": "D"}),
    (
        "shipped",
        "network of the package",
        {"color": "#0072B2", "marker": "o", "mfc": "none"},
    ),
    ("exact", "exact posterior", {"color": "#000000", "marker": "|", "ms": 12}),
)

# Columns whose rise with the number of curves is drawn, and how.
RISING = (("alpha_mean", "-"), ("phi_crystal", "--"))


@dataclass(frozen=True, eq=False)
class Judges:
    """Curves whose truths are known, as features and as what is to be found.

    Attributes:
        structure: The model.
        names: Of the columns.
        truth: Values of the columns.
        shown: Features.
        q, intensity, sigma: The curves.
    """

    structure: Structure
    names: tuple[str, ...]
    truth: Tensor
    shown: Tensor
    q: Tensor
    intensity: Tensor
    sigma: Tensor

    @classmethod
    def of(cls, model: str, path: Path) -> "Judges":
        """All curves of a library."""
        structure, data = get_structure(model), open_library(path)

        def column(name: str) -> Tensor:
            return torch.from_numpy(np.array(data[name], dtype=np.float64))

        names = tuple(p.name for p in (*structure.space, *structure.dependent))
        q, intensity, sigma = column("q"), column("intensity"), column("sigma")
        return cls(
            structure,
            names,
            torch.stack([column(name) for name in names], -1),
            features(q.repeat(len(intensity), 1), intensity, sigma),
            q,
            intensity,
            sigma,
        )

    @property
    def bounds(self) -> Tensor:
        """Smallest and largest value of each column."""
        space, rest = self.structure.space, self.structure.dependent
        own = [space.bounds(name) for name in space.names]
        return torch.tensor([*own, *((p.low, p.high) for p in rest)])


@dataclass(frozen=True, eq=False)
class Said:
    """What is said of each curve and column: mean, sd, and the ends of an interval."""

    mean: Tensor
    sd: Tensor
    low: Tensor
    high: Tensor


def by_network(network: PosteriorNetwork, judges: Judges) -> Said:
    """What a network says by itself, before any refinement."""
    structure, generator = judges.structure, Generator().manual_seed(5)
    parts = []
    for shown in torch.split(judges.shown, TOGETHER):
        base = torch.randn(len(shown), SAMPLES, network.features, generator=generator)
        with torch.no_grad():
            latent = sampled(network, network.embedding(shown), base).double()
        own = latent.flatten(0, 1)[:, : len(seen(structure))].clamp(-4.5, 4.5)
        found = coordinates_of(structure, own)
        hidden = [i for i in range(found.shape[1]) if i not in seen(structure)]
        found[:, hidden] = torch.randn(
            len(found), len(hidden), generator=generator, dtype=found.dtype
        )
        theta = structure.space.theta_from_latent(structure.latent(found))
        values = torch.cat([theta, structure.dependent_values(theta)], -1)
        parts.append(values.view(len(shown), SAMPLES, -1))
    values = torch.cat(parts)
    return Said(
        values.mean(1),
        values.std(1),
        values.quantile(LOW, 1),
        values.quantile(HIGH, 1),
    )


def by_trees(folder: Path, judges: Judges) -> Said:
    """What boosted trees say."""
    trained = load_trees(judges.structure.name, folder)
    x = judges.shown.flatten(1).numpy()
    columns = [
        [quantity.name for quantity in trained.quantities].index(name)
        for name in judges.names
    ]
    levels = trained.trees.boosting.levels
    quantiles = torch.from_numpy(trained.trees.quantiles(x)[:, columns])
    low, high = (quantiles[..., levels.index(level)] for level in (LOW, HIGH))
    mean = torch.from_numpy(trained.trees.predict(x)[:, columns])
    return Said(mean, (high - low) / 3.29, low, high)


def _fitted(
    model: str, estimator: Path, q: Tensor, row: tuple[int, Tensor, Tensor]
) -> dict[str, Any]:
    """What the exact posterior of one curve says."""
    number, intensity, sigma = row
    options = FitOptions(estimator=estimator)
    fit = run(Curve(q, intensity, sigma), model, options=options, seed=number)
    found: dict[str, Any] = {
        "row": number,
        "verdict": fit.quality.verdict,
        "effective": fit.quality.effective_samples,
        "efficiency": fit.quality.sampling_efficiency,
        "seconds": fit.provenance.seconds,
    }
    for name in (quantity.name for quantity in fit.posterior.quantities):
        summary = fit.posterior.summary(name)
        found[name] = [summary.mean, summary.sd, summary.q05, summary.q95]
    return found


def fit_all(model: str, out: Path, path: Path, count: int, workers: int) -> None:
    """Fits the first curves; those of an earlier run are kept."""
    judges = Judges.of(model, path)
    done = {row["row"] for row in fits_in(out)}
    jobs = [
        (row, judges.intensity[row], judges.sigma[row])
        for row in range(count)
        if row not in done
    ]
    work = partial(_fitted, model, out / REFINED, judges.q)
    with (
        (out / FITS).open("a") as file,
        closing(in_processes(work, jobs, workers)) as results,
    ):
        for number, found in enumerate(results, 1):
            file.write(json.dumps(found) + "\n")
            file.flush()
            print(f"\r{number} of {len(jobs)} fitted ", end="", file=sys.stderr)
    print(file=sys.stderr)


def fits_in(out: Path) -> list[dict[str, Any]]:
    """All fits of a folder by row; a line that was cut off is left out."""
    found: dict[int, dict[str, Any]] = {}
    lines = (out / FITS).read_text().splitlines() if (out / FITS).exists() else []
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[row["row"]] = row
    return [found[row] for row in sorted(found)]


def by_fits(fits: list[dict[str, Any]], names: tuple[str, ...]) -> Said:
    """What exact posteriors say."""
    values = torch.tensor([[fit[name] for name in names] for fit in fits])
    return Said(*values.double().unbind(-1))


def all_said(out: Path, judges: Judges) -> Iterator[tuple[str, Said, Tensor]]:
    """Each part that is there: its name, what it says, and the truths."""
    structure = judges.structure
    shipped = load_estimator(structure.name, None).network
    yield "shipped", by_network(shipped, judges), judges.truth
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        if folder.name.startswith("trees-") and (folder / "card.json").exists():
            yield folder.name, by_trees(folder, judges), judges.truth
        elif (folder / "weights.pt").exists():
            network = PosteriorNetwork(structure)
            network.load_state_dict(torch.load(folder / "weights.pt"))
            yield folder.name, by_network(network, judges), judges.truth
        elif (folder / "card.json").exists():
            network = load_estimator(structure.name, folder).network
            yield folder.name, by_network(network, judges), judges.truth
    fits = fits_in(out)
    if fits:
        rows = [fit["row"] for fit in fits]
        yield "exact", by_fits(fits, judges.names), judges.truth[rows]


@dataclass(frozen=True)
class Score:
    """How one part does in one column.

    Attributes:
        part: Its name.
        column: Name of the column.
        r2: Of the mean; 1 is perfect, 0 as good as the mean of all truths.
        coverage: Share of truths in the 90 % interval.
        sd: Root mean square standard deviation that is stated [the column's unit].
        outside: Means that lie out of the bounds.
        curves: How many were judged.
    """

    part: str
    column: str
    r2: float
    coverage: float
    sd: float
    outside: int
    curves: int


def scores(out: Path, judges: Judges) -> list[Score]:
    """Of all parts and columns."""
    found = []
    for part, said, truth in all_said(out, judges):
        error = (said.mean - truth).square().mean(0)
        r2 = 1 - error / truth.var(0, correction=0)
        inside = (said.low <= truth) & (truth <= said.high)
        low, high = judges.bounds.unbind(-1)
        slack = 1e-6 * (high - low)
        outside = (said.mean < low - slack) | (said.mean > high + slack)
        found += [
            Score(
                part,
                name,
                float(r2[i]),
                float(inside[:, i].double().mean()),
                float(said.sd[:, i].square().mean().sqrt()),
                int(outside[:, i].sum()),
                len(truth),
            )
            for i, name in enumerate(judges.names)
        ]
    return found


def table(model: str, out: Path, path: Path) -> None:
    """Prints scores, writes scores.csv and label-free.png."""
    judges = Judges.of(model, path)
    found = scores(out, judges)
    with (out / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(vars(found[0])))
        writer.writeheader()
        writer.writerows(vars(score) for score in found)
    parts = list(dict.fromkeys(score.part for score in found))
    for what, form in (("r2", "{:.3f}"), ("coverage", "{:.3f}"), ("sd", "{:.3g}")):
        print(f"\n| {what} | {' | '.join(judges.names)} |")
        print("|" + "---|" * (len(judges.names) + 1))
        for part in parts:
            cells = [form.format(getattr(s, what)) for s in found if s.part == part]
            print(f"| {part} | {' | '.join(cells)} |")
    for part in parts:
        outside = sum(score.outside for score in found if score.part == part)
        print(f"{part}: {outside} means out of bounds")
    fits = fits_in(out)
    if fits:
        seconds = sorted(fit["seconds"] for fit in fits)
        good = sum(fit["verdict"] == "good" for fit in fits)
        many = sum(fit["effective"] >= 1000 for fit in fits)
        print(
            f"{len(fits)} fits, {good} good, {many} of 1,000 effective samples and "
            f"more, median {seconds[len(seconds) // 2]:.1f} s"
        )
    draw(found, judges.names, out / "label-free.png")


def draw(found: list[Score], names: tuple[str, ...], path: Path) -> None:
    """R² and coverage by column; R² by number of curves."""
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    by = {(score.part, score.column): score for score in found}
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(12, 5.2), width_ratios=(1, 1, 0.9), layout="constrained"
    )
    places = np.arange(len(names))[::-1]
    for place in places:
        for axes in (left, middle):
            axes.axhline(place, color="0.92", lw=0.8, zorder=0)
    shown = [part for part in SHOWN if (part[0], names[0]) in by]
    for number, (part, label, style) in enumerate(shown):
        rows = places + 0.12 * (0.5 * (len(shown) - 1) - number)
        some = [by[part, name] for name in names]
        left.plot([s.r2 for s in some], rows, ls="", label=label, **style)
        middle.plot([s.coverage for s in some], rows, ls="", **style)
    left.axvline(0, color="0.6", lw=0.8, zorder=0)
    left.set_yticks(places, names)
    left.set_xlabel("R² of the mean [1]")
    middle.axvline(0.9, color="0.6", lw=0.8, zorder=0)
    middle.set_yticks(places, [])
    middle.set_xlabel("truths in the 90 % interval [1]")
    for part, _, style in shown[:3]:
        kind = part.partition("-")[0]
        for name, line in RISING:
            counts = [n for n in COUNTS if (f"{kind}-{n}", name) in by]
            risen = [by[f"{kind}-{n}", name].r2 for n in counts]
            right.plot(counts, risen, ls=line, **style)
    right.set_xscale("log")
    right.set_xlabel("curves that were learnt from [1]")
    right.set_ylabel("R² of the mean [1]")
    right.legend(
        [Line2D([], [], color="0.3", ls=line) for _, line in RISING],
        [name for name, _ in RISING],
        loc="lower right",
    )
    figure.legend(loc="outside upper center", ncols=len(shown), fontsize=9)
    figure.savefig(path, dpi=150)
    plt.close(figure)
