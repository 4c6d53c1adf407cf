"""Every measured file is read or refused as this table, checked by hand, says.

Points and ranges come from an independent reading with numpy, h5py and awk; where
fewer points are expected than the file has, the comment says which are missing and
why. The unit comes from the ``file``, from the ``convention`` of its format, or it
has to be ``asked`` for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from saxinfer.formats import FormatError, load

Find = Callable[[str], Path | None]
Measured = Callable[[str], Path]


@dataclass(frozen=True)
class Read:
    """What is expected of a file that can be read.

    Attributes:
        points: Points of each curve that can be used.
        low: Smallest q in the unit of the file.
        high: Largest q in the unit of the file.
        unit: The unit of q in the file.
        origin: Who states the unit.
        kinds: Kinds of remarks other than notes.
        dropped: Points of the whole file that cannot be used.
    """

    points: tuple[int, ...]
    low: float
    high: float
    unit: str = "1/Å"
    origin: str = "file"
    kinds: frozenset[str] = frozenset()
    dropped: int = 0


def one(
    points: int, low: float, high: float, unit: str = "1/Å", **rest: object
) -> Read:
    kinds = frozenset(str(rest.get("kinds", "")).split())
    origin = str(rest.get("origin", "file"))
    return Read(
        (points,), low, high, unit, origin, kinds, int(str(rest.get("dropped", 0)))
    )


def asked(
    points: int, low: float, high: float, unit: str = "1/Å", **rest: object
) -> Read:
    return one(points, low, high, unit, **(rest | {"origin": "asked"}))


def known(
    points: int, low: float, high: float, unit: str = "1/Å", **rest: object
) -> Read:
    return one(points, low, high, unit, **(rest | {"origin": "convention"}))


STEEL = (77, 76, 72, 71, 73, 74, 71, 71, 73, 72, 69, 71, 73, 75, 75, 76, 70, 73, 70)

EXPECTED: dict[str, Read | str] = {
    # cellulose
    "AX60-2_1mgml_rebinned.dat": asked(911, 0.001255, 0.9426),
    # 245 empty bins, among them q = 0; the axis contradicts the image header
    "Aerogel1_2_60s_107cm_01_unwarped.dat": known(
        1922, 8.859e-4, 0.8573, dropped=245, kinds="axis"
    ),
    "guadua_bamboo_split_5_linescan_30s_0122.csv": "matrix of 180 x 800",
    "woodsas_marketplace_chart.csv": asked(200, 0.0005, 0.5, kinds="sigma"),
    "woodsas_ref_B.dat": one(300, 0.008, 0.6, kinds="sigma"),
    # fibrils
    "RBNX_210_sub.dat": asked(159, 0.00423, 0.4935),
    "RBNX_221_sub.dat": asked(159, 0.00423, 0.4935),
    "RBNX_223_sub.dat": asked(159, 0.00423, 0.4935),
    "RBNX_305_sub.dat": asked(159, 0.00423, 0.4935),
    "cs_collagen.xml": one(125, 0.02276, 0.09072),
    # three points in the shadow of the beam stop
    "SSRhe010.ABS": one(85, 8.712e-4, 0.02177, dropped=3),
    # lipid
    "liposomes_merge_rebin.dat": one(378, 0.009303, 9.701, "1/nm"),
    # one point in the shadow, two at q = 0.02726
    "Acc_30C.txt": known(213, 0.003433, 0.3782, dropped=1),
    "POPC_ULV_30Cin0D.xff": "form-factor amplitudes",
    "POPC_ULV_30Cin0D.README.yaml": "metadata",
    "DMPC_ULV-30Cin0D.xff": "form-factor amplitudes",
    "DMPC_ULV-30Cin0D.README.yaml": "metadata",
    "DOPE_20C_000MPa_up_2_data_000001_00001.dat": known(2243, 0.01166, 0.7281),
    "DOPE_20C_200MPa_up_7_data_000001_00001.dat": known(2243, 0.01166, 0.7281),
    "JWL225A_000MPa_up_20C_37_data_000001_00001.dat": known(2275, 0.02932, 0.7274),
    "bicelleDMPC-DHCP_5mg.csv": asked(150, 0.1345, 3.585, "1/nm"),
    "hSDS_D2O_2p0_percent.xml": one(137, 0.009, 0.281),
    "AOT_Microemulsion-Core_Contrast.xml": one(137, 0.009, 0.281),
    # reference particles
    # twelve points 0 ± 0 behind the beam stop
    "Au_86116.dat": asked(988, 9.067e-4, 0.07105, dropped=12),
    "Au_86116.csv": asked(987, 9.067e-4, 0.07097),
    "dataset-NPSIZE10.xml": Read(
        (500, 500, 500, 500), 0.0093747, 0.35388, "1/Å", "convention"
    ),
    "export-au.txt": asked(1000, 0.006434, 0.3752),
    "nPSize4.dat": "5 columns and no line that names them",
    "silica_initial.dat": asked(1614, 0.03789, 4.302, "1/nm"),
    "silica_histogram_linear_McSAS.dat": "size distribution",
    "ResultBkgSub-img000900001.dat": asked(1495, 0.04318, 3.993, "1/nm"),
    "ps_spheres_255nm_usaxs.csv": one(1824, 1.645e-4, 0.04258, kinds="slit"),
    "Ludox_silica.xml": one(92, 0.00714, 0.2517),
    "apoferritin.txt": known(395, 0.0055, 0.3995),
    # two points 0 ± 0 at the end
    "samdata_WITHTX.xml": one(104, 0.00159, 0.24206, dropped=2),
    "Alumina_usaxs_irena_input.csv": asked(112, 2.465e-4, 0.6758),
    "AluminaUSAXS_irenaSingleShotResults.csv": "size distribution",
    "InputParametersUsed4AluminaData.csv": "names and values",
    "S_A_02700_F2-T1_lys_8_000.dat": known(430, 0.01069, 0.5807),
    "glucose_isomerase.dat": known(474, 0.0101, 0.283),
    "glucose_isomerase.out": "GNOM",
    "NIST_SRM3600_certified.csv": one(59, 0.008276, 0.2474),
    # random media
    "glassycarbon_G9_APS_USAXS_12keV.xml": one(76, 0.001844, 1.0),
    "glassycarbon_C14_ESRF_ID02_USAXS.txt": one(125, 2.088e-4, 0.06314, kinds="sigma"),
    "glassycarbon_C4_ILL_D11_10A.txt": asked(114, 0.004459, 0.3085),
    "BRAD_APS_polyurethane.Q": one(537, 0.00634, 0.315),
    "ISIS_98929_nylon_fibres.TXT": known(140, 0.007, 0.285),
    "ISIS_Polymer_Blend_RT2.xml": one(124, 0.008, 0.254),
    "P123_D2O_10_percent.xml": one(124, 0.009, 0.2545),
    "cs_rr_polymers.xml": Read(
        (119, 120, 120, 120), 1.604e-4, 0.2971, kinds=frozenset({"slit"})
    ),
    "pyirena_sample23.h5": Read((523, 523), 9.374e-5, 0.3, kinds=frozenset({"slit"})),
    "pyirena_sample4.h5": Read((518, 518), 1.194e-4, 0.3, kinds=frozenset({"slit"})),
    # humidity series
    "044753_t1.dat": known(116, 0.02544, 0.4878),
    "044753_t20.dat": known(116, 0.02544, 0.4878),
    "044753_t60.dat": known(116, 0.02544, 0.4878),
    "044753_t300.dat": known(116, 0.02544, 0.4878),
    "044763_10.dat": known(116, 0.02543, 0.4875),
    # reference curves
    "CS_300A_30A_10_50_20.h5": one(800, 1e-4, 1.0),
    "CS_300A_10A_50_20_0.h5": one(800, 1e-4, 1.0),
    "sm_sphere_lognormal.dat": one(400, 0.001, 0.5, kinds="sigma"),
    "x_coreshell_1.txt": asked(1000, 0.001, 0.7943),
    "n_coreshell.txt": asked(100, 0.001, 0.7943),
    "bimodal-test1.xml": one(91, 0.004016, 0.385),
    "sasfit_sphere-20-1.dat": asked(501, 0.001, 10.0, kinds="sigma"),
    # images
    "2018-01-31-OT_0_13459.edf": "detector image (EDF)",
    "P40_1_3_00000.tif": "detector image (TIFF)",
    "saxslab_image.tiff": "detector image (TIFF)",
    "BSA11mg_saxslab.tiff": "detector image (TIFF)",
    "GI2_A9_19_001_0000.tiff": "detector image (TIFF)",
    "calibration.edf.gz": "detector image (EDF)",
    "fibrin_SSRhe002_2D.dat": "2D map",
    "fibrin_SSRhe086_2D.dat": "2D map",
    "P123_D2O_10_percent_2D.dat": "2D map",
    "33837rear_2D_1.75_16.5_NXcanSAS_v3.h5": "two-dimensional",
    "Pilatus1M.poni": "calibration of pyFAI",
    "jupyter_v2.1.poni": "calibration of pyFAI",
    # formats
    "Anton-Paar.pdh": one(673, 0.06604, 4.502, "1/nm", kinds="slit"),
    "10wtAOT_Reline_120_reduced.pdh": one(748, 0.07264, 5.003, "1/nm", kinds="slit"),
    "ISIS_83404.TXT": known(121, 0.009, 0.249),
    "APS_DND-CAT.TXT": asked(733, 0.002647, 0.1511),
    "33837rear_1D_1.75_16.5_CanSAS1D.xml": one(66, 0.00416, 0.6189),
    "33837rear_1D_1.75_16.5_NXcanSAS_v3.h5": one(66, 0.00416, 0.6189),
    "33837rear_1D_1.75_16.5_RKH.txt": known(66, 0.00416, 0.6189),
    "Lew_Sa3_DSM_QinA.h5": one(490, 1.121e-4, 1.636),
    "FK403_0006_Nika.hdf": one(118, 0.03853, 1.645),
    # six points in the shadow of the beam stop
    "jan08002.ABS": one(121, 0.03402, 0.5828, dropped=6),
    "FEB18012.ASC": "detector image in text",
    "sam14_cor.ABS": known(95, 2.976e-5, 0.002688, kinds="slit"),
    "cansas1d.xml": "2 of 2 can be used",
    "cansas1d_units.xml": "2 of 2 can be used",
    "cansas1d_slit.xml": "2 of 2 can be used",
    # the last point is 0 ± 0
    "ISIS_1_1.xml": one(137, 0.009, 0.281, dropped=1),
    "ascii_test_1.txt": "6 in the shadow",
    "ascii_test_2.txt": "6 in the shadow",
    "ascii_test_6.txt": "6 columns",
    # four points 0 ± 0; three overlapping parts one after the other
    "encoding_ANSI.txt": one(965, 2.016e-4, 1.07, dropped=4),
    "simpleexamplefile.h5": one(100, 0.004695, 0.9884, kinds="sigma"),
    # 26 rows of nan
    "nans_in_1d_data.dat": one(2395, 0.0061035, 0.6126, dropped=26),
    # two, three and three points with zero or negative errors
    "data_error_2.txt": known(84, 0.0028654, 0.0255, dropped=2),
    "data_error_4.txt": known(83, 0.0031382, 0.0255, dropped=3),
    "data_error_6.txt": known(83, 0.0031382, 0.0255, dropped=3),
    "testData01.csv": asked(50, 0.05669, 2.876, "1/nm"),
    "testData01 commaDelim.csv": asked(50, 0.05669, 2.876, "1/nm"),
    "testData01 UnicodeTwoLineHeader.csv": one(50, 0.05669, 2.876, "1/nm"),
    "testData01 emptyLines.csv": asked(50, 0.05669, 2.876, "1/nm"),
    "testData01 leadingTrailingSpaces.csv": asked(50, 0.05669, 2.876, "1/nm"),
    "testData01 spaceDelim.csv": asked(50, 0.05669, 2.876, "1/nm"),
    "testData01 tabDelim.csv": asked(50, 0.05669, 2.876, "1/nm"),
    "csv.dat": asked(474, 0.0101, 0.283),
    "csv_2col.csv": asked(474, 0.0101, 0.283, kinds="sigma"),
    "sans_data.dat": one(117, 0.006853, 0.7839),
    "glucose_isomerase.ift": known(474, 0.0101, 0.283),
    # q = 0
    "foxs.dat": known(500, 0.001, 0.5, dropped=1),
    "crysol.int": known(50, 0.01, 0.5, dropped=1, kinds="sigma"),
    "waxsis.dat": one(100, 0.01, 1.0, dropped=1),
    "dammif.fir": asked(395, 0.0101, 0.2374),
    "lys_saxs.dat": known(474, 0.0101, 0.283),
    "lys_waxs.dat": known(292, 0.2141, 0.7936),
    "GI2_A9_19_001_0000.dat": known(474, 0.0101, 0.283),
    # 27 rows of nan
    "datasample-swing.dat": one(1192, 0.026587, 2.3716, dropped=27),
    "datasample-fit2d.chi": asked(226, 0.02101, 0.3991, kinds="sigma"),
    "sample-lupolen-1800s.rgr": known(987, 0.0098, 0.7),
    "MOUSE_20190725_11_DAWN_excerpt.nxs": one(449, 0.196, 12.04, "1/nm"),
    "009766_forSasView.h5": "two-dimensional",
    "W1W2.XML": Read((140, 140), 0.009, 0.287),
    "cs_af1410.xml": Read(STEEL, 0.01651, 0.1063),
    "ISIS_SANS_Example.h5": one(140, 0.009, 0.287),
    "Z83000.I1D": asked(121, 0.009, 0.249),
    "Z83000.QAX": "q axis of a BSL set",
    "Z83000.xml": one(121, 0.009, 0.249, kinds="sigma"),
    "Z83001.I1D": "Z83000.I1D",
    "Z83001.QAX": "Z83000.QAX",
    "Z83002.I1D": "Z83000.I1D",
    # the last point has the error 0
    "PREFIX1_00060_molass.dat": asked(1027, 0.006306, 0.43684, dropped=1),
}
READ = {name: what for name, what in EXPECTED.items() if isinstance(what, Read)}
REFUSED = {name: what for name, what in EXPECTED.items() if isinstance(what, str)}
PER_NM = {"1/Å": 10.0, "1/nm": 1.0}


@pytest.mark.parametrize("name", READ)
def test_a_measured_curve_is_read_as_it_was_read_by_hand(
    name: str, measured: Measured
) -> None:
    path, expected = measured(name), READ[name]
    if expected.origin == "asked":
        with pytest.raises(FormatError, match="--q-unit"):
            load(path)
    unit = expected.unit if expected.origin == "asked" else None
    curves = load(path, q_unit=unit)
    assert tuple(len(curve) for curve in curves) == expected.points
    assert sum(curve.dropped for curve in curves) == expected.dropped
    # Ranges are given with four digits.
    scale = PER_NM[expected.unit]
    assert min(c.q[0].item() for c in curves) == pytest.approx(
        expected.low * scale, 1e-3
    )
    assert max(c.q[-1].item() for c in curves) == pytest.approx(
        expected.high * scale, 1e-3
    )
    assert {curve.q_unit for curve in curves} == {expected.unit}
    remarks = [remark for curve in curves for remark in curve.remarks]
    assert {r.kind for r in remarks} - {"note"} == expected.kinds
    by_convention = any("by the convention of" in r.text for r in remarks)
    assert by_convention == (expected.origin == "convention")
    assert [curve.entry for curve in curves] == list(range(len(curves)))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_curve_is_refused_by_what_it_is(
    name: str, measured: Measured
) -> None:
    with pytest.raises(FormatError) as refusal:
        load(measured(name))
    sentence = str(refusal.value)
    assert sentence.startswith(f"{name}: ")
    assert REFUSED[name] in sentence
    assert "\n" not in sentence


def test_every_file_of_the_folder_is_in_the_table(measured_folder: Path) -> None:
    if not measured_folder.is_dir():
        pytest.skip(
            f"{len(EXPECTED)} checks need the measured files in {measured_folder}."
        )
    files = {path.name for path in measured_folder.rglob("*") if path.is_file()}
    assert files - set(EXPECTED) - {"SOURCES.md"} == set()


def test_some_files_are_checked_even_without_the_folder(find_measured: Find) -> None:
    assert sum(find_measured(name) is not None for name in EXPECTED) >= 20


def test_all_dialects_of_one_table_load_equal(measured: Measured) -> None:
    names = [name for name in EXPECTED if name.startswith("testData01")]
    first, *others = (load(measured(name), q_unit="1/nm")[0] for name in names)
    assert len(others) == 6
    for other in others:
        assert other.q.equal(first.q)
        assert other.intensity.equal(first.intensity)
        assert first.sigma is not None
        assert other.sigma is not None
        assert other.sigma.equal(first.sigma)


def test_a_table_with_and_without_errors_is_the_same_curve(measured: Measured) -> None:
    (full,) = load(measured("csv.dat"), q_unit="1/A")
    (bare,) = load(measured("csv_2col.csv"), q_unit="1/A")
    assert bare.q.numpy() == pytest.approx(full.q.numpy(), rel=1e-5)
    assert bare.intensity.numpy() == pytest.approx(full.intensity.numpy(), rel=1e-5)


def test_a_curve_and_its_trimmed_copy_agree_where_both_are(measured: Measured) -> None:
    (full,) = load(measured("Au_86116.dat"), q_unit="1/A")
    (trimmed,) = load(measured("Au_86116.csv"), q_unit="1/A")
    n = len(trimmed)
    assert full.q[:n].numpy() == pytest.approx(trimmed.q.numpy(), rel=1e-5)
    assert full.intensity[:n].numpy() == pytest.approx(trimmed.intensity.numpy(), 1e-5)
    assert full.sigma is not None
    assert trimmed.sigma is not None
    assert full.sigma[:n].numpy() == pytest.approx(trimmed.sigma.numpy(), rel=1e-5)


def test_the_curve_in_a_bift_result_is_the_one_it_was_made_from(
    measured: Measured,
) -> None:
    (original,) = load(measured("glucose_isomerase.dat"))
    (copied,) = load(measured("glucose_isomerase.ift"))
    assert copied.intensity.numpy() == pytest.approx(original.intensity.numpy(), 1e-5)
