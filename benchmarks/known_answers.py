"""Files with known answers: are these met, and are intervals as wide as they should be?

    SAXINFER_MEASURED_DATA=DIR python benchmarks/known_answers.py [-o DIR] [--resume]
                                                                  [--tries 3]

fits measured curves, and curves computed by other programs, by the same path as
``saxinfer fit``, and samples the same posterior by the reference of
benchmarks/reference.py. It prints for every quantity whose value is known: that
value and how far off an answer may be, our median and 90 % interval, and the standard
deviation and the width of that interval over the reference's, and the evidence by
ours, by the reference, and by nested sampling alone.
Files, ranges of q and tolerances were settled before this was run first. Files that are
not in DIR are left out.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from nested import likelihood_of, sampled_columns
from saxinfer.curve import Curve
from saxinfer.formats import load, subtract
from saxinfer.inference import Fit, FitOptions, run
from saxinfer.inference.target import Target
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures import get_structure
from settled import CARES, Reference, Stored, settled_reference

SEED = 1


@dataclass(frozen=True)
class Known:
    """A file, and what is known of it.

    Attributes:
        file: Its path below the folder of measured data.
        model: What it is.
        answers: Value and tolerance by name [as printed].
        source: Who says so.
        q_unit: Of a file that does not say.
        q_range: That of the published analysis [1/nm].
        entry: Index of the curve.
        background: Index of the curve that is subtracted.
    """

    file: str
    model: str
    answers: dict[str, tuple[float, float]]
    source: str
    q_unit: str | None = None
    q_range: tuple[float | None, float | None] | None = None
    entry: int = 0
    background: int | None = None

    def curve(self, folder: Path) -> Curve:
        """The curve as a user would have it read."""
        curves = load(folder / self.file, q_unit=self.q_unit)
        chosen = curves[self.entry]
        if self.background is None:
            return chosen
        return subtract(chosen, curves[self.background])


KNOWN = (
    Known(
        "reference_particles/Au_86116.csv",
        "sphere",
        {"radius_mean": (13.05, 0.33), "radius_std": (2.655, 0.27)},
        "gold, published fit of log-normal spheres (aisaxs)",
        q_unit="1/A",
        q_range=(0.02, 0.6),
    ),
    Known(
        "reference_particles/dataset-NPSIZE10.xml",
        "sphere",
        {"radius_mean": (25.15, 0.63)},
        "silica, nPSize-10: 50.3 nm ± 2.5 %",
        q_range=(0.094, 1.0),
        entry=3,
        background=2,
    ),
    Known(
        "reference_particles/apoferritin.txt",
        "core_shell_sphere",
        {"radius_mean": (6.1, 0.2), "inner_radius": (4.0, 0.3)},
        "apoferritin, hollow: 61 ± 2 and 40 ± 3 Å",
    ),
    Known(
        "reference_curves/n_coreshell.txt",
        "core_shell_sphere",
        {"radius_mean": (19.0, 0.19), "shell_thickness": (4.0, 0.12)},
        "computed by SasView with noise: 15 nm and 4 nm",
        q_unit="1/A",
    ),
    Known(
        "reference_curves/x_coreshell_1.txt",
        "sphere",
        {"radius_mean": (19.0, 0.19)},
        "computed by SasView with noise: core and shell of one density",
        q_unit="1/A",
    ),
)


@dataclass(frozen=True, eq=False)
class Compared:
    """One quantity of one file.

    Attributes:
        name: Of the quantity.
        median: Ours, as a fit prints it.
        interval: Our 90 % interval.
        widths: Standard deviation and interval of ours over the reference's.
        shift: Our mean less the reference's, in its standard deviations.
    """

    name: str
    median: float
    interval: tuple[float, float]
    widths: tuple[float, float]
    shift: float


def reference_of(
    known: Known, curve: Curve, fit: Fit, stored: Stored, tries: int
) -> tuple[Target, Reference]:
    """The reference of the same posterior."""
    structure = get_structure(known.model)
    observation = prepare(curve, known.q_range).observation()
    target = Target(structure, structure.space, observation)
    likelihood, size = likelihood_of(target), len(sampled_columns(target))
    return target, settled_reference(
        likelihood,
        size,
        SEED,
        stored,
        tries,
        known=(fit.evidence.log, fit.evidence.sd),
    )


def quantities(target: Target, draws: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters, and what is derived from them, of the reference's draws."""
    structure = target.structure
    latent = torch.zeros(len(draws), target.dimension, dtype=torch.float64)
    latent[:, sampled_columns(target)] = torch.from_numpy(draws)
    theta = target.theta(latent)
    named = dict(zip(structure.space.names, theta.T.numpy(), strict=True))
    derived = structure.derived_values(theta).T.numpy()
    named.update(zip((p.name for p in structure.derived), derived, strict=True))
    return named


def compared(fit: Fit, name: str, theirs: np.ndarray) -> Compared:
    """Ours beside the reference."""
    ours = fit.posterior.summary(name)
    low, high = ours.q05, ours.q95
    other_low, other_high = np.quantile(theirs, (0.05, 0.95))
    return Compared(
        name,
        ours.median,
        (low, high),
        (ours.sd / theirs.std(), (high - low) / (other_high - other_low)),
        (ours.mean - theirs.mean()) / theirs.std(),
    )


def told(known: Known, fit: Fit, reference: Reference, found: Compared) -> str:
    """A line of the table."""
    value, allowed = known.answers[found.name]
    low, high = found.interval
    one, two = reference.sides
    return (
        f"| {Path(known.file).name}: {known.source} | {known.model} | {found.name} "
        f"| {value:g} ± {allowed:g} | {found.median:.5g} ({low:.5g} to {high:.5g}) "
        f"| {'yes' if abs(found.median - value) <= allowed else '**no**'} "
        f"| {found.widths[0]:.3f} | {found.widths[1]:.3f} | {found.shift:+.2f} "
        f"| {fit.quality.verdict} | {fit.evidence.log:.2f} "
        f"± {fit.evidence.sd:.2f} "
        f"| {one.evidence[0]:.2f}, {two.evidence[0]:.2f} ± {two.evidence[1]:.2f} "
        f"| {one.nested.log_evidence:.2f}, {two.nested.log_evidence:.2f} "
        f"± {two.nested.log_evidence_sd:.2f} "
        f"| {one.around.effective:.0f}, {two.around.effective:.0f} "
        f"| {'yes' if reference.settled else 'no'} |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/known"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument(
        "--tries", type=int, default=3, choices=range(1, len(CARES) + 1)
    )
    asked = parser.parse_args()
    folder = Path(os.environ.get("SAXINFER_MEASURED_DATA", "../shared/data/real"))
    asked.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    print(
        "| file | model | quantity | known | ours, median and 90 % | met "
        "| sd / reference | interval / reference | means apart [sd] | verdict "
        "| ln Z | ln Z reference | by nested sampling alone | effective around it "
        "| settled |\n" + "|---" * 15 + "|"
    )
    for known in KNOWN:
        if not (folder / known.file).is_file():
            continue
        curve = known.curve(folder)
        options = FitOptions(q_range=known.q_range)
        fit = run(curve, known.model, options=options, seed=SEED)
        target, reference = reference_of(
            known,
            curve,
            fit,
            Stored(asked.output / Path(known.file).stem, asked.resume),
            asked.tries,
        )
        draws = np.concatenate([side.draws for side in reference.sides])
        theirs = quantities(target, draws)
        for name in known.answers:
            found = compared(fit, name, theirs[name])
            print(told(known, fit, reference, found), flush=True)
    print(f"\nNested sampling by dynesty, from {CARES[0].live} live points on.")


if __name__ == "__main__":
    main()
