"""What a method says of one curve, whatever the method."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from saxinfer.inference.base import Band, Evidence, Quality
from saxinfer.posterior import Posterior

__all__ = ["Answer"]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says of one prepared curve.

    Attributes:
        posterior: What is believed of every quantity.
        band: The fitted curve.
        quality: How far to trust it.
        evidence: Log evidence; not a number where the method has none.
        estimator: Short hash of the estimator.
        settings: What is worth knowing about the method, in words.
    """

    posterior: Posterior
    band: Band
    quality: Quality
    evidence: Evidence
    estimator: str
    settings: Mapping[str, str | float | int] = field(default_factory=dict)
