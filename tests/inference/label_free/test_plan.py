"""Mirrors src/saxinfer/inference/label_free/plan.py."""

import pytest

from saxinfer.inference.label_free.plan import TERMS, Plan, adapting, terms_from_texts


def test_every_term_has_a_weight_and_simulated_labels_have_none() -> None:
    assert set(Plan().weights) == set(TERMS)
    assert Plan().sleep == 0
    assert Plan().invariant == Plan().porod == 0


def test_softening_and_guides_end_with_the_annealed_share() -> None:
    plan = Plan(steps=1000, anneal=0.4, floor=0.3)
    assert [plan.softness(0), plan.softness(400)] == [0.3, 0.0]
    assert [plan.guidance(0), plan.guidance(200), plan.guidance(999)] == [1.0, 0.5, 0.0]
    assert plan.softness(399) == pytest.approx(0.003, rel=0.02)


def test_the_wake_term_sets_in_where_the_guides_end() -> None:
    plan = Plan(steps=1000, anneal=0.4)
    assert [plan.alertness(step) for step in (0, 200, 400)] == [0.0, 0.5, 1.0]
    assert Plan(bound="none").alertness(0) == 1.0


def test_without_annealing_nothing_is_softened() -> None:
    plan = adapting(Plan())
    assert plan.softness(0) == plan.guidance(0) == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"samples": 0}, "1 sample and 10 points"),
        ({"points": 9}, "1 sample and 10 points"),
        ({"samples": 1}, "2 samples"),
        ({"bound": "tight"}, "Known bounds: elbo, iwae"),
        ({"bound": "none", "wake": 0.0}, "nothing to learn by"),
        ({"anneal": 1.0}, "annealed share"),
        ({"floor": 0.0}, "annealed share"),
        ({"prior": -1.0}, "weight of 'prior'"),
        ({"steps": 0}, "steps"),
    ],
)
def test_what_is_out_of_range_is_refused(
    wrong: dict[str, float | str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Plan(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [("sleap=1", "Known terms: likelihood"), ("wake", "name=weight")],
)
def test_a_term_that_is_not_understood_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        terms_from_texts([text])
