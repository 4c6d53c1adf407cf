"""Mirrors src/saxinfer/inference/label_free/learn.py."""

import csv
from pathlib import Path

import pytest
import torch
import zuko
from torch import Generator, Tensor, nn

from saxinfer.curve import Curve
from saxinfer.inference.label_free import health
from saxinfer.inference.label_free.curves import Unlabelled, from_curves
from saxinfer.inference.label_free.health import Health, HeldBack
from saxinfer.inference.label_free.learn import LOG, Errand, Reached, learn
from saxinfer.inference.label_free.loss import sampled
from saxinfer.inference.label_free.plan import TERMS, Plan
from saxinfer.inference.npe import CONTEXT, PosteriorNetwork
from saxinfer.inference.recipe import Course
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

SPHERE = get_structure("sphere")
SHORT = Plan(steps=8, batch=6, samples=2, anneal=0.25)


def errand(
    out: Path,
    curves: Unlabelled,
    plan: Plan = SHORT,
    course: Course | None = None,
    *,
    resume: bool = False,
) -> Errand:
    out.mkdir(exist_ok=True)
    learnt, held = curves.parted(plan.seed)
    course = course or Course(every=4)
    return Errand(SPHERE, out, plan, course, learnt, held, None, resume)


def run(*arguments: object, **options: object) -> Reached:
    said = errand(*arguments, **options)  # type: ignore[arg-type]
    return learn(said, lambda done, total, note: None)


def same(one: Reached, other: Reached) -> bool:
    rows = zip(one.network.parameters(), other.network.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in rows)


def test_the_same_seed_gives_the_same_weights(few: Unlabelled, tmp_path: Path) -> None:
    one, again = (run(tmp_path / name, few) for name in "ab")
    other = run(tmp_path / "c", few, Plan(steps=8, batch=6, samples=2, seed=2))
    assert same(one, again)
    assert not same(one, other)


def test_a_run_that_was_stopped_goes_on_to_the_same_weights_and_log(
    few: Unlabelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tmp_path / "whole", few)
    monkeypatch.setattr("saxinfer.inference.label_free.learn.TELLING", 1)

    def stop(done: int, total: int, note: str) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(errand(tmp_path / "broken", few), stop)
    resumed = run(tmp_path / "broken", few, resume=True)
    assert same(whole, resumed)
    assert whole.losses == resumed.losses
    assert whole.figures == resumed.figures
    logs = [(tmp_path / name / LOG).read_text() for name in ("whole", "broken")]
    assert logs[0] == logs[1]


def test_a_checkpoint_of_another_plan_is_refused(
    few: Unlabelled, tmp_path: Path
) -> None:
    run(tmp_path, few)
    with pytest.raises(ValueError, match="made with samples 2, but 4 was asked for"):
        run(tmp_path, few, Plan(steps=8, batch=6, samples=4), resume=True)


def test_every_term_is_logged(few: Unlabelled, tmp_path: Path) -> None:
    run(
        tmp_path,
        few,
        Plan(steps=2, batch=6, samples=2, anneal=0.75, sleep=0.1),
        Course(every=1),
    )
    with (tmp_path / LOG).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert all(rows[1][name] for name in TERMS)
    assert [float(row["softness"]) for row in rows] == pytest.approx(
        [0.3 * 0.01 ** (1 / 1.5), 0.0], rel=1e-3
    )
    assert {"figure", "effective", "width", "spread", "skipped"} < set(rows[0])


def test_patience_keeps_the_best_weights(
    few: Unlabelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([5.0, 4.0, 4.5, 4.6, 4.7, 4.0])
    monkeypatch.setattr(
        HeldBack, "health", lambda self, network: Health(next(figures), 0.1, 0.1, 0.5)
    )
    plan = Plan(steps=40, batch=6, samples=2, anneal=0.0)
    found = run(tmp_path, few, plan, Course(every=2, patience=3))
    assert found.step == 2
    assert [step for step, _ in found.figures] == [0, 2, 4, 6, 8]


def test_patience_does_not_end_while_the_likelihood_is_soft(
    few: Unlabelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        HeldBack, "health", lambda self, network: Health(5.0, 0.1, 0.1, 0.5)
    )
    plan = Plan(steps=20, batch=6, samples=2, anneal=0.5)
    found = run(tmp_path, few, plan, Course(every=2, patience=2))
    # Looks at 10, 12 and 14: the first of them sets the figure.
    assert found.figures[-1][0] == 14


def test_a_network_that_ails_is_stopped_with_its_best_weights(
    few: Unlabelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = iter([0.5, 0.4, 1e-9, 0.4])
    figures = iter([5.0, 4.0, 3.0 + 2, 4.0])
    monkeypatch.setattr(
        HeldBack,
        "health",
        lambda self, network: Health(next(figures), 0.1, next(widths), 0.5),
    )
    found = run(tmp_path, few, Plan(steps=40, batch=6, samples=2), Course(every=2))
    assert "shrunk to points" in found.ailment
    assert found.step == 2
    assert health.NARROWEST > 1e-9


def radius_of(network: PosteriorNetwork, curves: Unlabelled) -> Tensor:
    """Posterior mean of ln radius, from the latent number that stands for it."""
    generator = Generator().manual_seed(9)
    with torch.no_grad():
        context = network.embedding(curves.features)
        base = torch.randn(len(curves), 100, network.features, generator=generator)
        latent = sampled(network, context, base)
    found: Tensor = latent[:, :, 0].mean(1).double()
    return found


class _Small(PosteriorNetwork):
    """The network with fewer weights, to be quick."""

    def __init__(self, structure: Structure) -> None:
        super().__init__(structure)
        self.embedding = nn.Sequential(
            nn.Flatten(),
            nn.Linear(CHANNELS * BINS, 64),
            nn.SiLU(),
            nn.Linear(64, CONTEXT),
        )
        self.flow = zuko.flows.NSF(
            features=self.features,
            context=CONTEXT,
            bins=6,
            transforms=2,
            passes=2,
            hidden_features=(48,),
        )


def on_one_grid(count: int, seed: int) -> tuple[Tensor, Unlabelled]:
    """Spheres of the whole prior with five per cent of noise."""
    generator = Generator().manual_seed(seed)
    q = torch.logspace(-2, 0, 30, dtype=torch.float64)
    theta = SPHERE.space.sample(count, generator)
    clean = SPHERE.intensity(q, theta)
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    rows = zip(clean * (1 + 0.05 * noise), 0.05 * clean, strict=True)
    return theta, from_curves([Curve(q, *row) for row in rows], "made")


def test_radii_are_learnt_from_curves_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saxinfer.inference.label_free.learn.PosteriorNetwork", _Small)
    _, curves = on_one_grid(300, 5)
    truth, others = on_one_grid(150, 6)
    plan = Plan(steps=120, batch=32, samples=4, rate=3e-3)
    reached = run(tmp_path, curves, plan, Course(every=60))
    first, last = reached.figures[0][1], reached.figures[-1][1]
    assert last < 0.8 * first
    assert sum(reached.losses[-20:]) < 0.1 * sum(reached.losses[:20])
    error = radius_of(reached.network, others)
    error = error - SPHERE.space.latent_from_theta(truth)[:, 0]
    # The prior's own error is one; a hundred and fifty curves know it to 6 %.
    assert float(error.square().mean().sqrt()) < 0.6
