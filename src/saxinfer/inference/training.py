"""Training a posterior network on curves simulated as they are needed.

Every step draws fresh parameters, fresh instruments (half of them standard tier, half
hard) and fresh noise from one seeded generator: the network never sees a curve twice,
and the same seed gives the same weights. A checkpoint beside the result lets a killed
run go on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.card import survey_estimator, write_estimator
from saxinfer.inference.npe import NUISANCE_TARGETS, PosteriorNetwork, seen
from saxinfer.instrument.nuisance import TRAINING
from saxinfer.instrument.tiers import NOISE, POINTS, Tier, draw_setting, measure
from saxinfer.preprocess.features import features
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

__all__ = ["Recipe", "recipe_for", "simulate", "train"]

# Points a simulated curve is evaluated at. More points of a real curve are stood for
# by less noise: within a feature's bin that is the same information.
GRIDS = (12, 32, 64, 96, 160)

# Curves of each tier and use to say at least where features lie.
FEWEST = 32


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train.

    Attributes:
        steps: Number of gradient steps.
        batch: Curves a step.
        rate: Largest learning rate; it warms up and falls along a cosine.
        seed: Seed of weights, parameters, instruments and noise.
    """

    steps: int = 5000
    batch: int = 384
    rate: float = 1.5e-3
    seed: int = 1


# What the shipped estimators were trained with, where it differs from the default.
RECIPES = {
    "core_shell_sphere": Recipe(steps=7000),
    "cellulose": Recipe(steps=9000),
}


def recipe_for(
    model: str, *, steps: int | None = None, seed: int | None = None
) -> Recipe:
    """The shipped recipe of a model, with another length or seed if given."""
    recipe = RECIPES.get(model, Recipe())
    return replace(
        recipe,
        steps=recipe.steps if steps is None else steps,
        seed=recipe.seed if seed is None else seed,
    )


def simulate(
    structure: Structure, tier: Tier, batch: int, points: int, generator: Generator
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch channel bin"]]:
    """Draws latent parameters with the features of a curve measured from each."""
    space = structure.space
    latent = torch.randn(
        batch, len(space), generator=generator, dtype=torch.float64
    ).clamp(-4.5, 4.5)
    theta = space.theta_from_latent(structure.latent(latent))
    setting = draw_setting(tier, batch, points, generator, TRAINING)
    fewest, most = POINTS[tier]
    span = math.log(most / max(points, fewest))
    share = torch.rand(batch, generator=generator, dtype=torch.float64)
    fewer = torch.exp(-0.5 * span * share)
    # A standard-tier curve has no power law: one of a thousandth at most stands for it.
    nuisance = setting.nuisance.clone()
    weak = 1e-4 * 10 ** torch.rand(batch, generator=generator, dtype=torch.float64)
    nuisance[:, 2] = torch.where(nuisance[:, 2] > 0, nuisance[:, 2], weak)
    nuisance[:, 5] = nuisance[:, 5].clamp(min=3.2e-4)
    reduced = nuisance.clone()
    reduced[:, 5] = nuisance[:, 5] * fewer
    setting = type(setting)(
        q=setting.q,
        noise=(setting.noise * fewer).clamp(min=NOISE[tier][0] / 30),
        growth=setting.growth,
        solid_angle=setting.solid_angle,
        ceiling=setting.ceiling,
        nuisance=reduced,
    )
    curve = structure.intensity(setting.q.float(), theta.float()).double()
    curves = measure(curve.clamp(min=1e-300), setting, generator)
    extra = TRAINING.latent_from_theta(nuisance)[:, -len(NUISANCE_TARGETS) :]
    target = torch.cat([latent[:, seen(structure)], extra.clamp(-4.5, 4.5)], -1).float()
    return target, features(curves.q, curves.intensity, curves.sigma)


def train(
    model: str,
    out: Path,
    *,
    recipe: Recipe | None = None,
    resume: bool = False,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> None:
    """Trains the estimator of a model and writes weights and card.

    Args:
        model: Name of the structure.
        out: Folder to write; made if missing.
        recipe: Length, batch, rate and seed; the shipped estimators' by default.
        resume: Go on from the checkpoint in ``out``, if there is one.
        progress: Called after every few steps with steps done, all steps, and a note.
    """
    recipe = recipe or recipe_for(model)
    structure = get_structure(model)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    torch.manual_seed(recipe.seed)
    network = PosteriorNetwork(structure)
    generator = Generator().manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step, recipe.steps)
    )
    first, losses = 0, []
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        first, losses = state["step"], state["losses"]
    for step in range(first, recipe.steps):
        tier: Tier = "standard" if step % 2 == 0 else "hard"
        points = GRIDS[(step // 2) % len(GRIDS)]
        points = max(points, 32) if tier == "standard" else points
        latent, seen = simulate(structure, tier, recipe.batch, points, generator)
        loss = -network.log_density(latent, seen).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        # One curve beyond numbers must not spoil the rest.
        if bool(norm.isfinite()):
            optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if (step + 1) % 50 == 0:
            recent = sum(losses[-50:]) / 50
            progress(step + 1, recipe.steps, f"loss {recent:.3f}")
        if (step + 1) % 500 == 0 or step + 1 == recipe.steps:
            state = {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "generator": generator.get_state(),
                "step": step + 1,
                "losses": losses,
            }
            partial = checkpoint.with_suffix(".partial")
            torch.save(state, partial)
            partial.replace(checkpoint)
    write_estimator(out, structure, network, recipe=vars(recipe), losses=losses)
    # A network that saw few curves is not worth many.
    survey_estimator(model, out, most=max(FEWEST, recipe.steps * recipe.batch // 8))


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: a short warm-up, then a cosine to zero."""
    warm = min(1.0, (step + 1) / 200)
    return warm * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))
