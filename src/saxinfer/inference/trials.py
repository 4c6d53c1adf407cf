"""Fits of several models to one curve: all of them briefly, a few of them well."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.base import Fit
from saxinfer.inference.effort import Effort

__all__ = ["FAR_BEHIND", "Begun", "Trials"]

# Models whose log evidence is that far below the best [nat] are skimmed only.
FAR_BEHIND: Final = 15.0

# Standard error of a log evidence with which models can be compared [nat].
SHARP: Final = 0.1

# Told how many models are done, and which one is next.
Begun = Callable[[int, str], None]


@dataclass(eq=False)
class Trials:
    """Fits of one curve so far, the latest of each model.

    Attributes:
        curve: The curve.
        weights: Prior weight of each model.
        options: How to fit.
        seed: Of the sampling.
        begun: Told before each fit how many models are done, and which one it is of.
        fits: By model.
        settled: Models that were fitted as well as they deserve.
    """

    curve: Curve
    weights: Mapping[str, float]
    options: FitOptions
    seed: int
    begun: Begun | None
    fits: dict[str, Fit] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    @property
    def scores(self) -> dict[str, float]:
        """Log evidence and log prior weight of each."""
        return {
            name: fit.evidence.log + math.log(self.weights[name])
            for name, fit in self.fits.items()
        }

    @property
    def ranked(self) -> list[str]:
        """Models, the most probable first."""
        scores = self.scores
        return sorted(scores, key=scores.__getitem__, reverse=True)

    def fit(self, name: str, effort: Effort) -> None:
        """Fits one model; time that it took before is added."""
        if self.begun is not None:
            self.begun(len(self.settled), name)
        options = replace(self.options, effort=effort)
        fit = run(self.curve, name, options=options, seed=self.seed)
        before = self.fits.get(name)
        seconds = 0.0 if before is None else before.provenance.seconds
        seconds += fit.provenance.seconds
        provenance = replace(fit.provenance, seconds=seconds)
        self.fits[name] = replace(fit, provenance=provenance)

    def settle_near(self) -> list[str]:
        """Fits those not far behind the best as well as they deserve.

        Returns:
            These models, those left out that are settled already.
        """
        best = max(self.scores.values())
        near = [
            name
            for name in self.ranked
            if self.scores[name] > best - FAR_BEHIND and name not in self.settled
        ]
        for name in near:
            self.settle(name)
        return near

    def settle(self, name: str) -> None:
        """Fits one model as well as it deserves."""
        effort = self.options.effort
        self.fit(name, effort.glance())
        fit, behind = self.fits[name], max(self.scores.values()) - self.scores[name]
        few = behind == 0 and fit.quality.effective_samples < effort.enough
        blurred = behind < FAR_BEHIND and fit.evidence.sd > SHARP
        if few or blurred:
            self.fit(name, effort)
        self.settled.add(name)
