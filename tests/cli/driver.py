"""The command line with inference replaced by a fit that is made up.

Run as a program it behaves like ``saxinfer``; each fit takes ``FIT_SECONDS``.
"""

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Options:
    """Stands for the options of inference."""

    windows: dict[str, tuple[float, float]] = field(default_factory=dict)
    q_range: tuple[float | None, float | None] | None = None
    command: str = ""
    estimator: Path | None = None


def replace_inference(
    setattr_of: Callable[..., Any], made: ModuleType, calls: list[dict[str, object]]
) -> None:
    import saxinfer.inference
    import saxinfer.report.series
    from saxinfer.inference import card

    def run(curve: Any, model: str, *, options: Any, seed: int = 0) -> Any:
        calls.append({"curve": curve, "model": model, "options": options, "seed": seed})
        sys.stderr.write(f"fitting {curve.name}\n")
        sys.stderr.flush()
        time.sleep(float(os.environ.get("FIT_SECONDS", "0")))
        if curve.name == "refused":
            raise ValueError("at least 10 points are needed, got 3. Widen --q-range.")
        if curve.name == "broken":
            raise RuntimeError("matrix is singular")
        return made.made_fit(curve, model=model)

    setattr_of(saxinfer.inference, "run", run, raising=False)
    setattr_of(saxinfer.report.series, "run", run, raising=True)
    setattr_of(card, "load_estimator", lambda model, folder=None: None, raising=True)
    if not hasattr(saxinfer.inference, "FitOptions"):
        setattr_of(saxinfer.inference, "FitOptions", Options, raising=False)


def _main() -> None:
    path = Path(__file__).parents[1] / "report" / "made_fit.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)

    def plain_setattr(target: Any, name: str, value: Any, raising: bool) -> None:
        setattr(target, name, value)

    replace_inference(plain_setattr, made, [])
    # A parent that runs in the background hands on that Ctrl-C is to be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from saxinfer.cli import main

    main()


if __name__ == "__main__":
    _main()
