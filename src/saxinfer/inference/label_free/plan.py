"""What makes a network that learns without labels: length, samples, and its terms.

Each term of the loss has a weight, and zero switches it off. Bounds, positivity and
fractions that sum to one have none: they are built into the map from latent numbers to
parameters, as Porod's limit with the surface area and the scattering invariant are into
the closed form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from saxinfer.inference.recipe import Recipe

__all__ = ["BOUNDS", "TERMS", "Plan", "adapting", "terms_from_texts"]

BOUNDS = ("elbo", "iwae", "none")

TERMS = {
    "likelihood": "ln p(x | z), of the curve given structure and instrument",
    "prior": "ln p(z), the standard normal",
    "entropy": "-ln q(z | x); without it, one point instead of a posterior",
    "invariant": "integral of q² I over the window, a guide that fades",
    "porod": "mean of q⁴ I at the upper end of q, a guide that fades",
    "wake": "ln q at samples and at a chain's place, weighed by the likelihood",
    "sleep": "ln q at simulated truths: labels, which the physics makes",
}


@dataclass(frozen=True)
class Plan(Recipe):
    """How long, how fast and by which terms to learn from curves alone.

    Attributes:
        steps: Number of gradient steps.
        batch: Curves a step.
        rate: Largest learning rate; it warms up and falls along a cosine.
        seed: Seed of weights, batches and samples.
        samples: Latent vectors drawn for each curve of a step.
        points: Most points of a curve that a step compares.
        bound: ``elbo``, ``iwae`` (importance-weighted), or ``none``, which leaves the
            wake and sleep terms to learn by.
        anneal: Share of the steps in which the likelihood is softened.
        floor: Relative error that it is softened by at first [1].
        likelihood: Weight of this and of each further term, see ``TERMS``.
        memory: Whether each curve keeps a place in its posterior, which the wake term
            counts beside the network's own samples.
        curves: Digest of the curves that it learns from.
        start: Hash of the estimator that it starts from; empty for none.

    Raises:
        ValueError: If a number is out of its range.
    """

    steps: int = 12_000
    batch: int = 64
    rate: float = 1e-3
    samples: int = 8
    points: int = 128
    bound: str = "elbo"
    anneal: float = 0.5
    floor: float = 0.3
    likelihood: float = 1.0
    prior: float = 1.0
    entropy: float = 1.0
    invariant: float = 0.0
    porod: float = 0.0
    wake: float = 1.0
    sleep: float = 0.0
    memory: bool = True
    curves: str = ""
    start: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 1 or self.points < 10:
            raise ValueError(
                "A step needs 1 sample and 10 points of a curve at least, got "
                f"{self.samples} and {self.points}."
            )
        if self.bound not in BOUNDS:
            raise ValueError(
                f"Unknown bound '{self.bound}'. Known bounds: {', '.join(BOUNDS)}."
            )
        if not 0 <= self.anneal < 1 or not 0 < self.floor <= 1:
            raise ValueError(
                "The annealed share must be from 0 to below 1 and the floor above 0 to "
                f"1, got {self.anneal:g} and {self.floor:g}."
            )
        for name, weight in self.weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(
                    f"The weight of '{name}' must not be negative, got {weight:g}."
                )
        if self.bound == "none" and not self.wake and not self.sleep:
            raise ValueError(
                "Without a bound there is nothing to learn by. Give 'wake' or 'sleep' "
                "a weight, or take a bound."
            )
        if self.weighs and self.samples < 2:
            raise ValueError(
                "Importance weights need 2 samples of a curve at least, got "
                f"{self.samples}."
            )

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each term."""
        return {name: float(getattr(self, name)) for name in TERMS}

    @property
    def weighs(self) -> bool:
        """Whether samples of one curve are weighed against one another."""
        return self.bound == "iwae" or self.wake > 0

    def softness(self, step: int) -> float:
        """Relative error added in a step; it falls geometrically, then is none.

        Example:
            >>> plan = Plan(steps=100, anneal=0.5, floor=0.1)
            >>> [round(plan.softness(step), 4) for step in (0, 25, 50)]
            [0.1, 0.01, 0.0]
        """
        length = self.anneal * self.steps
        return self.floor * 0.01 ** (step / length) if step < length else 0.0

    def alertness(self, step: int) -> float:
        """Share of its weight that the wake term has in a step."""
        return 1.0 if self.bound == "none" else 1 - self.guidance(step)

    def guidance(self, step: int) -> float:
        """Share of their weights that the guides have left in a step."""
        length = self.anneal * self.steps
        return 1 - step / length if step < length else 0.0


def adapting(plan: Plan) -> Plan:
    """A plan for a network that has learnt already: short, slow, and not softened.

    Example:
        >>> adapting(Plan()).anneal
        0.0
    """
    return replace(plan, steps=1000, rate=1e-4, anneal=0.0)


def terms_from_texts(texts: list[str]) -> Mapping[str, float]:
    """``name=weight`` as weights by name.

    Raises:
        ValueError: If there is no such term, or if a weight is no number.

    Example:
        >>> terms_from_texts(["wake=0.5", "porod=1"])
        {'wake': 0.5, 'porod': 1.0}
    """
    found: dict[str, float] = {}
    known = [field.name for field in fields(Plan) if field.name in TERMS]
    for text in texts:
        name, _, weight = (part.strip() for part in text.partition("="))
        if name not in known:
            raise ValueError(f"Unknown term '{name}'. Known terms: {', '.join(known)}.")
        try:
            found[name] = float(weight)
        except ValueError:
            raise ValueError(f"A term needs name=weight, but got '{text}'.") from None
    return found
