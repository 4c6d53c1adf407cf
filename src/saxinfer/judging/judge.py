"""Any function from a curve to samples, judged in this process."""

from collections.abc import Callable, Iterable

from saxinfer.judging.calibration import Calibration
from saxinfer.judging.draws import Draw, Prior
from saxinfer.judging.judged import PosteriorOf, judged

__all__ = ["judge"]

Progress = Callable[[int], None]


def judge(
    posterior_of: PosteriorOf,
    draws: Iterable[Draw],
    prior: Prior,
    *,
    seed: int = 0,
    progress: Progress = lambda done: None,
) -> Calibration:
    """Lets a method see curves whose parameters are known, and judges what it says.

    Args:
        posterior_of: From a curve to equally weighted samples of the prior's columns,
            shape [sample, column], 99 or more, or to a
            :class:`~saxinfer.judging.belief.Belief`. A ``ValueError`` refuses a curve.
        draws: Curves drawn from the prior, with their truth.
        prior: What is to be found, within which bounds.
        seed: Chooses the samples that the truth is ranked among.
        progress: Told how many curves are done.

    Raises:
        CalibrationError: If samples have another shape, are too few or not finite.

    Example:
        >>> from saxinfer.judging import drawn, prior_of
        >>> sphere = prior_of("sphere")
        >>> def knows_only_the_prior(curve):
        ...     radius = 0.5 * 300 ** torch.rand(500, 1)
        ...     return torch.cat([radius, radius * torch.rand(500, 1)], 1)
        >>> curves = (drawn("sphere", "standard", 1, row) for row in range(20))
        >>> found = judge(knows_only_the_prior, curves, sphere)
        >>> len(found.fitted), found.accuracy()[0].r2 < 0.1
        (20, True)
    """
    found = []
    for draw in draws:
        found.append(judged(posterior_of, draw, prior, seed))
        progress(len(found))
    return Calibration(prior.columns, tuple(found))
