"""The reference sampler and the comparison with it, on what has a known answer.

Two normal likelihoods under a standard normal prior have a closed evidence: each gives
the product over the columns of N(centre | 0, 1 + width²), times its own weight. All
seeds are fixed; a right sampler exceeds four of its errors once in 16,000 seeds.
"""

import importlib
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy import ndarray

FOLDER = Path(__file__).parents[2] / "benchmarks"
COLUMNS, WIDTH, CENTRES, WEIGHTS = 3, 0.1, (1.2, -1.0), (0.3, 0.7)


def script(name: str) -> ModuleType:
    """A script of the benchmarks, as its own processes find it too."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return importlib.import_module(name)


def bumps(latent: ndarray) -> ndarray:
    """Log likelihood of two normal bumps that are far apart."""
    square = [np.square((latent - c) / WIDTH).sum(1) for c in CENTRES]
    one, two = (math.log(w) - 0.5 * s for w, s in zip(WEIGHTS, square, strict=True))
    both: ndarray = np.logaddexp(one, two)
    return both


def parts() -> ndarray:
    """Log evidence of each bump."""
    spread = 1 + WIDTH**2
    return np.array(
        [
            math.log(weight)
            + COLUMNS * (math.log(WIDTH / math.sqrt(spread)))
            - 0.5 * COLUMNS * centre**2 / spread
            for weight, centre in zip(WEIGHTS, CENTRES, strict=True)
        ]
    )


def fast(seed: int) -> Any:
    """A run on the two bumps."""
    nested = script("nested")
    return nested.nested(bumps, COLUMNS, seed, nested.Care(300, 10))


@pytest.fixture(scope="module")
def run() -> Any:
    """One run on the two bumps."""
    pytest.importorskip("dynesty")
    return fast(5)


def test_the_evidence_of_two_modes_is_found(run: Any) -> None:
    truth = np.logaddexp(*parts())
    assert 0.02 < run.log_evidence_sd < 0.3
    assert abs(run.log_evidence - truth) < 4 * run.log_evidence_sd


def test_each_mode_keeps_its_share_and_width(run: Any) -> None:
    share = math.exp(parts()[0] - np.logaddexp(*parts()))
    first = run.draws[:, 0] > 0
    # Live points fall to either mode by chance at first: 300 of them, not the draws.
    slack = 4 * math.sqrt(share * (1 - share) / 300) * 2
    assert first.mean() == pytest.approx(share, abs=slack)
    width = WIDTH / math.sqrt(1 + WIDTH**2)
    for mode, centre in ((first, CENTRES[0]), (~first, CENTRES[1])):
        drawn = run.draws[mode]
        error = 4 * width / math.sqrt(len(drawn))
        assert drawn.mean(0) == pytest.approx(centre / (1 + WIDTH**2), abs=2 * error)
        assert drawn.std(0) == pytest.approx(width, abs=2 * error)


def test_no_draw_is_there_twice(run: Any) -> None:
    assert len(np.unique(run.draws, axis=0)) == len(run.draws) > 500


def test_the_same_seed_gives_the_same_run_and_another_another(run: Any) -> None:
    assert fast(5).log_evidence == run.log_evidence
    assert fast(6).log_evidence != run.log_evidence


def test_the_likelihood_is_the_targets_density_less_the_prior() -> None:
    import torch

    reference, nested = script("reference"), script("nested")
    target = reference.target_of("cellulose", "standard", 1)
    columns = nested.sampled_columns(target)
    # One of its contrasts is seen in no curve.
    assert len(columns) == target.dimension - 1
    part = 0.3 * np.random.default_rng(0).standard_normal((4, len(columns)))
    latent = torch.randn(4, target.dimension, dtype=torch.float64)
    latent[:, columns] = torch.from_numpy(part)
    prior = -0.5 * (latent.square() + math.log(2 * math.pi)).sum(1)
    expected = target.log_density(latent) - prior
    found = nested.likelihood_of(target)(part)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9)


def test_a_kept_reference_is_read_again_and_that_of_another_curve_refused(
    tmp_path: Path,
) -> None:
    pytest.importorskip("dynesty")
    settled = script("settled")
    place = settled.Stored(tmp_path / "run.npz", True)

    def narrow(latent: ndarray) -> ndarray:
        value: ndarray = -50 * np.square(latent).sum(1)
        return value

    care = script("nested").Care(200, 10)
    one = settled.nested_run(narrow, 2, 1, care, place)
    again = settled.nested_run(narrow, 2, 1, care, place)
    np.testing.assert_array_equal(one.draws, again.draws)
    assert one.log_evidence == again.log_evidence
    with pytest.raises(ValueError, match="another likelihood or prior"):
        settled.nested_run(lambda x: 2 * narrow(x), 2, 1, care, place)


def test_evidences_are_apart_in_errors_of_both_sides() -> None:
    comparison = script("reference").Comparison(
        seed=1,
        points=100,
        evidence=[(10.0, 0.03), (10.2, 0.03)],
        reference=[(9.0, 0.3), (9.4, 0.4)],
        nested=[(9.0, 0.3), (9.4, 0.4)],
        around=[5000.0, 400.0],
        settled=True,
        tried=2,
        score=0.5,
        halves=[0.5],
        between=0.5,
        draws=2000,
        effective=[600.0],
        efficiency=[0.1],
        seconds=[1.0],
        missed=[],
        fits_that_missed=0,
        extra=[],
        reference_seconds=1.0,
    )
    # Ours: scatter 0.1 of two fits; the reference: 0.5 / 2.
    assert comparison.pull == pytest.approx(0.9 / math.hypot(0.1 / math.sqrt(2), 0.25))
    assert comparison.agreement == pytest.approx(-0.4 / 0.5)


def test_evidence_around_draws_is_exact_and_so_are_the_draws() -> None:
    around = script("around")
    scale = np.array([1e-3, 0.5, 2.0])

    def narrow(latent: ndarray) -> ndarray:
        value: ndarray = -0.5 * np.square((latent - 0.7) / scale).sum(1)
        return value

    variance = 1 / (1 + scale**-2)
    middle, width = 0.7 * variance / scale**2, np.sqrt(variance)
    # What it is given is shifted by half of a standard deviation, and too narrow.
    normal = 0.8 * np.random.default_rng(2).standard_normal((800, COLUMNS)) + 0.5
    spread = 1 + scale**2
    truth = (np.log(scale / np.sqrt(spread)) - 0.5 * 0.49 / spread).sum()
    found = around.weighed(narrow, middle + width * normal, 3)
    assert found.effective > 5000
    assert found.log_evidence_sd < 0.02
    assert abs(found.log_evidence - truth) < 4 * found.log_evidence_sd
    standard = (found.draws - middle) / width
    count = len(standard)
    assert len(np.unique(standard, axis=0)) == count >= around.ENOUGH
    np.testing.assert_allclose(standard.mean(0), 0, atol=4 / math.sqrt(count))
    # In no order: a part of them stands for all.
    np.testing.assert_allclose(standard[:500].mean(0), 0, atol=4 / math.sqrt(500))
    np.testing.assert_allclose(standard.std(0), 1, atol=4 / math.sqrt(2 * count) + 0.01)


def test_draws_of_a_run_get_the_shares_of_separate_modes_right(run: Any) -> None:
    # Four tenths of these are in the first mode instead of what it holds.
    first = run.draws[:, 0] > 0
    share = math.exp(parts()[0] - np.logaddexp(*parts()))
    assert share < 0.2
    order = np.concatenate([run.draws[first][:100], run.draws[~first][:150]])
    found = script("around").weighed(bumps, order, 3)
    assert abs(found.log_evidence - np.logaddexp(*parts())) < 4 * found.log_evidence_sd
    slack = 4 * math.sqrt(share * (1 - share) / len(found.draws)) + 0.01
    assert (found.draws[:, 0] > 0).mean() == pytest.approx(share, abs=slack)


def test_peers_are_written_between_the_marks_of_a_file(tmp_path: Path) -> None:
    pytest.importorskip("bumps")
    peers = script("peers")
    place = tmp_path / "results.md"
    place.write_text(f"before\n{peers.BEGIN}\nold\n{peers.END}\nafter\n")
    for text in ("new", "newer"):
        peers.write(place, text)
        between = f"{peers.BEGIN}\n\n{text}\n\n{peers.END}"
        assert place.read_text() == f"before\n{between}\nafter\n"
    other = tmp_path / "other.md"
    peers.write(other, "one")
    peers.write(other, "two")
    assert other.read_text().count("# Peers beside us") == 1
    assert "one" not in other.read_text()


def made(seed: int, shift: float, log_evidence: float, effective: float) -> Any:
    """A side whose draws are standard normal, but for a shift in the first column.

    Those of nested sampling alone are shifted, and its evidence is off, by one.
    """
    count = 1000 if effective > 1000 else 500
    draws = np.random.default_rng(seed).standard_normal((count, COLUMNS))
    draws[:, 0] += shift
    nested = script("nested").Nested(
        draws + 1, log_evidence + 1, 0.1, 1500.0, 10_000, 1.0
    )
    around = script("around").Weighed(draws, log_evidence, 0.08, effective)
    return script("settled").Side((nested,), around)


@pytest.mark.parametrize(
    ("shift", "gap", "settled"),
    [(0.0, 0.2, True), (0.0, 0.6, False), (1.0, 0.2, False)],
)
def test_sides_are_settled_if_they_agree_in_evidence_and_in_draws(
    shift: float, gap: float, settled: bool
) -> None:
    one, two = made(1, 0.0, 5.0, 2000.0), made(2, shift, 5.0 + gap, 2000.0)
    assert script("settled").Reference.of(one, two, 0).settled is settled


def test_nested_sampling_counts_where_too_few_are_effective_around_its_draws() -> None:
    one, two = made(1, 0.0, 5.0, 2000.0), made(2, 0.0, 5.0, 300.0)
    assert one.evidence == (5.0, pytest.approx(0.1))
    assert two.evidence == (6.0, 0.1)
    np.testing.assert_array_equal(one.draws, one.around.draws)
    np.testing.assert_array_equal(two.draws, two.nested.draws)
    assert not script("settled").Reference.of(one, two, 0).settled


def test_sides_go_on_until_both_know_all_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled, nested = script("settled"), script("nested")
    rng = np.random.default_rng(8)
    first, second = (
        CENTRES[i] + WIDTH * rng.standard_normal((2, 500, COLUMNS)) for i in (0, 1)
    )
    # The larger mode, its twin from the other side, then the smaller one, and so on.
    found = [second[0], second[1], first[0], second[0], second[1], first[1]]

    def settle(tries: int, known: float = -math.inf) -> Any:
        left = iter(found)
        monkeypatch.setattr(
            settled,
            "nested_run",
            lambda *_: nested.Nested(next(left), 0.0, 0.1, 500.0, 1000, 1.0),
        )
        stored = settled.Stored(tmp_path, False)
        return settled.settled_reference(
            bumps, COLUMNS, 0, stored, tries, (known, 0.01)
        )

    small, truth = parts()[1], np.logaddexp(*parts())
    agreed = settle(1)
    assert agreed.settled
    assert [side.around.log_evidence for side in agreed.sides] == pytest.approx(
        [small, small], abs=0.03
    )
    # Both have missed the same: what is known from elsewhere tells.
    assert not settle(1, truth).settled
    # One side knows of it.
    assert not settle(2, truth).settled
    both = settle(3, truth)
    assert both.settled
    assert [len(side.runs) for side in both.sides] == [3, 3]
    assert [side.around.log_evidence for side in both.sides] == pytest.approx(
        [truth, truth], abs=0.03
    )
    assert not settle(3, truth + 1).settled


def test_a_misfit_is_as_far_from_the_model_as_asked() -> None:
    import torch

    from saxinfer.structures import get_structure

    sphere = get_structure("sphere")
    q = torch.linspace(0.1, 3, 200, dtype=torch.float64)
    theta = torch.tensor([[5.0, 0.4], [5.4, 0.5]], dtype=torch.float64)
    truth, other = sphere.intensity(q, theta)
    error, start = 0.02 * truth + 1e-4 * truth.max(), q[0] / q
    model = script("profiled").Model(sphere, q, error)
    laws = truth.max() * (0.01 + 0.3 * start**3 + 0.2 * start**4)
    # Another particle, a scale, a background and two power laws are no distance.
    assert model.distance(3 * other + laws, theta[:1]) < 0.01
    assert model.amplitude(truth, theta[0], other - truth + laws, 6.0, 1.0) == math.inf
    # A step that is hardly followed, by least squares over all directions.
    kink = truth * (q > 1.0)
    step = 1e-5 * theta[0].diag()
    slopes = sphere.intensity(q, theta[:1] + step) - truth
    laws = torch.stack([truth, torch.ones_like(q), start**3, start**4])
    whole = (torch.cat([slopes / slopes.abs().amax(1, keepdim=True), laws]) / error).T
    row = (kink / error)[:, None]
    rest = row - whole @ torch.linalg.lstsq(whole, row).solution
    least = 0.5 / float(rest.norm())
    assert model.amplitude(truth, theta[0], kink, 0.5, 1.0) == pytest.approx(
        least, rel=0.01
    )
    # A larger one is as far as asked, from any start; and no further than it may be.
    factor = model.amplitude(truth, theta[0], kink, 6.0, 1.0)
    assert model.distance(truth + factor * kink, theta) == pytest.approx(6.0, rel=0.02)
    assert model.amplitude(truth, theta[0], kink, 6.0, 0.9 * factor) == math.inf
