r"""The loss: the negative evidence lower bound of curves, with terms that can be off.

For K latent vectors z_k that a network draws for a curve, with their log weights
ln w_k = ln p(x | z_k) + ln p(z_k) - ln q(z_k | x),

.. math:: \mathcal L_1 = \frac1K \sum_k \ln w_k \quad\text{(elbo)}, \qquad
          \mathcal L_K = \ln \frac1K \sum_k w_k \quad\text{(iwae)}.

Gradients take the path z_k(phi) only; that of ln q in its own weights has the
expectation zero in the first and is what DReG rewrites in the second, where sample k
counts by its squared normalised weight. Where q is the posterior, each of these is
zero, sample by sample. Both seek a mode: q becomes as narrow as the posterior even
where the network errs by more, and leaves solutions out.

The ``wake`` term, sum of w_k / sum(w) ln q(z_k | x) over samples that stand still, is
the other divergence, that of the posterior from q. It widens q by what the network errs
and covers what samples meet. Nothing flows through the physics; the softening lets the
samples follow the posterior from the prior on. One of the samples is a place that each
curve keeps (:mod:`~saxinfer.inference.label_free.chain`). Beside a bound, which brings
samples near sooner, the term sets in as the softening ends.

While curves fit badly their ln w differ by millions. The likelihood is softened by a
relative error that falls to none, and each curve's loss is bent to c N ln(1 + gap / cN)
with N its points and gap its distance from a perfect fit: a monotone function of its
own bound, so that what is best for each curve stays best. The gradient of a sample that
is no number or has none counts as none, and is counted.

References:
    Roeder, Wu & Duvenaud, NeurIPS 2017: path derivatives. Burda, Grosse &
    Salakhutdinov, ICLR 2016. Tucker, Lawson, Gu & Maddison, ICLR 2019 (DReG).
    Bornschein & Bengio, ICLR 2015 (reweighted wake-sleep).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.func import functional_call

from saxinfer.inference.label_free.chain import candidates_weighed, stepped
from saxinfer.inference.label_free.curves import Alike
from saxinfer.inference.label_free.gradient import coordinates_of, parameters_of
from saxinfer.inference.label_free.likelihood import curve_of, fitting
from saxinfer.inference.label_free.plan import Plan
from saxinfer.inference.npe import PosteriorNetwork, seen
from saxinfer.instrument.nuisance import TRAINING
from saxinfer.structures.base import Structure

__all__ = [
    "Judged",
    "Loss",
    "bound_of",
    "judged",
    "log_density",
    "loss_of",
    "sampled",
]

# Gap for each point beyond which a curve pulls less [nat].
BENT = 3.0

# Norm that the gradient of one sample's terms is cut to [nat a latent unit]. Along the
# path it is zero at every sample where q is the posterior: cutting moves no optimum.
STEEPEST = 10.0


@dataclass(frozen=True, eq=False)
class Judged:
    """Terms of latent vectors, each [nat].

    Attributes:
        likelihood: ln p(x | z).
        prior: ln p(z).
        invariant: Of the scattering invariant within the window.
        porod: Of the upper end of q.
    """

    likelihood: Float[Tensor, "curve sample"]
    prior: Float[Tensor, "curve sample"]
    invariant: Float[Tensor, "curve sample"]
    porod: Float[Tensor, "curve sample"]


@dataclass(frozen=True, eq=False)
class Loss:
    """The loss of a batch, and what it is made of.

    Attributes:
        value: What is to be minimised [nat].
        terms: Mean of each term a curve [nat], without weights.
        chain: Where each curve's chain is now; None without.
        skipped: How many samples were no numbers; more may be counted backwards.
    """

    value: Float[Tensor, ""]
    terms: dict[str, float]
    chain: Float[Tensor, "curve latent"] | None = None
    skipped: list[int] = field(default_factory=list)


class _Density(nn.Module):
    """The density of a flow as one call, so that its weights can be exchanged."""

    def __init__(self, flow: nn.Module) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, latent: Tensor, context: Tensor) -> Tensor:
        density: Tensor = self.flow(context).log_prob(latent)
        return density


def sampled(
    network: PosteriorNetwork,
    context: Float[Tensor, "curve context"],
    base: Float[Tensor, "curve sample latent"],
) -> Float[Tensor, "curve sample latent"]:
    """Latent vectors from standard normal ones, differentiable in the network."""
    repeated = context.repeat_interleave(base.shape[1], 0)
    drawn: Tensor = network.flow(repeated).transform.inv(base.flatten(0, 1))
    return drawn.view(base.shape)


def log_density(
    network: PosteriorNetwork,
    context: Float[Tensor, "curve context"],
    latent: Float[Tensor, "curve sample latent"],
    *,
    fixed: bool,
) -> Float[Tensor, "curve sample"]:
    """Log density of latent vectors; with ``fixed`` weights, along their path only."""
    density = _Density(network.flow)
    repeated = context.repeat_interleave(latent.shape[1], 0)
    if fixed:
        weights = {name: part.detach() for name, part in density.named_parameters()}
        found = functional_call(
            density, weights, (latent.flatten(0, 1), repeated.detach())
        )
    else:
        found = density(latent.flatten(0, 1), repeated)
    return torch.as_tensor(found).view(latent.shape[:2])


def judged(
    structure: Structure,
    batch: list[Alike],
    latent: Float[Tensor, "curve sample latent"],
    floor: float = 0.0,
) -> Judged:
    """What physics and prior say of latent vectors.

    Args:
        structure: The model.
        batch: The curves, all of them.
        latent: Several vectors for each, columns as a network has them.
        floor: Relative error by which the likelihood is softened [1].
    """
    count, samples, _ = latent.shape
    free = len(seen(structure))
    parts = [latent.new_zeros(count, samples, dtype=torch.float64) for _ in range(3)]
    for alike in batch:
        rows = latent[alike.rows].flatten(0, 1).double()
        points = alike.points.repeated(samples)
        theta = parameters_of(structure, coordinates_of(structure, rows[:, :free]))
        level = rows.new_zeros(len(rows), 1)
        nuisance = TRAINING.theta_from_latent(torch.cat([level, rows[:, free:]], 1))
        found = fitting(curve_of(structure, theta, points), points, nuisance, floor)
        terms = (found.likelihood, found.invariant, found.porod)
        parts = [
            part.index_copy(0, alike.rows, term.view(-1, samples))
            for part, term in zip(parts, terms, strict=True)
        ]
    normal = latent.double().square() + math.log(2 * math.pi)
    return Judged(parts[0], -0.5 * normal.sum(-1), parts[1], parts[2])


def bound_of(
    log_weight: Float[Tensor, "curve sample"],
) -> Float[Tensor, " curve"]:
    """Importance-weighted bound of the log evidence [nat]."""
    found: Tensor = torch.logsumexp(log_weight, -1) - math.log(log_weight.shape[-1])
    return found


def loss_of(  # noqa: PLR0913
    network: PosteriorNetwork,
    structure: Structure,
    features: Float[Tensor, "curve channel bin"],
    batch: list[Alike],
    *,
    plan: Plan,
    step: int,
    generator: Generator,
    chain: Float[Tensor, "curve latent"] | None = None,
    asleep: Callable[[int], Tensor] | None = None,
) -> Loss:
    """The loss of a batch of curves.

    Args:
        network: What learns.
        structure: The model.
        features: What the network sees of each curve.
        batch: The curves.
        plan: Terms and samples.
        step: Steps done, which say how soft the likelihood is.
        generator: Source of the samples.
        chain: Latent vectors that the curves keep; None for none.
        asleep: Makes the ``sleep`` term of a step, if its weight is not zero.
    """
    weights, skipped = plan.weights, [0]
    base = torch.randn(
        len(features), plan.samples, network.features, generator=generator
    )
    context = network.embedding(features)
    # Without a bound nothing flows back through the physics.
    with torch.set_grad_enabled(plan.bound != "none"):
        latent = sampled(network, context, base)
        _guard(latent, skipped)
        found = judged(structure, batch, latent, plan.softness(step))
        entropy = -log_density(network, context, latent, fixed=True).double()
    guidance = plan.guidance(step)
    log_weight = (
        weights["likelihood"] * found.likelihood
        + weights["prior"] * found.prior
        + weights["entropy"] * entropy
        + guidance * weights["invariant"] * found.invariant
        + guidance * weights["porod"] * found.porod
    )
    usable = log_weight.isfinite()
    skipped[0] += int((~usable).sum())
    counted = torch.where(usable, log_weight, 0.0)
    share = _shares(log_weight.detach(), usable, plan)
    value = -(_pull(counted.detach(), usable, batch) * (share * counted).sum(-1)).mean()
    terms = {
        "likelihood": _mean(found.likelihood, usable),
        "prior": _mean(found.prior, usable),
        "entropy": _mean(entropy, usable),
        "invariant": _mean(found.invariant, usable),
        "porod": _mean(found.porod, usable),
    }
    awake = weights["wake"] * plan.alertness(step)
    if awake:
        value_of = _Value(structure, batch, plan.softness(step))
        own = (found.likelihood + found.prior).detach()
        wake, chain = _wake(
            network, context, (latent.detach(), own), chain, value_of, generator
        )
        terms["wake"] = float(wake.detach())
        value = value - awake * wake
    if weights["sleep"] and asleep is not None:
        sleep = asleep(step)
        terms["sleep"] = float(sleep.detach())
        value = value - weights["sleep"] * sleep
    return Loss(value, terms, chain, skipped)


@dataclass(frozen=True, eq=False)
class _Value:
    """Log prior plus log likelihood, as softened as a step is."""

    structure: Structure
    batch: list[Alike]
    floor: float

    def __call__(self, latent: Tensor) -> Tensor:
        with torch.no_grad():
            found = judged(self.structure, self.batch, latent, self.floor)
        return found.likelihood + found.prior


def _guard(latent: Tensor, skipped: list[int]) -> None:
    """Cuts each sample's gradient, and drops and counts what is no number."""
    # The loss is a mean over curves, and of a curve's samples.
    most = STEEPEST / (latent.shape[0] * latent.shape[1])

    def kept(gradient: Tensor) -> Tensor:
        usable = gradient.isfinite().all(-1, keepdim=True)
        skipped[0] += int((~usable).sum())
        safe = torch.where(usable, gradient, 0.0)
        norm = safe.norm(dim=-1, keepdim=True)
        cut: Tensor = safe * (most / norm.clamp(min=most))
        return cut

    if latent.requires_grad:
        latent.register_hook(kept)  # type: ignore[no-untyped-call]


def _shares(log_weight: Tensor, usable: Tensor, plan: Plan) -> Tensor:
    """How much each sample's path counts."""
    if plan.bound == "none":
        return torch.zeros_like(log_weight)
    if plan.bound == "elbo":
        return usable / usable.sum(-1, keepdim=True).clamp(min=1)
    masked = torch.where(usable, log_weight, -math.inf)
    return torch.softmax(masked, -1).nan_to_num(0.0).square()


def _pull(log_weight: Tensor, usable: Tensor, batch: list[Alike]) -> Tensor:
    """Slope of the bend for each curve."""
    best, size = (log_weight.new_zeros(len(log_weight)) for _ in range(2))
    for alike in batch:
        best[alike.rows] = alike.points.saturated
        size[alike.rows] = alike.points.number.sum(-1)
    mean = log_weight.sum(-1) / usable.sum(-1).clamp(min=1)
    gap = (best - mean).clamp(min=0) / size
    return 1 / (1 + gap / BENT)


def _wake(
    network: PosteriorNetwork,
    context: Tensor,
    own: tuple[Tensor, Tensor],
    chain: Tensor | None,
    value_of: _Value,
    generator: Generator,
) -> tuple[Tensor, Tensor | None]:
    """Mean log density of candidates weighed against one another, and the new chain."""
    latent, value = own
    if chain is not None:
        spread = latent.std(1) if latent.shape[1] > 1 else torch.ones_like(chain)
        places = stepped(chain, value_of, spread, generator)
        latent = torch.cat([latent, places.latent[:, None]], 1)
        value = torch.cat([value, places.value[:, None]], 1)
    density = log_density(network, context, latent, fixed=False)
    share, picked = candidates_weighed(value, density.detach().double(), generator)
    counted = torch.where(share > 0, share * density, 0.0)
    kept = None if chain is None else latent[torch.arange(len(latent)), picked]
    return counted.sum(-1).mean(), kept


def _mean(term: Tensor, usable: Tensor) -> float:
    kept = torch.where(usable, term.detach(), 0.0)
    return float(kept.sum() / usable.sum().clamp(min=1))
