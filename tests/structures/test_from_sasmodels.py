"""Mirrors src/saxinfer/structures/from_sasmodels.py."""

import builtins
import math
import pickle
import sys

import pytest
import torch
from sasmodels.core import load_model
from sasmodels.direct_model import call_kernel
from torch import Generator, Tensor

from saxinfer.structures import from_sasmodels, get_structure
from saxinfer.structures.from_sasmodels import FromSasmodels
from saxinfer.structures.sphere import Sphere

Q = torch.logspace(-1.5, 0.3, 40, dtype=torch.float64)


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def test_its_sphere_is_ours() -> None:
    spread = 0.15
    median = 6.0
    sigma_mean = median * math.exp(spread**2 / 2)
    std = sigma_mean * math.sqrt(math.expm1(spread**2))
    theirs = get_structure("sasmodels:sphere").intensity(Q, row(median, spread))
    ours = Sphere().intensity(Q, row(sigma_mean, std))
    ratio = (theirs / ours)[0]
    # 35 radii, and only one scale: densities of 1 and 6.
    assert float(ratio.std() / ratio.mean()) < 2e-3


@pytest.mark.parametrize(("radius", "spread"), [(20.0, 0.3), (20.0, 0.02), (0.5, 0.3)])
def test_a_distribution_is_integrated_to_its_tails_and_fringes(
    radius: float, spread: float
) -> None:
    q = torch.linspace(0.01, 3, 30, dtype=torch.float64)
    found = get_structure("sasmodels:cylinder").intensity(q, row(radius, spread, 30.0))
    # The same distribution, with radii so close that nothing is left out.
    exact = call_kernel(
        load_model("cylinder", dtype="double", platform="dll").make_kernel(
            [0.1 * q.numpy()]
        ),
        {
            "radius": 10 * radius,
            "length": 300.0,
            "background": 0.0,
            "radius_pd": spread,
            "radius_pd_n": 4000,
            "radius_pd_nsigma": 30,
            "radius_pd_type": "lognormal",
        },
    )
    ratio = found[0].numpy() / exact
    assert float(abs(ratio / ratio[0] - 1).max()) < 2e-4


def test_curves_of_a_difference_have_the_same_number_of_nodes() -> None:
    structure = get_structure("sasmodels:cylinder")
    assert isinstance(structure, FromSasmodels)
    q = torch.linspace(0.5, 10, 20, dtype=torch.float64)
    radii = torch.linspace(19, 20, 4001, dtype=torch.float64)
    theta = torch.tensor([[0.0, 0.1, 30.0]], dtype=torch.float64).repeat(4001, 1)
    theta[:, 0] = radii
    # One more node is due just above this radius.
    edge = radii[int(structure._nodes(q, theta).diff().nonzero()[0, 0])]
    slopes = []
    for radius in (edge - 2e-3, edge, edge + 2e-3):
        at = row(float(radius), 0.1, 30.0).requires_grad_()
        curve = structure.intensity(q, at).log().sum()
        slopes.append(float(torch.autograd.grad(curve, at)[0][0, 0]))
    assert slopes[1] == pytest.approx((slopes[0] + slopes[2]) / 2, rel=0.01)


def test_unknowns_are_those_of_its_table_in_nm() -> None:
    space = get_structure("sasmodels:cylinder").space
    assert space.names == ("radius", "radius_pd", "length")
    assert space.parameters[2].unit == "nm"
    # 400 Å by default.
    assert space.bounds("length") == pytest.approx((4.0, 400.0))
    hard = get_structure("sasmodels:sphere@hardsphere").space
    assert hard.names == ("radius", "radius_pd", "volfraction")
    assert hard.bounds("volfraction") == (0.0, 0.74)


def test_inverse_lengths_and_layers_are_understood() -> None:
    peak = get_structure("sasmodels:gaussian_peak").space
    assert peak.parameters[peak.names.index("peak_pos")].unit == "1/nm"
    assert peak.bounds("peak_pos") == pytest.approx((0.05, 5.0))
    shells = get_structure("sasmodels:core_multi_shell").space
    assert "thickness1" in shells.names
    assert "thickness2" not in shells.names


def test_a_gradient_is_that_of_the_closed_form() -> None:
    theta = row(6.0, 0.15).requires_grad_()
    curve = get_structure("sasmodels:sphere").intensity(Q, theta).log().sum()
    (slope,) = torch.autograd.grad(curve, theta)

    def exact(median: Tensor, spread: Tensor) -> Tensor:
        mean = median * torch.exp(spread.square() / 2)
        std = mean * torch.expm1(spread.square()).sqrt()
        curve = Sphere().intensity(Q, torch.stack([mean, std], -1))
        # Ours is a unit of volume; theirs, at a scale of one, too.
        return curve.log().sum()

    parts = [torch.tensor([v]).double().requires_grad_() for v in (6.0, 0.15)]
    expected = torch.autograd.grad(exact(*parts), parts)
    assert float(slope[0, 0]) == pytest.approx(float(expected[0]), rel=0.01)
    assert float(slope[0, 1]) == pytest.approx(float(expected[1]), rel=0.01)


@pytest.mark.parametrize(
    "name", ["ellipsoid", "lamellar_hg_stack_caille", "flexible_cylinder", "raspberry"]
)
def test_curves_are_finite_and_positive_over_the_prior(name: str) -> None:
    model = get_structure(f"sasmodels:{name}")
    theta = model.space.sample(20, Generator().manual_seed(0))
    curves = model.intensity(Q, theta)
    assert bool(curves.isfinite().all())
    assert bool((curves > 0).all())


def test_a_grid_for_each_row_gives_what_a_shared_one_does() -> None:
    model = get_structure("sasmodels:sphere")
    theta = model.space.sample(3, Generator().manual_seed(1))
    shared = model.intensity(Q, theta)
    assert torch.equal(shared, model.intensity(Q.expand(3, -1).contiguous(), theta))


def test_threads_share_the_rows_and_change_nothing() -> None:
    structure = get_structure("sasmodels:ellipsoid")
    theta = structure.space.sample(7, Generator().manual_seed(0))
    q = torch.linspace(0.05, 2, 30, dtype=torch.float64)
    grids = q * torch.linspace(1, 2, 7, dtype=torch.float64)[:, None]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = structure.intensity(q, theta), structure.intensity(grids, theta)
        torch.set_num_threads(3)
        shared = structure.intensity(q, theta), structure.intensity(grids, theta)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(*pair) for pair in zip(alone, shared, strict=True))


def test_it_reaches_other_processes() -> None:
    model = get_structure("sasmodels:sphere")
    model.intensity(Q, row(5.0, 0.1))
    again = pickle.loads(pickle.dumps(model))
    assert again.space == model.space
    assert torch.equal(
        again.intensity(Q, row(5.0, 0.1)), model.intensity(Q, row(5.0, 0.1))
    )


def test_unknown_and_shapeless_models_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no model 'cube'\. Its \d+ models are "):
        get_structure("sasmodels:cube")
    with pytest.raises(ValueError, match="nothing to infer"):
        get_structure("sasmodels:porod")


def test_where_sasmodels_is_missing_its_name_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in [name for name in sys.modules if name.startswith("sasmodels")]:
        monkeypatch.delitem(sys.modules, module)
    real = builtins.__import__

    def absent(name: str, *rest: object) -> object:
        if name.startswith("sasmodels"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    from_sasmodels._info.cache_clear()
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ValueError, match=r"pip install 'saxinfer\[sasmodels\]'"):
        FromSasmodels("sphere")


def test_where_no_compiler_is_found_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from sasmodels import core

    def fails(*_: object, **__: object) -> object:
        raise RuntimeError("compile failed: gcc not found")

    from_sasmodels._model.cache_clear()
    monkeypatch.setattr(core, "load_model", fails)
    model = FromSasmodels("vesicle")
    with pytest.raises(ValueError, match=r"needs a C compiler.*gcc not found"):
        model.intensity(Q, model.space.sample(1, Generator().manual_seed(0)))
