"""Gradient descent on curves alone: steps, looks at held-back curves, checkpoints.

The closed forms make their constants on a processor, and each step needs their
gradients, so that it all runs on one CPU. The same curves, plan and start give the same
weights, bit for bit, stopped and resumed or not.

References:
    Loshchilov & Hutter, ICLR 2019 (AdamW), ICLR 2017 (cosine schedule). Pascanu,
    Mikolov & Bengio, ICML 2013 (clipping).
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from saxinfer.inference.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from saxinfer.inference.label_free.curves import Unlabelled
from saxinfer.inference.label_free.health import Health, HeldBack
from saxinfer.inference.label_free.loss import loss_of
from saxinfer.inference.label_free.plan import TERMS, Plan
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.recipe import Course, share_of_rate
from saxinfer.inference.training_curves import kind_of_step, simulate
from saxinfer.inference.validation import best_of, is_exhausted
from saxinfer.structures.base import Structure

__all__ = ["LOG", "STEEPEST", "WARM", "Errand", "Reached", "learn"]

LOG = "terms.csv"

# Steps between two words on the progress, and of the warm-up.
TELLING, WARM = 25, 100

# Norm that a batch's gradient is cut to.
STEEPEST = 5.0

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Errand:
    """What is to be learnt from what, and where it goes.

    Attributes:
        structure: The model.
        out: Folder of checkpoint and log.
        plan: What makes the network.
        course: How it is watched.
        curves: What it learns from.
        held: What judges it.
        start: Weights to start from; None for new ones.
        resume: Go on from the checkpoint, if there is one.
    """

    structure: Structure
    out: Path
    plan: Plan
    course: Course
    curves: Unlabelled
    held: Unlabelled
    start: dict[str, Tensor] | None
    resume: bool


@dataclass(frozen=True, eq=False)
class Reached:
    """Where a training ended.

    Attributes:
        network: The network, with the weights that are kept.
        step: Steps that these weights have had.
        losses: Of each step [nat].
        figures: Steps done and figure [nat] of each look.
        health: How the kept weights do on the held-back curves.
        ailment: Why it ended before its time; nothing if it did not ail.
        skipped: How many samples were no numbers.
    """

    network: PosteriorNetwork
    step: int
    losses: list[float]
    figures: list[tuple[int, float]]
    health: Health
    ailment: str
    skipped: int


def learn(errand: Errand, tell: Tell) -> Reached:
    """Trains until the plan or the patience ends, or the network ails.

    Args:
        errand: What to learn.
        tell: Called after every few steps with steps done, all steps, and a note.

    Raises:
        ValueError: If the checkpoint is not one of this training.
    """
    walk = _Walk(errand)
    steps, every = errand.plan.steps, errand.course.every
    if not walk.figures:
        walk.look()
    while walk.done < steps and not walk.exhausted and not walk.ailment:
        walk.advance()
        if walk.done % TELLING == 0:
            tell(walk.done, steps, walk.note())
        if walk.done % every == 0 or walk.done == steps:
            walk.look()
            walk.keep()
    return walk.reached()


class _Walk:
    """A network on its way down."""

    def __init__(self, errand: Errand) -> None:
        self.errand, plan = errand, errand.plan
        torch.manual_seed(plan.seed)
        self.network = PosteriorNetwork(errand.structure)
        if errand.start is not None:
            self.network.load_state_dict(errand.start)
        self.generator = Generator().manual_seed(plan.seed)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=plan.rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: share_of_rate(step, plan.steps, WARM)
        )
        self.done, self.losses = 0, list[float]()
        self.figures, self.best = list[tuple[int, float]](), dict[str, Tensor]()
        self.skipped, self.ailment = 0, ""
        self.first: Health | None = None
        self.now: Health | None = None
        self.judge = HeldBack(errand.structure, errand.held)
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.chains: Tensor | None = None
        if plan.memory and plan.wake:
            # Places of the prior: where a chain begins.
            width = self.network.features
            self.chains = torch.randn(
                len(errand.curves), width, generator=self.generator
            )
        if errand.resume:
            self._go_on()
        elif (errand.out / LOG).exists():
            (errand.out / LOG).unlink()

    def _go_on(self) -> None:
        """Takes up what a checkpoint holds, if there is one."""
        found = read_checkpoint(self.errand.out, self.errand.plan, 1)
        if found is None:
            return
        if self.errand.start is not None:
            self.first = self.judge.health(self.network)
        self.network.load_state_dict(found.network)
        self.optimizer.load_state_dict(found.optimizer)
        self.schedule.load_state_dict(found.schedule)
        self.generator.set_state(found.generators[0].clone())
        self.done, self.losses = found.step, found.losses
        self.figures, self.best = found.validation, found.best
        self.chains = found.kept.get("chains")
        kept = _rows(self.errand.out / LOG, self.done)
        self.skipped = sum(int(row["skipped"]) for row in kept)
        _write(self.errand.out / LOG, kept)
        self.now = self.judge.health(self.network)
        self.ailment = self.now.ailment(self.first)

    @property
    def exhausted(self) -> bool:
        """Whether the patience has ended; while the likelihood is soft it does not."""
        plan = self.errand.plan
        figures = [figure for step, figure in self.figures if not plan.softness(step)]
        return is_exhausted(figures, self.errand.course.patience)

    def advance(self) -> None:
        """One step; a gradient that is no number changes nothing."""
        plan, curves = self.errand.plan, self.errand.curves
        count = min(plan.batch, len(curves))
        rows = torch.randperm(len(curves), generator=self.generator)[:count].tolist()
        batch = list(curves.compared(rows, plan.points, self.generator))
        loss = loss_of(
            self.network,
            self.errand.structure,
            curves.features[rows],
            batch,
            plan=plan,
            step=self.done,
            generator=self.generator,
            chain=None if self.chains is None else self.chains[rows],
            asleep=self._asleep,
        )
        if self.chains is not None and loss.chain is not None:
            self.chains[rows] = loss.chain
        self.optimizer.zero_grad()
        torch.autograd.backward(loss.value)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), STEEPEST)
        if bool(norm.isfinite()):
            self.optimizer.step()
        self.schedule.step()
        self.losses.append(-_total(loss.terms, plan))
        self.done += 1
        self.counted += 1
        told = {**loss.terms, "skipped": float(loss.skipped[0])}
        for name, value in told.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def _asleep(self, step: int) -> Tensor:
        """Mean log density of truths that are simulated for it."""
        tier, points = kind_of_step(step)
        plan = self.errand.plan
        latent, seen = simulate(
            self.errand.structure, tier, plan.batch, points, self.generator
        )
        usable = seen.flatten(1).isfinite().all(1)
        return self.network.log_density(latent[usable], seen[usable]).mean()

    def note(self) -> str:
        """What there is to tell."""
        recent = self.losses[-TELLING:]
        said = f"loss {sum(recent) / len(recent):.3f}"
        softness = self.errand.plan.softness(self.done)
        if softness:
            said += f", softened by {100 * softness:.2g} %"
        if self.figures:
            said += f", shortfall {self.figures[-1][1]:.3f}"
        return said

    def look(self) -> None:
        """Judges the network by the curves that were held back."""
        self.now = self.judge.health(self.network)
        if self.done == 0 and self.errand.start is not None:
            self.first = self.now
        self.ailment = self.now.ailment(self.first)
        self.figures.append((self.done, self.now.figure))
        best = best_of([figure for _, figure in self.figures])
        if self.figures[best][0] == self.done:
            state = self.network.state_dict()
            self.best = {name: part.clone() for name, part in state.items()}

    def keep(self) -> None:
        """Writes log and checkpoint."""
        rows = _rows(self.errand.out / LOG, self.done - 1)
        _write(self.errand.out / LOG, [*rows, self._row()])
        self.sums, self.counted = {}, 0
        checkpoint = Checkpoint(
            recipe=dict(vars(self.errand.plan)),
            devices=1,
            step=self.done,
            losses=self.losses,
            validation=self.figures,
            generators=self.generator.get_state()[None],
            network=self.network.state_dict(),
            best=self.best,
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
            kept={} if self.chains is None else {"chains": self.chains},
        )
        write_checkpoint(self.errand.out, checkpoint)

    def _row(self) -> dict[str, str]:
        """Means of the terms since the last row, and the health."""
        assert self.now is not None
        skipped = int(self.sums.pop("skipped", 0.0))
        self.skipped += skipped
        row = {"step": str(self.done)}
        for name in TERMS:
            value = self.sums.get(name)
            row[name] = "" if value is None else f"{value / self.counted:.6g}"
        row["softness"] = f"{self.errand.plan.softness(self.done):.4g}"
        row["skipped"] = str(skipped)
        return row | {name: f"{value:.6g}" for name, value in vars(self.now).items()}

    def reached(self) -> Reached:
        """What is kept: the last weights, or the best of one that had a patience."""
        last = self.errand.course.patience is None and not self.ailment
        step, health = self.done, self.now
        if not last:
            step = self.figures[best_of([figure for _, figure in self.figures])][0]
            self.network.load_state_dict(self.best)
            health = self.judge.health(self.network)
        assert health is not None
        return Reached(
            self.network,
            step,
            self.losses,
            self.figures,
            health,
            self.ailment,
            self.skipped,
        )


def _total(terms: dict[str, float], plan: Plan) -> float:
    """The bound of a batch, as far as its terms are switched on [nat]."""
    named = ("likelihood", "prior", "entropy")
    return sum(plan.weights[name] * terms[name] for name in named)


def _rows(path: Path, last: int) -> list[dict[str, str]]:
    """Rows of the log up to a step."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["step"]) <= last]


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
