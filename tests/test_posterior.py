"""The posterior counts, weighs and correlates as the samples say."""

import pytest
import torch
from torch import Tensor

from saxinfer.posterior import Posterior, Quantity

PARAMETER = Quantity("radius", "nm", "Radius.", "parameter", 0.0, 10.0)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def normal(count: int, mean: float = 0.0, sd: float = 1.0) -> Tensor:
    return mean + sd * torch.randn(count, generator=generator(), dtype=torch.float64)


def belief(*columns: Tensor, weights: Tensor | None = None) -> Posterior:
    names = ("radius", "width", "height")[: len(columns)]
    quantities = tuple(Quantity(n, "nm", n, "parameter", 0.0, 10.0) for n in names)
    count = len(columns[0])
    even = torch.full((count,), 1 / count, dtype=torch.float64)
    prior = 10 * torch.rand(4000, len(columns), generator=generator()).double()
    return Posterior(
        quantities,
        torch.stack(columns, -1),
        even if weights is None else weights / weights.sum(),
        prior,
    )


def two_peaks(distance: float, share: float, count: int = 4000) -> Tensor:
    values = normal(count)
    values[: int(share * count)] += distance
    return values


@pytest.mark.parametrize("count", [300, 1000, 10_000])
def test_a_normal_marginal_has_one_mode(count: int) -> None:
    assert belief(normal(count)).modes("radius") == 1


def test_a_skewed_marginal_has_one_mode() -> None:
    assert belief(normal(3000).exp()).modes("radius") == 1


@pytest.mark.parametrize("count", [400, 4000])
def test_a_flat_marginal_has_one_mode(count: int) -> None:
    flat = torch.rand(count, generator=generator(), dtype=torch.float64)
    assert belief(flat).modes("radius") == 1


def test_a_marginal_piled_up_at_a_bound_has_one_mode() -> None:
    assert belief(normal(3000).clamp(min=0)).modes("radius") == 1


def test_one_value_is_one_mode() -> None:
    assert belief(torch.full((50,), 3.0).double()).modes("radius") == 1


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
@pytest.mark.parametrize("distance", [6.0, 12.0])
def test_two_far_peaks_are_two_modes(distance: float, share: float) -> None:
    assert belief(two_peaks(distance, share)).modes("radius") == 2


def test_three_far_peaks_are_three_modes() -> None:
    values = normal(6000)
    values[2000:4000] += 10
    values[4000:] += 20
    assert belief(values).modes("radius") == 3


def test_two_peaks_that_merge_are_one_mode() -> None:
    assert belief(two_peaks(2.0, 0.5)).modes("radius") == 1


def test_a_peak_of_two_per_cent_is_no_mode() -> None:
    assert belief(two_peaks(12.0, 0.02)).modes("radius") == 1


def test_weights_decide_which_peaks_count() -> None:
    values = two_peaks(12.0, 0.5)
    weights = torch.where(values > 6, 1e-3, 1.0).double()
    assert belief(values, weights=weights).modes("radius") == 1


def test_noise_makes_no_second_mode_in_many_normal_marginals() -> None:
    source = generator()
    wrong = 0
    for _ in range(100):
        values = torch.randn(500, generator=source, dtype=torch.float64)
        wrong += belief(values).modes("radius") != 1
    assert wrong == 0


def test_solutions_are_medians_and_shares_of_the_peaks() -> None:
    (low, first), (high, second) = belief(two_peaks(10, 0.3)).solutions("radius")
    assert low == pytest.approx(0, abs=0.1)
    assert high == pytest.approx(10, abs=0.1)
    assert first == pytest.approx(0.7, abs=0.01)
    assert first + second == pytest.approx(1)


def test_a_parameter_with_two_modes_is_not_constrained() -> None:
    summary = belief(5 + 0.01 * two_peaks(10, 0.5)).summary("radius")
    assert summary.shrinkage > 0.9
    assert not summary.constrained


def test_a_few_heavy_samples_are_no_solutions_and_constrain_nothing() -> None:
    values = torch.linspace(0, 10, 300, dtype=torch.float64)
    heavy = torch.full((300,), 1e-4, dtype=torch.float64)
    heavy[[100, 150, 200]] = 10.0
    found = belief(values, weights=heavy / heavy.sum())
    assert found.effective == pytest.approx(3, abs=0.01)
    assert found.modes("radius") == 1
    assert not found.summary("radius").constrained


def test_a_value_far_from_the_ends_of_a_logarithmic_range_is_constrained() -> None:
    # Seventeen decades: near the lower end only on a linear scale.
    wide = Quantity("number", "1/cm3", "", "derived", 1e5, 1e22, True)
    values = (1e13 * (1 + 0.01 * normal(400)))[:, None]
    prior = torch.logspace(5, 22, 200, dtype=torch.float64)[:, None]
    even = torch.full((400,), 1 / 400, dtype=torch.float64)
    assert Posterior((wide,), values, even, prior).summary("number").constrained
    at_end = Posterior((wide,), values.clamp(max=1e5), even, prior)
    assert not at_end.summary("number").constrained


def test_even_weights_give_the_quantiles_of_the_samples() -> None:
    values = normal(2001)
    found = belief(values)
    for share in (0.05, 0.5, 0.95):
        expected = float(torch.quantile(values, share))
        # The two conventions differ by half the distance of two samples, in the tails.
        assert found.quantile("radius", share) == pytest.approx(expected, abs=0.02)


def test_a_weight_counts_like_repeated_samples() -> None:
    values = torch.linspace(0, 1, 200, dtype=torch.float64)
    times = torch.arange(200) % 5 + 1
    weighted = belief(values, weights=times.double())
    repeated = belief(values.repeat_interleave(times))
    for share in (0.05, 0.5, 0.95):
        # Between two samples the interpolation differs by half their distance.
        assert weighted.quantile("radius", share) == pytest.approx(
            repeated.quantile("radius", share), abs=1 / 199
        )
    assert weighted.summary("radius").mean == pytest.approx(
        repeated.summary("radius").mean
    )
    assert weighted.summary("radius").sd == pytest.approx(repeated.summary("radius").sd)


def test_quantiles_stay_within_the_samples() -> None:
    found = belief(torch.tensor([1.0, 2.0]).double())
    assert found.quantile("radius", 0.0) == 1
    assert found.quantile("radius", 1.0) == 2


def test_shrinkage_is_zero_without_data_and_near_one_with_good_data() -> None:
    flat = 10 * torch.rand(20_000, generator=generator(), dtype=torch.float64)
    assert belief(flat).summary("radius").shrinkage == pytest.approx(0, abs=0.02)
    assert belief(normal(1000, 5, 0.01)).summary("radius").shrinkage > 0.99


def test_correlation_is_that_of_the_weighted_samples() -> None:
    x = normal(20_000)
    noise = torch.randn(20_000, generator=torch.Generator().manual_seed(9)).double()
    found = belief(x, 0.6 * x + 0.8 * noise, -x).correlation(
        ("radius", "width", "height")
    )
    # The standard error of a correlation of 20,000 pairs is below 0.007.
    assert float(found[0, 1]) == pytest.approx(0.6, abs=0.03)
    assert float(found[0, 2]) == pytest.approx(-1)
    assert torch.allclose(found.diagonal(), torch.ones(3).double())
    assert torch.allclose(found, found.T)


def test_what_does_not_vary_correlates_with_nothing() -> None:
    found = belief(normal(100), torch.ones(100).double())
    assert float(found.correlation(("radius", "width"))[0, 1]) == 0


def test_draws_follow_the_weights() -> None:
    weights = torch.tensor([0.0, 1.0, 3.0]).double()
    found = belief(torch.tensor([1.0, 2.0, 3.0]).double(), weights=weights)
    drawn = found.draw(4000, generator())[:, 0]
    # Four standard errors of a share of 3/4 among 4,000.
    assert float((drawn == 3).double().mean()) == pytest.approx(0.75, abs=0.03)
    assert not bool((drawn == 1).any())


def test_a_table_names_columns_with_units_and_repeats_by_seed() -> None:
    found = belief(normal(50), normal(50))
    table = found.to_pandas(20, seed=1)
    assert list(table) == ["radius [nm]", "width [nm]"]
    assert table.equals(found.to_pandas(20, seed=1))
    assert not table.equals(found.to_pandas(20, seed=2))


def test_a_prior_of_one_value_is_fixed() -> None:
    samples = torch.full((5, 1), 2.0).double()
    even = torch.full((5,), 0.2).double()
    assert Posterior((PARAMETER,), samples, even, samples).is_fixed("radius")
    assert not belief(normal(5)).is_fixed("radius")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match="there are radius, width"):
        belief(normal(5), normal(5)).column("length")


def test_columns_and_weights_are_checked() -> None:
    samples = torch.zeros(4, 2).double()
    with pytest.raises(ValueError, match="as many columns"):
        Posterior((PARAMETER,), samples, torch.full((4,), 0.25).double(), samples)
    with pytest.raises(ValueError, match="sum to one"):
        Posterior((PARAMETER,), samples[:, :1], torch.ones(4).double(), samples[:, :1])


def test_quantities_are_told_apart_by_kind() -> None:
    found = belief(normal(5), normal(5))
    assert [q.name for q in found.of_kind("parameter")] == ["radius", "width"]
    assert found.of_kind("derived") == ()
    assert [q.name for q in found] == ["radius", "width"]
