"""One fit of a series, with its report, as a worker makes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.base import Fit
from saxinfer.inference.identify import identify
from saxinfer.inference.trials import Begun
from saxinfer.report.document import Document, document, failure
from saxinfer.report.folder import Rendered

__all__ = ["Request", "Task", "TaskDone"]


@dataclass(frozen=True)
class Request:
    """What is asked of every curve.

    Attributes:
        model: Name of the model; nothing counts but ``models`` if there are any.
        options: How to fit.
        seed: Of the sampling.
        debug: Whether an error that is none of the curve's is raised.
        models: Names of the models to choose the most probable one from.
        weights: Prior weights of these, by name.
    """

    model: str
    options: FitOptions
    seed: int = 0
    debug: bool = False
    models: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    def fit(self, curve: Curve, begun: Begun | None = None) -> Fit | Document:
        """A fit, or the document that says why there is none.

        Args:
            curve: The measured curve.
            begun: Told which of several models is fitted.
        """
        name = Path(curve.file).name or curve.name
        try:
            return self._found(curve, begun)
        except ValueError as error:
            text = " ".join(str(error).split())
        except Exception as error:
            # One curve that breaks the fit must not take a night's batch along.
            if self.debug:
                raise
            said = " ".join(str(error).split())
            text = f"the fit broke ({type(error).__name__}: {said})"
            text += "; run again with --debug and report what it prints."
        sentence = text if text.startswith(name) else f"{name}: {text}"
        return failure(curve.file, sentence)

    def _found(self, curve: Curve, begun: Begun | None) -> Fit:
        if not self.models:
            return run(curve, self.model, options=self.options, seed=self.seed)
        return identify(
            curve,
            self.models,
            weights=self.weights,
            options=self.options,
            seed=self.seed,
            begun=begun,
        )


@dataclass(frozen=True, eq=False)
class Task:
    """A curve, and what is asked of it.

    Attributes:
        number: Its place among all.
        curve: What to fit.
        request: How.
        folder: Where its report belongs; None if none is wanted.
    """

    number: int
    curve: Curve
    request: Request
    folder: str | None

    def done(self) -> "TaskDone":
        """Fits the curve and makes the report."""
        found = self.request.fit(self.curve)
        if not isinstance(found, Fit):
            return TaskDone(self.number, found, None)
        if self.folder is None:
            return TaskDone(self.number, document(found), None)
        made = Rendered.of(found, self.folder)
        return TaskDone(self.number, made.document, made)


@dataclass(frozen=True)
class TaskDone:
    """What a worker hands back.

    Attributes:
        number: Of the task.
        document: Of the fit, or why there is none.
        report: If there is a fit and a report was wanted.
    """

    number: int
    document: Document
    report: Rendered | None
