"""What a calibration found, in sentences, each of which may turn out false.

Each test is failed by a perfect method in one of a hundred calibrations; with the tests
of good fits alone there are at most seven of them. Beyond tests there are two demands:
no coverage curve is further from the diagonal than ``LARGEST_GAP``, and no more than
``MOST_ALARMS`` of the curves that the model describes are called anything but good.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from saxinfer.calibration import Assessment, Check
from saxinfer.calibration.assessment import SURE
from saxinfer.calibration.binned import Bin, adjusted
from saxinfer.judging import Calibration
from saxinfer.judging.calibration import CONDITIONS, Condition
from saxinfer.report.wording import in_words

__all__ = ["LARGEST_GAP", "MOST_ALARMS", "Finding", "findings", "range_of"]

LARGEST_GAP: Final = 0.05
MOST_ALARMS: Final = 0.05


@dataclass(frozen=True)
class Finding:
    """One expectation, what came out, and whether it holds; None if it cannot tell."""

    expected: str
    found: str
    holds: bool | None


def findings(calibration: Calibration) -> tuple[Finding, ...]:
    """All expectations in turn."""
    every, good = calibration.assessment, calibration.assessment_of_good
    names = [in_words(column.name) for column in calibration.columns]
    found = [
        *_tests(every, names, f"all {every.count} fits"),
        _near(every, names),
        _everywhere(calibration, names),
    ]
    if good is not None:
        found += _tests(good, names, f"the {good.count} fits called good")
    return (*found, *_alarms(calibration))


def _tests(part: Assessment, names: list[str], of: str) -> list[Finding]:
    """Ranks, coverage and joint posterior against what a perfect method shows."""
    tests = [_ranks(part, names, of), _covering(part, names, of)]
    return [*tests, *([] if part.joint_check is None else [_joint(part, of)])]


def _ranks(part: Assessment, names: list[str], of: str) -> Finding:
    smallest = min(check.adjusted for check in part.checks)
    failed = [
        f"{name} (p = {check.adjusted:.2g})"
        for name, check in zip(names, part.checks, strict=True)
        if check.adjusted < 1 - SURE
    ]
    told = f"smallest p = {smallest:.2g}, {len(names)} columns accounted for"
    return Finding(
        f"The truth ranks uniformly among posterior samples, {of}.",
        f"Not for {', '.join(failed)}; {told}." if failed else f"Yes: {told}.",
        not failed,
    )


def _covering(part: Assessment, names: list[str], of: str) -> Finding:
    gap, widest = _widest(part.checks, names)
    pairs = zip(names, part.checks, strict=True)
    failed = [name for name, check in pairs if not check.within]
    told = f"the largest difference from the level is {gap:.3f} ({widest})"
    return Finding(
        f"Central intervals of every level cover as a perfect method's do, {of}.",
        f"Not those of {', '.join(failed)}; {told}." if failed else f"Yes; {told}.",
        not failed,
    )


def _joint(part: Assessment, of: str) -> Finding:
    assert part.joint_check is not None
    check = part.joint_check
    return Finding(
        f"The joint posterior covers as a perfect method's does (TARP), {of}.",
        f"{'Yes' if check.within else 'No'}; the largest difference from the level is "
        f"{check.gap:.3f}.",
        check.within,
    )


def _near(part: Assessment, names: list[str]) -> Finding:
    """The demand on accuracy, which needs curves enough to be shown."""
    far = [
        f"{name} {check.gap:.3f}"
        for name, check in zip(names, part.checks, strict=True)
        if check.gap > LARGEST_GAP + 1e-9
    ]
    told = f"Further off: {', '.join(far)}" if far else "None is further off"
    few = bool(far) and _widest(part.checks, names)[0] <= part.coverage_limit + 1e-9
    return Finding(
        f"No coverage curve is further than {LARGEST_GAP:g} from the diagonal.",
        told
        + (
            f". {part.count} curves cannot tell: a perfect method may be "
            f"{part.coverage_limit:.3f} off."
            if few
            else "."
        ),
        None if few else not far,
    )


def _widest(checks: tuple[Check, ...], names: list[str]) -> tuple[float, str]:
    place = max(range(len(checks)), key=lambda index: checks[index].gap)
    return checks[place].gap, names[place]


def _everywhere(calibration: Calibration, names: list[str]) -> Finding:
    """Coverage in all bins; one test over all of them."""
    bins = [(c, each) for c in CONDITIONS for each in calibration.bins(c)]
    p_values = adjusted([each for _, each in bins])
    failed = [
        f"{name} {part.share:.2f} of {part.of} "
        f"({condition} {range_of(each, condition)})"
        for (condition, each), row in zip(bins, p_values, strict=True)
        for name, part, p in zip(names, each.inside, row, strict=True)
        if p < 1 - SURE
    ]
    smallest = min((p for row in p_values for p in row), default=1.0)
    told = f"smallest p = {smallest:.2g}, {len(bins) * len(names)} tests accounted for"
    return Finding(
        "90 % intervals cover 90 % whatever the noise and the window of q.",
        f"Not {'; '.join(failed)}; {told}." if failed else f"Yes: {told}.",
        not failed,
    )


def _alarms(calibration: Calibration) -> list[Finding]:
    """How often curves that the model describes are called anything but good."""
    alarms = calibration.false_alarms("")
    if not calibration.has_verdicts or alarms is None:
        return []
    low, high = alarms.interval()
    return [
        Finding(
            f"At most {100 * MOST_ALARMS:g} % of the curves that the model describes "
            "are called poor or out of domain.",
            f"{alarms.count} of {alarms.of}, {100 * alarms.share:.1f} % "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %).",
            low <= MOST_ALARMS,
        )
    ]


def range_of(each: Bin, condition: Condition) -> str:
    """A bin in words: "1 to 3 %", "below 1 decade".

    Example:
        >>> range_of(Bin(0.01, 0.03, ()), "noise")
        '1 to 3 %'
        >>> range_of(Bin(2, np.inf, ()), "decades")
        'above 2'
    """
    factor, unit = (100, " %") if condition == "noise" else (1, "")
    low, high = factor * each.low, factor * each.high
    if np.isinf(low):
        return f"below {high:g}{unit}"
    if np.isinf(high):
        return f"above {low:g}{unit}"
    return f"{low:g} to {high:g}{unit}"
