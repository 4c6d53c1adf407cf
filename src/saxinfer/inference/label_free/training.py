"""Training an estimator on curves alone, or adapting one: ``--method label-free``.

What is written is what every estimator has (:mod:`saxinfer.inference.card`), so that
fits refine from it unchanged. A log of all terms, ``terms.csv``, lies beside it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from saxinfer.inference.card import (
    Estimator,
    load_estimator,
    survey_estimator,
    write_estimator,
)
from saxinfer.inference.checkpoint import read_checkpoint
from saxinfer.inference.label_free.adapt import Moved, moved
from saxinfer.inference.label_free.curves import Unlabelled
from saxinfer.inference.label_free.gradient import refuse_without_gradient
from saxinfer.inference.label_free.health import HeldBack
from saxinfer.inference.label_free.learn import LOG, Errand, Reached, learn
from saxinfer.inference.label_free.plan import TERMS, Plan
from saxinfer.inference.recipe import Course
from saxinfer.inference.training import FEWEST
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

__all__ = ["PATIENCE", "SHIPPED", "Trained", "train_label_free"]

SHIPPED = Path("shipped")
"""Stands for the estimator that comes with the package."""

PATIENCE = 5
"""Looks without a better figure that end an adaptation, unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of it.

    Attributes:
        reached: The network, and how it does.
        moved: What an adaptation changed; None if it was none.
        learnt: Number of curves that it learnt from.
        held: Number of curves that were held back.
    """

    reached: Reached
    moved: Moved | None
    learnt: int
    held: int

    def sentences(self) -> list[str]:
        """What to tell of it."""
        said = [] if self.moved is None else self.moved.sentences()
        if self.reached.ailment:
            said.append(
                f"{self.reached.ailment} The training was stopped, and the weights of "
                f"step {self.reached.step} were kept."
            )
        return said


def train_label_free(  # noqa: PLR0913
    model: str,
    out: Path,
    curves: Unlabelled,
    *,
    plan: Plan,
    course: Course,
    start: Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Trained:
    """Trains on curves alone and writes weights, card, log and domain.

    Args:
        model: Name of the structure.
        out: Folder to write; made if missing.
        curves: What to learn from; a tenth is held back.
        plan: Length, batch, samples and terms.
        course: How it is watched; it runs on one CPU.
        start: Folder of an estimator to go on from, ``SHIPPED`` for the package's.
        resume: Go on from the checkpoint in ``out``, if there is one.
        progress: Called after every few steps with steps done, all steps, and a note.

    Raises:
        ValueError: If there is no such model, if it has no gradients, if there are too
            few curves, if there is nothing to start from, or if the checkpoint is not
            one of this training.
    """
    structure = get_structure(model)
    refuse_without_gradient(structure)
    learnt, held = curves.parted(plan.seed)
    before = None if start is None else _started(model, start)
    plan = replace(
        plan, curves=curves.digest, start="" if before is None else before.hash
    )
    if before is not None and course.patience is None:
        course = replace(course, patience=PATIENCE)
    if resume:
        read_checkpoint(out, plan, 1)
    out.mkdir(parents=True, exist_ok=True)
    weights = None if before is None else before.network.state_dict()
    reached = learn(
        Errand(structure, out, plan, course, learnt, held, weights, resume), progress
    )
    change = None
    if before is not None:
        was = HeldBack(structure, held).health(before.network)
        change = moved(
            structure, held, (before.network, was), (reached.network, reached.health)
        )
    found = Trained(reached, change, len(learnt), len(held))
    _write(structure, out, plan, course, (found, curves))
    survey_estimator(model, out, most=max(FEWEST, plan.steps * plan.batch // 8))
    return found


def _started(model: str, start: Path) -> Estimator:
    return load_estimator(model, None if start == SHIPPED else start)


def _write(
    structure: Structure,
    out: Path,
    plan: Plan,
    course: Course,
    what: tuple[Trained, Unlabelled],
) -> None:
    """Writes weights and card."""
    found, curves = what
    reached = found.reached
    used = {name: weight for name, weight in plan.weights.items() if weight}
    entries: dict[str, object] = {
        "method": "label-free",
        "command": _command(structure.name, plan, course),
        "instruments": "those of the curves that it learnt from",
        "curves": {
            "source": curves.source,
            "digest": plan.curves,
            "learnt_from": found.learnt,
            "held_back": found.held,
            "refused": curves.refused,
        },
        "labels": (
            "simulated truths (the sleep term), none of the curves"
            if plan.sleep
            else "none"
        ),
        "terms": {name: [weight, TERMS[name]] for name, weight in used.items()},
        "validation": {
            "figure": "mean shortfall of the bound on held-back curves [nat]",
            "curves": found.held,
            "figures": reached.figures,
            "weights_of_step": reached.step,
            **asdict(reached.health),
        },
        "skipped_samples": reached.skipped,
        "log": LOG,
    }
    if reached.ailment:
        entries["ended_early"] = reached.ailment
    if found.moved is not None:
        entries["adaptation"] = found.moved.entries()
    write_estimator(
        out,
        structure,
        reached.network,
        recipe=dict(vars(plan)),
        losses=reached.losses,
        entries=entries,
    )


def _command(model: str, plan: Plan, course: Course) -> str:
    """What makes the same weights from the same curves."""
    said = (
        f"saxinfer train {model} --method label-free -o DIR --curves CURVES "
        f"--steps {plan.steps} --seed {plan.seed}"
    )
    if plan.start:
        said += " --start-from ESTIMATOR"
    said += f" --batch {plan.batch} --samples {plan.samples} --bound {plan.bound}"
    if not plan.memory:
        said += " --no-memory"
    usual = Plan().weights
    for name, weight in plan.weights.items():
        if weight != usual[name]:
            said += f" --term {name}={weight:g}"
    if course.patience is not None:
        said += f" --patience {course.patience} --every {course.every}"
    return said
