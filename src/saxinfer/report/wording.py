"""How names, numbers and units are written for a reader."""

import math
import re
from collections.abc import Sequence
from typing import Final

from saxinfer.inference.base import Fit, VerdictName
from saxinfer.inference.trees.marginals import Marginals
from saxinfer.posterior import Posterior, Quantity, Summary

__all__ = [
    "MEANING_OF_NUISANCE",
    "VERDICT_SENTENCE",
    "VERDICT_TITLE",
    "axis_label",
    "either",
    "from_trees",
    "in_words",
    "interval",
    "number",
    "prior_range",
    "rounded",
    "solutions",
    "teaching",
    "unit_in_print",
    "unit_in_table",
    "verdict_sentence",
    "verdict_title",
]

VERDICT_TITLE: Final[dict[VerdictName, str]] = {
    "good": "Good: the model describes this curve",
    "poor": "Poor: the model describes this curve only in part",
    "out_of_domain": "Out of domain: the numbers below must not be used",
}

VERDICT_SENTENCE: Final[dict[VerdictName, str]] = {
    "good": (
        "Measured points scatter about the fitted curve as their errors say. Values "
        "marked as constrained may be quoted with their 90 % intervals."
    ),
    "poor": (
        "There are differences between the curve and the model that the errors do not "
        "explain. The intervals include what is known of this misfit, but a wrong "
        "model can still shift the values. Read the reasons before quoting them."
    ),
    "out_of_domain": (
        "This curve is not of the kind that the model can produce. What is printed "
        "below is the closest the model comes, not a measurement of the sample."
    ),
}

# Boosted trees do not look back at the curve; their misfit is not only the model's.
TREE_TITLE: Final[dict[VerdictName, str]] = {
    "good": "Good: the curve at the predicted values is the measured one",
    "poor": "Poor: the curve at the predicted values is not quite the measured one",
    "out_of_domain": VERDICT_TITLE["out_of_domain"],
}

TREE_SENTENCE: Final[dict[VerdictName, str]] = {
    "good": (
        "Measured points scatter about the curve at the medians as their errors say. "
        "The intervals are right on average over many curves."
    ),
    "poor": (
        "There are differences between the measured curve and the model's curve at the "
        "medians that the errors do not explain. Boosted trees do not look back at the "
        "curve: the trees may be wrong here, or the model. Read the reasons."
    ),
    "out_of_domain": (
        "This curve is not of the kind that the trees learnt from. What is printed "
        "below is not a measurement of the sample."
    ),
}

MEANING_OF_NUISANCE: Final[dict[str, str]] = {
    "scale": "Factor from the model's intensity to the measured one.",
    "background": "Flat background that was fitted along with the model.",
    "background_share": "Share of the background in the intensity at the highest q.",
    "power_law": "Strength of the extra scattering at low q, q to a negative power.",
    "power_law_exponent": "Exponent of that extra scattering.",
    "sigma_factor": (
        "Factor on the error bars of the file: 1 means that they are right, 2 that the "
        "points scatter twice as much as stated."
    ),
    "model_error": (
        "Relative difference between model and sample that had to be allowed for, at "
        "each q: 0.02 means 2 % of the intensity. Above 0.05 the verdict is not good."
    ),
}

SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def from_trees(posterior: Posterior) -> bool:
    """Whether quantities are known one by one only, as boosted trees know them."""
    return isinstance(posterior, Marginals)


def verdict_title(fit: Fit) -> str:
    """The verdict in one line."""
    titles = TREE_TITLE if from_trees(fit.posterior) else VERDICT_TITLE
    return titles[fit.quality.verdict]


def verdict_sentence(fit: Fit) -> str:
    """What the verdict means for a reader."""
    sentences = TREE_SENTENCE if from_trees(fit.posterior) else VERDICT_SENTENCE
    return sentences[fit.quality.verdict]


def in_words(name: str) -> str:
    """A column's name as words: ``radius_mean`` is "radius mean".

    Example:
        >>> in_words("radius_mean")
        'radius mean'
    """
    return name.replace("_", " ")


def unit_in_print(unit: str) -> str:
    """A unit as printed: raised powers, and no fraction of one.

    Example:
        >>> unit_in_print("1/nm"), unit_in_print("10^10/cm2"), unit_in_print("a.u.")
        ('nm⁻¹', '10¹⁰/cm²', 'a.u.')
    """
    raised = re.sub(
        r"(?:\^|(?<=[^\W\d]))(-?\d+)",
        lambda found: found[1].translate(SUPERSCRIPT),
        unit,
    )
    top, _, bottom = raised.partition("/")
    return f"{bottom}⁻¹" if top.strip() == "1" and bottom.isalpha() else raised


def unit_in_table(unit: str) -> str:
    """A unit in a column of its own, where a lone 1 would be read as a number."""
    return "–" if unit == "1" else unit_in_print(unit)


def axis_label(name: str, unit: str) -> str:
    """Label of an axis, "radius mean [nm]"."""
    return f"{in_words(name)} [{unit_in_print(unit)}]"


def number(value: float | None, digits: int = 4) -> str:
    """A number with so many significant digits, or a dash where there is none.

    Example:
        >>> number(1234.567), number(0.000012345), number(None)
        ('1235', '1.234e-05', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}g}"


def rounded(value: float, spread: float) -> str:
    """A number as exact as its spread allows: the spread keeps two digits.

    Example:
        >>> rounded(12.3456, 0.034), rounded(0.1234, 0.02), rounded(5432.1, 210.0)
        ('12.346', '0.123', '5430')
    """
    if not (math.isfinite(value) and math.isfinite(spread)):
        return "–"
    if spread <= 0 or value == 0:
        return number(value)
    places = 1 - math.floor(math.log10(spread))
    size = max(abs(value), spread)
    if places > 6 or size >= 1e6:
        digits = max(2, places + math.floor(math.log10(size)) + 1)
        return f"{value:.{min(digits, 8)}g}"
    value = round(value, places)
    return f"{value:.{max(0, places)}f}"


def interval(summary: Summary) -> tuple[str, str, str]:
    """Median, 5 % and 95 % quantile of one quantity, rounded alike."""
    spread = (summary.q95 - summary.q05) / 2
    low, median, high = (
        rounded(value, spread) for value in (summary.q05, summary.median, summary.q95)
    )
    return median, low, high


def prior_range(quantity: Quantity) -> str:
    """Range of the prior, "0.5 to 150, log"."""
    scale = ", log" if quantity.logarithmic else ""
    return f"{number(quantity.prior_low, 3)} to {number(quantity.prior_high, 3)}{scale}"


def teaching(summary: Summary, verdict: VerdictName) -> str:
    """What the data say of one quantity: constrained, several modes, or little."""
    if verdict == "out_of_domain":
        return "out of domain"
    if summary.modes > 1:
        return f"{summary.modes} solutions"
    return "yes" if summary.constrained else "no"


def solutions(posterior: Posterior, name: str) -> str:
    """The separate solutions with their shares, "0.45 (70 %) or 0.55 (30 %)"."""
    found = posterior.solutions(name)
    return either(found) if len(found) > 1 else ""


def either(found: Sequence[tuple[float, float]]) -> str:
    """Medians of several solutions with their shares, as exact as tells them apart.

    Example:
        >>> either([(0.4512, 0.7), (0.5498, 0.3)])
        '0.4512 (70 %) or 0.5498 (30 %)'
    """
    medians = [median for median, _ in found]
    spread = (max(medians) - min(medians)) / 10
    return " or ".join(
        f"{rounded(median, spread)} ({100 * share:.0f} %)" for median, share in found
    )
