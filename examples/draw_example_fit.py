"""Draws the picture of the README: a measured curve, its fit and the residuals.

python examples/draw_example_fit.py

writes ``docs/example-fit.png`` anew from the apoferritin curve of ``sasdata``.
"""

from pathlib import Path

import saxinfer as sx
from demo import measured
from saxinfer.report.figures import curve_figure

PICTURE = Path(__file__).parents[1] / "docs" / "example-fit.png"


def main() -> None:
    """Fits and draws."""
    curve = sx.load(measured("apoferritin.txt"))[0]
    fit = sx.fit(curve, model="core_shell_sphere", seed=0)
    curve_figure(fit).savefig(PICTURE, dpi=130, metadata={"Software": None})
    print(f"Wrote {PICTURE} ({fit.quality.verdict}).")


if __name__ == "__main__":
    main()
