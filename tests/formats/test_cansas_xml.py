"""Mirrors src/saxinfer/formats/cansas_xml.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]


def points(unit: str = "1/A", more: str = "") -> str:
    return "".join(
        f'<Idata><Q unit="{unit}">{0.01 * i}</Q><I unit="1/cm">{1 / i}</I>'
        f'<Idev unit="1/cm">0.01</Idev>{more}</Idata>'
        for i in range(1, 21)
    )


def root(*entries: str, version: str = "1.1", space: str = "urn:cansas1d:1.1") -> str:
    begin = f'<?xml version="1.0"?><SASroot version="{version}" xmlns="{space}">'
    return begin + "".join(entries) + "</SASroot>"


def entry(data: str, name: str = "e", title: str = "T", more: str = "") -> str:
    return (
        f'<SASentry name="{name}"><Title>{title}</Title><Run>7</Run>'
        f"<SASdata>{data}</SASdata>{more}</SASentry>"
    )


@pytest.mark.parametrize(
    ("version", "space"), [("1.0", "cansas1d/1.0"), ("1.1", "urn:cansas1d:1.1")]
)
def test_both_versions_are_read(write: Write, version: str, space: str) -> None:
    text = root(entry(points()), version=version, space=space)
    (curve,) = load(write("a.XML", text))
    assert curve.q[-1].item() == pytest.approx(2.0)
    assert (curve.name, curve.intensity_unit, curve.remarks) == ("T", "1/cm", ())


def test_the_unit_attribute_is_obeyed(write: Write) -> None:
    (curve,) = load(write("a.xml", root(entry(points("1/nm")))))
    assert curve.q[-1].item() == pytest.approx(0.2)


def test_points_in_two_units_are_refused(write: Write) -> None:
    with pytest.raises(FormatError, match="one unit of Q"):
        load(write("a.xml", root(entry(points() + points("1/nm")))))


def test_curves_of_one_title_get_distinct_names(write: Write) -> None:
    text = root(entry(points(), "first"), entry(points(), "second"))
    assert [c.name for c in load(write("a.xml", text))] == ["T first", "T second"]


def test_a_slit_is_told(write: Write) -> None:
    text = root(entry(points(more='<dQl unit="1/A">0.05</dQl>')))
    (curve,) = load(write("a.xml", text))
    assert [r.kind for r in curve.remarks] == ["slit"]
    more = '<SASinstrument><SASdetector><slit_length unit="1/A">0.053</slit_length>'
    more += "</SASdetector></SASinstrument>"
    (curve,) = load(write("b.xml", root(entry(points(), more=more))))
    assert [r.kind for r in curve.remarks] == ["slit"]
    (curve,) = load(write("c.xml", root(entry(points(), title="desmeared", more=more))))
    assert [r.kind for r in curve.remarks] == ["note"]


def test_one_short_entry_does_not_cost_the_others(write: Write) -> None:
    short = '<Idata><Q unit="1/A">0.1</Q><I unit="1/cm">1</I></Idata>'
    (curve,) = load(write("a.xml", root(entry(short), entry(points()))))
    assert len(curve) == 20
    assert "1 of 2 curves of the file are left out" in curve.remarks[-1].text


@pytest.mark.parametrize("cut", [60, 300, 1500])
def test_xml_cut_short_is_refused(write: Write, cut: int) -> None:
    with pytest.raises(FormatError, match=r"^a\.xml: is "):
        load(write("a.xml", root(entry(points()))[:cut]))


def test_xml_without_data_is_refused(write: Write) -> None:
    with pytest.raises(FormatError, match="without any SASdata"):
        load(write("a.xml", root()))
    with pytest.raises(FormatError, match="no points"):
        load(write("a.xml", root(entry(""))))


def test_a_width_in_another_unit_is_converted(write: Write) -> None:
    text = root(entry(points(more='<Qdev unit="1/nm">0.01</Qdev>')))
    (curve,) = load(write("a.xml", text))
    assert curve.resolution is not None
    assert curve.resolution[0].item() == pytest.approx(0.01)
