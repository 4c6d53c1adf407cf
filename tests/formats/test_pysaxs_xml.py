"""Mirrors src/saxinfer/formats/pysaxs_xml.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saxinfer.formats import FormatError, load, subtract

Write = Callable[[str, str | bytes], Path]


def test_every_data_element_is_a_curve_under_its_name(write: Write) -> None:
    q = ", ".join(str(0.01 * i) for i in range(1, 21))
    data = "".join(
        f'<data name="{name}"><q>{q}</q><i>{q}</i><error>{q}</error></data>'
        for name in ("sample raw", "sample scaled")
    )
    curves = load(write("a.xml", f'<dataset name="x">{data}</dataset>'))
    assert [curve.name for curve in curves] == ["sample raw", "sample scaled"]
    assert curves[0].q[-1].item() == pytest.approx(2.0)
    assert "pySAXS" in curves[0].remarks[0].text


@pytest.mark.parametrize(
    "text",
    [
        '<dataset name="x"></dataset>',
        '<dataset name="x"><data name="a"><q>1, 2</q><i>1</i></data></dataset>',
        '<dataset name="x"><data name="a"><q>1, x</q><i>1, 2</i></data></dataset>',
        '<dataset name="x"><data',
    ],
)
def test_a_broken_data_set_is_refused(write: Write, text: str) -> None:
    with pytest.raises(FormatError, match=r"^a\.xml: "):
        load(write("a.xml", text))


def test_the_scaled_water_can_be_subtracted_from_the_scaled_silica(
    measured: Callable[[str], Path],
) -> None:
    curves = load(measured("dataset-NPSIZE10.xml"))
    scaled = [curve for curve in curves if curve.name.endswith("scaled")]
    water, silica = scaled
    difference = subtract(silica, water)
    assert len(difference) == 500
    assert difference.sigma is not None
    assert difference.intensity[0] > 0
