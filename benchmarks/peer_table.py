"""The table of benchmarks/peers.py: what contestants found, in Markdown."""

import math
import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from npe_peer import Judged
from peer_convergence import EFFECTIVE, R_HAT
from peer_samplers import Found

__all__ = ["Curves", "machine", "network_table", "sampler_table", "verdicts"]

PACKAGES = (
    "saxinfer",
    "numpy",
    "scipy",
    "torch",
    "zuko",
    "sasmodels",
    "bumps",
    "emcee",
    "arviz-stats",
    "sbi",
)

# What a contestant found of each curve, by seed.
Curves = dict[int, Found]


def machine() -> str:
    """Processor, cores, memory, and versions."""
    info = Path("/proc/cpuinfo")
    names = [
        line.split(":")[1].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()}; Python {platform.python_version()}, "
        f"{', '.join(f'{name} {_version(name)}' for name in PACKAGES)}. "
        "One thread a contestant, one contestant at a time."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sampler_table(found: dict[tuple[str, str], Curves]) -> str:
    """Time to a converged posterior, a row for each model, contestant and curve.

    Args:
        found: Results by model and contestant.
    """
    head = (
        "model",
        "contestant",
        "curve",
        f"s to R-hat < {R_HAT:g}, {EFFECTIVE:g} effective",
        "times ours",
        "s, R-hat of groups",
        "times ours",
        "start s",
        "R-hat",
        "effective",
        "curves tried",
        "means apart",
        "widths",
        "GiB (loaded)",
    )
    rows = [
        [model, name, str(seed), *_row(result, found[model, "ours"].get(seed))]
        for (model, name), curves in found.items()
        for seed, result in curves.items()
    ]
    return table(head, rows)


def _row(result: Found, ours: Found | None) -> list[str]:
    """Cells of one contestant and curve."""
    groups = result.seconds_in_groups
    return [
        _seconds(result.converged, result.seconds, result.at_least),
        _times(result, ours),
        _seconds(
            groups is not None, groups or result.seconds, result.at_least_in_groups
        ),
        _times(result, ours, in_groups=True),
        f"{result.start_seconds:.1f}",
        f"{result.r_hat:.3f}",
        f"{result.effective:.0f}",
        f"{result.curves:,}",
        *_apart(result, ours),
        f"{result.peak:.2f} ({result.loaded:.2f})",
    ]


def _seconds(reached: bool, seconds: float, at_least: float) -> str:
    """Seconds until something, or the limit and the extrapolated lower bound."""
    if reached:
        return f"{seconds:.3g}"
    if not math.isfinite(at_least):
        return f"> {seconds:.4g}"
    return f"> {seconds:.4g} (≥ {at_least:.2g})"


def _times(result: Found, ours: Found | None, *, in_groups: bool = False) -> str:
    """How many times as long as ours, told only if ours converged."""
    if ours is None or not ours.converged:
        return ""
    ratio, whole = ratio_of(result, ours, in_groups=in_groups)
    return f"{'' if whole else '> '}{ratio:.3g}"


def ratio_of(
    result: Found, ours: Found, *, in_groups: bool = False
) -> tuple[float, bool]:
    """Time over ours, and whether it converged; if not, the ratio is at least that."""
    if not in_groups:
        return result.seconds / ours.seconds, result.converged
    groups = result.seconds_in_groups
    return (groups or result.seconds) / ours.seconds, groups is not None


def _apart(result: Found, ours: Found | None) -> list[str]:
    """Largest distance of means, and the widths farthest from ours."""
    if ours is None:
        return ["", ""]
    names = [name for name in result.means if ours.sds[name] > 0]
    gaps = [abs(result.means[n] - ours.means[n]) / ours.sds[n] for n in names]
    widths = np.array([max(result.sds[n], 1e-300) / ours.sds[n] for n in names])
    farthest = widths[np.abs(np.log(widths)).argmax()]
    return [f"{max(gaps):.2f}", f"{farthest:.2f}"]


def verdicts(found: dict[tuple[str, str], Curves]) -> str:
    """For each model and forward, the time of the faster peer over ours."""
    lines = []
    for model in dict.fromkeys(model for model, _ in found):
        ours = found[model, "ours"]
        forwards = dict.fromkeys(
            name.partition(", ")[2]
            for kind, name in found
            if kind == model and name != "ours"
        )
        for forward in forwards:
            peers = [
                curves
                for (kind, name), curves in found.items()
                if kind == model and name.partition(", ")[2] == forward
            ]
            lines.append(f"- {model}, {forward}: {_verdict(peers, ours)}")
    return "\n".join(lines)


def _verdict(peers: list[Curves], ours: Curves) -> str:
    """The ratio of the faster peer's time to ours, curve by curve."""
    parts = []
    for in_groups, name in ((False, "R-hat"), (True, "R-hat of groups")):
        ratios = [
            min(
                ratio_of(curves[seed], mine, in_groups=in_groups)
                for curves in peers
                if seed in curves
            )
            for seed, mine in ours.items()
            if mine.converged and any(seed in curves for curves in peers)
        ]
        if not ratios:
            return "ours did not converge."
        middle = float(np.median([ratio for ratio, _ in ratios]))
        least, whole = min(ratios)
        parts.append(
            f"by {name} median "
            f"{'' if all(w for _, w in ratios) else '> '}{middle:.3g}, "
            f"least {'' if whole else '> '}{least:.3g}"
        )
    return (
        f"time of the faster peer over ours, {len(ratios)} of {len(ours)} curves: "
        f"{'; '.join(parts)}."
    )


def network_table(found: dict[str, Judged]) -> str:
    """What networks learnt: a row each, then a row for each column."""
    head = (
        "network",
        "curves",
        "passes",
        "training s",
        "of it simulation",
        "weights",
        "mean ln q of the truth",
        "mean RMSE",
        "mean coverage of 90 %",
        "farthest coverage",
        "ms for 1,000 draws",
        "GiB",
    )
    rows = [
        [
            name,
            f"{r.curves:,}",
            f"{r.passes:g}{'' if r.stopped else ', not settled'}",
            f"{r.seconds:.0f}",
            f"{r.simulation:.0f}",
            f"{r.weights:,}",
            f"{r.log_density:.2f} ± {r.log_density_sd:.2f}",
            f"{np.mean(r.rmse):.3f}",
            f"{np.mean(r.coverage):.3f}",
            f"{max(r.coverage, key=lambda c: abs(c - 0.9)):.3f}",
            f"{1e3 * r.draw_seconds:.0f}",
            f"{r.peak:.2f}",
        ]
        for name, r in found.items()
    ]
    columns = next(iter(found.values())).columns if found else []
    details = [
        [
            column,
            *(f"{r.rmse[i]:.3f}" for r in found.values()),
            *(f"{r.coverage[i]:.3f}" for r in found.values()),
        ]
        for i, column in enumerate(columns)
    ]
    names = [f"RMSE {n}" for n in found] + [f"coverage {n}" for n in found]
    return f"{table(head, rows)}\n\n{table(['column', *names], details)}"
