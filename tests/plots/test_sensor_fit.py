from __future__ import annotations

import numpy as np
import pytest
from plots_helpers import all_text, assert_readable, legend_texts

from mne_bstinv.errors import SchemaError
from mne_bstinv.plots import plot_sensor_fit

NAMES = ("Brainstorm", "MNE")
TYPES = ["MEG GRAD"] * 4 + ["MEG MAG"] * 2 + ["EEG"] * 3
#: Shown units, and how many of them an SI unit has.
UNITS = {"MEG GRAD": ("fT/cm", 1e13), "MEG MAG": ("fT", 1e15), "EEG": ("µV", 1e6)}


def _given(types=TYPES, n_times=30):
    rng = np.random.default_rng(len(types))
    scale = np.array([1 / UNITS.get(of, ("", 1e6))[1] for of in types])[:, None]
    measured = scale * rng.normal(size=(len(types), n_times))
    noise = scale * rng.normal(size=measured.shape)
    return np.arange(n_times) / 100, measured, 0.8 * measured, measured + 0.1 * noise


def _plot(times, measured, a, b, types=TYPES, **kwargs):
    return plot_sensor_fit(times, measured, a, b, types, names=NAMES, **kwargs)


def _rms(values):
    return np.sqrt((values**2).mean(axis=0))


def _parts(figure):
    """Title, panels and legend of each type of channel."""
    return [(part.get_suptitle(), part.axes, legend_texts(part)) for part in figure.subfigs]


def test_root_mean_squares_by_type_in_their_units():
    times, measured, a, b = _given()
    figure = _plot(times, measured, a, b, title="T")
    assert figure.get_suptitle() == "T"
    parts = _parts(figure)
    assert [title for title, _, _ in parts] == [
        "4 planar gradiometers",
        "2 magnetometers",
        "3 EEG channels",
    ]
    for (of, (unit, scale)), (_, (left, right), _) in zip(UNITS.items(), parts, strict=True):
        picks = np.flatnonzero(np.array(TYPES) == of)
        y, fits = scale * measured[picks], [scale * fit[picks] for fit in (a, b)]
        for line, values in zip(left.lines, (y, *fits), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), 1e3 * times)
            # a mean over up to four channels of squares, in another order of operations
            np.testing.assert_allclose(line.get_ydata(), _rms(values), rtol=1e-14)
        for line, fit in zip(right.lines, fits, strict=True):
            # differences of numbers of order one
            np.testing.assert_allclose(line.get_ydata(), _rms(y - fit), rtol=1e-13)
        assert left.get_ylabel() == f"RMS over channels ({unit})"
        assert left.get_xlabel() == right.get_xlabel() == "time (ms)"
        assert left.get_ylim() == right.get_ylim()
        assert [line.get_linestyle() for line in right.lines] == ["-", "--"]


def test_explained_variance_is_in_the_legend():
    times, measured, a, _ = _given()
    worse = 3 * measured  # leaves twice the recordings: 1 − 4
    for _, _, legend in _parts(_plot(times, measured, a, worse)):
        # 1 − 0.2²
        assert legend == [
            "recordings",
            "Brainstorm (explains 96.00 % of the variance, not whitened)",
            "MNE (explains −300.00 % of the variance, not whitened)",
        ]


def test_nan_leaves_channels_out_of_everything_and_is_said():
    times, measured, a, b = _given()
    complete = _plot(times, measured, a, b)
    extra = [np.concatenate([x[:4], np.full((1, 30), np.nan), x[4:]]) for x in (measured, a, b)]
    extra[0][4] = extra[1][4] = 1e-12  # the other fit is NaN
    types = [*TYPES[:4], "MEG GRAD", *TYPES[4:]]
    figure = _plot(times, *extra, types)
    assert _parts(figure)[0][0] == "5 planar gradiometers (1 of 5 channels left out: not finite)"
    for (_, panels, legend), (_, others, same) in zip(
        _parts(figure), _parts(complete), strict=True
    ):
        assert legend == same
        for axes, other in zip(panels, others, strict=True):
            for line, expected in zip(axes.lines, other.lines, strict=True):
                np.testing.assert_array_equal(line.get_ydata(), expected.get_ydata())


def test_a_type_without_complete_channels():
    times, measured, a, b = _given()
    a[:4, 2] = np.nan
    assert "(4 of 4 channels left out: not finite)" in all_text(_plot(times, measured, a, b))


def test_recordings_that_are_zero():
    times, measured, a, b = _given()
    assert "Brainstorm (recordings are zero)" in all_text(_plot(times, 0 * measured, a, b))


def test_names_of_types_of_both_toolboxes():
    types = ["grad", "MEG GRAD", "mag", " meg mag ", "MEG", "eeg", "SEEG", "seeg", "ecog", "ECOG"]
    titles = [title for title, _, _ in _parts(_plot(*_given(types), types))]
    assert titles == [
        "2 planar gradiometers",
        "2 magnetometers",
        "1 MEG channels",
        "1 EEG channels",
        "2 SEEG channels",
        "2 ECoG channels",
    ]


@pytest.mark.parametrize(
    ("types", "n_times"), [(TYPES, 1), (TYPES, 50), (["EEG"], 1), (["MEG MAG"] * 20, 50)]
)
def test_readable(types, n_times):
    figure = _plot(*_given(types, n_times), types, title="Words " * 20)
    assert_readable(figure)
    names = ("Brainstorm's defaults (2026)", "MNE-Python's defaults (1.13)")
    assert_readable(plot_sensor_fit(*_given(types, n_times), types, names=names))


def test_what_does_not_fit_is_refused():
    times, measured, a, b = _given()
    with pytest.raises(
        SchemaError, match=r"fit_b has shape \(8, 30\), expected \(n_channels, n_times\)"
    ):
        _plot(times, measured, a, b[1:])
    with pytest.raises(
        SchemaError, match=r"channel_types has shape \(2,\), expected \(n_channels,\)"
    ):
        _plot(times, measured, a, b, ["EEG", "EEG"])
    with pytest.raises(
        SchemaError, match="channel_types holds 'eog', 'stim', expected some of meg gr"
    ):
        _plot(times, measured, a, b, ["EOG", "Stim", *TYPES[2:]])
