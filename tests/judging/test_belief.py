"""A fit is judged by its columns in the prior's order."""

import importlib.util
from pathlib import Path

import pytest
import torch

from saxinfer.judging import Belief, Prior
from saxinfer.judging.draws import Column


@pytest.mark.parametrize("kind", ["made_fit", "made_tree_fit"])
def test_columns_weights_and_verdict_are_those_of_the_fit(kind: str) -> None:
    path = Path(__file__).parents[1] / "report" / "made_fit.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    fit = getattr(made, kind)()
    chosen = fit.posterior.of_kind("parameter")[::-1]
    prior = Prior(
        tuple(Column(q.name, q.unit, q.prior_low, q.prior_high) for q in chosen)
    )
    belief = Belief.of(fit, prior)
    for place, quantity in enumerate(chosen):
        column = fit.posterior.column(quantity.name)
        assert torch.equal(belief.samples[:, place], column)
    assert belief.verdict == fit.quality.verdict
    assert belief.reasons == fit.quality.reasons
    # Trees say nothing of how columns go together.
    assert belief.joint == (kind == "made_fit")
