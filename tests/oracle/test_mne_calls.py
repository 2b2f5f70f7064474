"""What MNE does by default works on what a protocol becomes: calls over all protocols."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mne
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import mne_bstinv as mb

HERE = Path(__file__).parents[1] / "data"
SHARED = Path(os.environ.get("MNE_BSTINV_TEST_DATA", "/nowhere")) / "oracle"

SHELLS = ("scalp", "inner_skull", "outer_skull")
#: One protocol of each sort stands in the repository; the rest is tried where it is.
QUICK = ("eeg_shared", "eeg_volume", "meg_eeg", "mixed")
#: What is drawn of sensors depends on them alone: one protocol of each set of sensors.
SENSORS = (
    "eeg_shared", "meg_eeg", "local-eeg_surface", "local-meg_ctf", "local-meg_neuromag",
    "public-inverse_old_sphere", "public-misc", "public-sample_study",
)  # fmt: skip
DRAWN = ("evoked.plot", "raw.", "cov.plot", "epochs.plot", "epochs.average", "info.plot")


def _protocols() -> Iterator[Any]:
    for name in QUICK:
        yield pytest.param(HERE / name, id=name)
    folders = sorted(SHARED.glob("*/*")) if SHARED.is_dir() else []
    for folder in folders:
        public = folder.parent.name == "public"
        if (folder / "anat").is_dir() and not (public and folder.name in QUICK):
            name = f"{folder.parent.name}-{folder.name}"
            yield pytest.param(folder, id=name, marks=pytest.mark.slow)


class Ported:
    """The objects of the condition of a protocol that holds most, each made once."""

    def __init__(self, root: Path, subjects_dir: Path) -> None:
        protocol = mb.read_protocol(root)
        conditions = [c for s in protocol.subjects for c in s.conditions if c.channel_file]
        chosen = max(conditions, key=lambda c: (bool(c.head_model_file), bool(c.recordings)))
        self.study = protocol.condition(chosen.subject, chosen.name)
        self.subjects_dir = subjects_dir

    @cached_property
    def evoked(self) -> mne.Evoked:
        if not self.study.evokeds:
            pytest.skip("no averages")
        return self.study.evokeds[0]

    @cached_property
    def epochs(self) -> mne.BaseEpochs:
        try:
            found = self.study.epochs
        except mb.errors.ConversionError as error:
            if "have not the times of the first" not in str(error):
                raise
            pytest.skip("trials of different times, which are no Epochs of MNE")
        if found is None:
            pytest.skip("no trials")
        return found

    @cached_property
    def raw(self) -> mne.io.RawArray:
        return mne.io.RawArray(self.evoked.data, self.evoked.info)

    @cached_property
    def forward(self) -> mne.Forward:
        if self.study.head_model_file is None:
            pytest.skip("no head model")
        return self.study.forward

    @cached_property
    def cov(self) -> mne.Covariance:
        if self.study.noise_cov_file is None:
            pytest.skip("no noise covariance")
        return self.study.noise_cov

    @cached_property
    def inverse(self) -> Any:
        names = {"surf": "surface", "vol": "volume", "discrete": "discrete"}
        kinds = {names[part["type"]] for part in self.forward["src"]}
        loose = {kind: 0.2 if kind == "surface" else 1.0 for kind in kinds}
        return mne.minimum_norm.make_inverse_operator(
            self.referenced.info, self.forward, self.cov, loose=loose, depth=None, rank="info"
        )

    @cached_property
    def referenced(self) -> mne.Evoked:
        """The average with the reference that MNE asks for."""
        evoked = self.evoked.copy()
        return evoked.set_eeg_reference(projection=True) if "eeg" in evoked else evoked

    @cached_property
    def drawn(self) -> mne.Evoked:
        """The data channels; gradiometers whose names MNE's layouts lack make no pairs."""
        evoked = self.evoked.copy().pick("data", exclude=())
        evoked.pick(mne.pick_types(evoked.info, meg=True, eeg=True, seeg=True, ref_meg=False))
        known = set(mne.channels.read_layout("Vectorview-grad").names)
        bare = {name[:3] + " " + name[3:].strip() for name in evoked.ch_names}
        if "grad" in evoked and not bare <= known:
            evoked.pick([t for t in evoked.get_channel_types(unique=True) if t != "grad"])
        return evoked

    @cached_property
    def first_type(self) -> str:
        types = self.evoked.get_channel_types(picks="data", unique=True)
        return next(kind for kind in types if kind != "ref_meg")

    @cached_property
    def stc(self) -> Any:
        return mne.minimum_norm.apply_inverse(self.referenced, self.inverse, 1 / 9, "MNE")

    @cached_property
    def subject(self) -> str:
        study = self.study
        if study.anatomy.cortex is None or study.cortex is None:
            pytest.skip("no cortex")
        found = {name: getattr(study.anatomy, name) for name in SHELLS}
        shells = {name: mb.io.read_surface(file) for name, file in found.items() if file}
        mb.to_surfaces(
            self.subjects_dir, study.mne_subject, cortex=study.cortex, mri=study.mri,
            channels=study.channels, **shells,
        )  # fmt: skip
        return study.mne_subject

    def of_kind(self, *kinds: str) -> None:
        if self.forward["src"].kind not in kinds:
            pytest.skip(f"sources are {self.forward['src'].kind}")


@pytest.fixture(scope="session")
def ported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Ported]:
    return cache(lambda root: Ported(root, tmp_path_factory.mktemp("subjects")))


def _types(p: Ported) -> None:
    picks = mne.pick_types(p.study.info, meg=True, eeg=True, exclude="bads")
    assert len(picks)
    assert not {"EEG REF", "EEG_REF"} & {p.study.info.ch_names[i] for i in picks}


def _reference(p: Ported) -> None:
    if "eeg" not in p.evoked:
        pytest.skip("no EEG")
    found = p.evoked.copy().pick("eeg", exclude="bads").apply_proj()
    found.set_eeg_reference(projection=False)
    assert p.study.info.get_channel_types(picks="eeg", unique=True) == ["eeg"]
    np.testing.assert_allclose(found.data.mean(axis=0), 0, atol=1e-9 * abs(found.data).max())


def _io(obj: Any, folder: Path, name: str, read: Callable[..., Any]) -> Any:
    obj.save(folder / name, overwrite=True)
    return read(folder / name)


def _info(p: Ported, folder: Path) -> mne.Info:
    p.study.info.save(folder / "x-info.fif")  # without overwrite, which older releases lack
    return mne.io.read_info(folder / "x-info.fif")


def _table(obj: Any) -> Any:
    pytest.importorskip("pandas")
    return obj.to_data_frame()


def _labels(p: Ported) -> None:
    p.of_kind("surface")
    labels = [x for x in p.study.labels if len(x.vertices)]
    found = p.stc.extract_label_time_course(labels, p.forward["src"], mode="mean")
    assert found.shape[0] == len(labels)


def _morph(p: Ported) -> None:
    p.of_kind("surface")
    if not (p.subjects_dir / p.subject / "surf" / "lh.sphere.reg").exists():
        pytest.skip("no registration")
    morph = mne.compute_source_morph(
        p.forward["src"], p.study.mne_subject, p.study.mne_subject, spacing=None,
        subjects_dir=p.subjects_dir if p.subject else None, smooth=1, warn=False,
    )  # fmt: skip
    moved = morph.apply(p.stc)
    assert moved.data.shape[1] == p.stc.data.shape[1]


def _volume(p: Ported, fine: bool) -> None:
    p.of_kind("volume")
    pytest.importorskip("nibabel")
    image = p.stc.as_volume(p.forward["src"], mri_resolution=fine)
    assert np.asarray(image.dataobj).max() > 0


def _mni(p: Ported) -> None:
    study = p.study
    if study.mri is None or study.mri.ncs is None or study.mri.ncs.r is None or not p.subject:
        pytest.skip("no MNI coordinates")
    rr = p.forward["src"][0]["rr"][:3]
    found = mne.head_to_mni(rr, p.subject, study.trans, subjects_dir=p.subjects_dir)
    assert np.abs(found).max() < 200


def _flat(p: Ported) -> None:
    for side in ("lh", "rh"):
        surf = p.subjects_dir / p.subject / "surf"
        for name in ("white", "pial", "inflated", "sphere"):
            rr, tris = mne.read_surface(surf / f"{side}.{name}")
            assert np.isfinite(rr).all()
            assert np.abs(rr).max() < 1000
            assert len(tris)
        for name in ("curv", "sulc"):
            mne.surface.read_curvature(surf / f"{side}.{name}", binary=False)


CALLS: dict[str, Callable[[Ported, Path], Any]] = {
    "pick_types": lambda p, _: _types(p),
    "info.plot_sensors": lambda p, _: p.study.info.plot_sensors(show=False),
    "info.save": lambda p, d: _info(p, d),
    "montage": lambda p, _: p.evoked.get_montage(),
    "evoked.plot": lambda p, _: p.evoked.plot(show=False),
    "evoked.plot_joint": lambda p, _: p.drawn.plot_joint(show=False),
    "evoked.plot_topomap": lambda p, _: p.drawn.plot_topomap(show=False),
    "evoked.plot_image": lambda p, _: p.evoked.plot_image(show=False),
    "evoked.plot_topo": lambda p, _: p.drawn.plot_topo(show=False),
    "evoked.plot_white": lambda p, _: p.evoked.plot_white(p.cov, show=False),
    "evoked.save": lambda p, d: _io(p.evoked, d, "x-ave.fif", mne.read_evokeds),
    "evoked.reference": lambda p, _: _reference(p),
    "evoked.to_data_frame": lambda p, _: _table(p.evoked),
    "evoked.whiten": lambda p, _: mne.whiten_evoked(p.drawn, p.cov, rank="info"),
    "evoked.filter": lambda p, _: p.evoked.copy().crop(0).get_peak(
        ch_type=p.first_type
    ),
    "adjacency": lambda p, _: mne.channels.find_ch_adjacency(
        p.evoked.info, p.first_type
    ),
    "layout": lambda p, _: mne.channels.find_layout(p.evoked.info),
    "epochs.plot_image": lambda p, _: p.epochs.plot_image(combine="mean", show=False),
    "epochs.average": lambda p, _: p.epochs.average().plot(show=False),
    "epochs.psd": lambda p, _: p.epochs.compute_psd(fmax=40.0),
    "epochs.cov": lambda p, _: mne.compute_covariance(p.epochs, rank="info"),
    "epochs.save": lambda p, d: _io(p.epochs, d, "x-epo.fif", mne.read_epochs),
    "raw.plot": lambda p, _: p.raw.plot(show=False),
    "raw.psd": lambda p, _: p.raw.compute_psd(fmax=40.0).plot(show=False),
    "cov.plot": lambda p, _: p.cov.plot(p.evoked.info, show=False, show_svd=True),
    "cov.regularize": lambda p, _: mne.cov.regularize(p.cov, p.evoked.info, rank="info"),
    "cov.save": lambda p, d: _io(p.cov, d, "x-cov.fif", mne.read_cov),
    "forward.save": lambda p, d: _io(p.forward, d, "x-fwd.fif", mne.read_forward_solution),
    "forward.sensitivity": lambda p, _: mne.sensitivity_map(
        p.forward, mode="free",
        ch_type=p.first_type,
    ),
    "src.save": lambda p, d: _io(p.forward["src"], d, "x-src.fif", mne.read_source_spaces),
    "inverse": lambda p, _: p.inverse,
    "inverse.save": lambda p, d: mne.minimum_norm.write_inverse_operator(
        d / "x-inv.fif", p.inverse
    ),
    "stc": lambda p, _: p.stc,
    "stc.dspm": lambda p, _: mne.minimum_norm.apply_inverse(
        p.referenced, p.inverse, 1 / 9, "dSPM", pick_ori=None
    ),
    "stc.save": lambda p, d: p.stc.save(d / "x", ftype="h5", overwrite=True),
    "stc.crop": lambda p, _: _table(p.stc.copy().crop(0)),
    "stc.labels": lambda p, _: _labels(p),
    "stc.as_volume": lambda p, _: _volume(p, False),
    "stc.as_volume_fine": lambda p, _: _volume(p, True),
    "surfaces": lambda p, _: _flat(p),
    "morph": lambda p, _: _morph(p),
    "mni": lambda p, _: _mni(p),
    "lcmv": lambda p, _: mne.beamformer.make_lcmv(
        p.referenced.info, p.forward, p.cov, reg=0.05, noise_cov=p.cov, rank="info",
        reduce_rank="eeg" not in p.evoked,  # MEG of a sphere sees two orientations
    ),
    "resolution": lambda p, _: mne.minimum_norm.make_inverse_resolution_matrix(
        mne.convert_forward_solution(p.forward, force_fixed=False), p.inverse
    ),
}  # fmt: skip


def _calls() -> Iterator[Any]:
    for protocol in _protocols():
        for name in CALLS:
            if protocol.id in SENSORS or not name.startswith(DRAWN):
                (root,), marks = protocol.values, protocol.marks
                yield pytest.param(root, name, id=f"{protocol.id}-{name}", marks=marks)


def _needs_3d() -> None:
    """Skip where MNE's 3D views cannot be drawn."""
    for package in ("pyvista", "pyvistaqt", "qtpy", "nibabel"):
        pytest.importorskip(package)
    if not os.environ.get("DISPLAY"):
        pytest.skip("no display: run with xvfb-run")
    mne.viz.set_3d_backend("pyvistaqt", verbose="error")


def _align(p: Ported, frame: str, **shown: Any) -> Any:
    return mne.viz.plot_alignment(
        p.study.info, p.study.trans, p.subject, p.subjects_dir, coord_frame=frame, **shown
    )


def _shells(p: Ported, frame: str) -> Any:
    names = {"scalp": "head", "inner_skull": "inner_skull", "outer_skull": "outer_skull"}
    there = [mnes for ours, mnes in names.items() if getattr(p.study.anatomy, ours)]
    return _align(p, frame, surfaces=["white", *there], dig=True, meg=("helmet", "sensors", "ref"))


def _brain(p: Ported, surf: str = "white") -> Any:
    return mne.viz.Brain(p.subject, hemi="both", surf=surf, subjects_dir=p.subjects_dir)


def _parcellations(p: Ported) -> None:
    brain = _brain(p, "inflated")
    for label in p.study.labels:
        if len(label.vertices):
            brain.add_label(label)
    for file in sorted((p.subjects_dir / p.subject / "label").glob("lh.*.annot")):
        brain.add_annotation(file.name[3:-6])


def _sensors(p: Ported) -> None:
    brain = _brain(p)
    brain.add_sensors(p.study.info, p.study.trans, meg=["sensors"])
    if p.study.anatomy.scalp:
        brain.add_head()


def _shown(p: Ported, **how: Any) -> Any:
    """Show the estimate in 3D, of whatever kind it is."""
    place: dict[str, Any] = {"subject": p.subject, "subjects_dir": p.subjects_dir}
    p.of_kind("surface", "volume", "mixed")
    src, how = p.forward["src"], {"time_viewer": False, **how}
    if src.kind == "surface":
        return p.stc.plot(**place, **how)
    mixed = src.kind == "mixed"
    show = p.stc.plot if mixed else p.stc.plot_3d
    how |= {"src": src, **({"surface": "white"} if mixed else {})}
    if any("plot_3d" in finding.reason for finding in mb.conversion_report(p.study.src)):
        with pytest.raises(AssertionError):  # as the report says: no turned lattices
            show(**place, **how)
        return None
    return show(**place, **how)


def _dipoles(p: Ported, mode: str) -> Any:
    rr = p.forward["src"][0]["rr"][p.forward["src"][0]["vertno"][:3]]
    dipole = mne.Dipole(np.arange(3) / 100, rr, np.full(3, 1e-8), np.eye(3), np.full(3, 90.0))
    return dipole.plot_locations(p.study.trans, p.subject, p.subjects_dir, mode=mode, show=False)


CALLS_3D: dict[str, Callable[[Ported], Any]] = {
    "plot_sensors": lambda p: p.study.info.plot_sensors("3d", show=False),
    "alignment": lambda p: mne.viz.plot_alignment(p.study.info),
    "alignment.head": lambda p: _shells(p, "head"),
    "alignment.meg": lambda p: _shells(p, "meg"),
    "alignment.mri": lambda p: _shells(p, "mri"),
    "alignment.src": lambda p: _align(p, "head", src=p.forward["src"], surfaces=["pial"]),
    "alignment.fwd": lambda p: _align(p, "mri", fwd=p.forward, surfaces=[]),
    "stc": lambda p: _shown(p),
    "stc.both": lambda p: _shown(p, hemi="both", views="dorsal"),
    "labels": lambda p: _parcellations(p),
    "brain.sensors": lambda p: _sensors(p),
    "brain.forward": lambda p: _brain(p).add_forward(p.forward, p.study.trans),
    "dipoles.arrow": lambda p: _dipoles(p, "arrow"),
    "dipoles.orthoview": lambda p: _dipoles(p, "orthoview"),
}


@pytest.mark.filterwarnings("default")  # those of Qt and VTK are theirs
@pytest.mark.parametrize("name", CALLS_3D)
@pytest.mark.parametrize("root", list(_protocols()))
def test_call_in_3d(root: Path, name: str, ported: Callable[[Path], Ported]) -> None:
    _needs_3d()
    with mne.use_log_level("error"):
        CALLS_3D[name](ported(root))
    mne.viz.close_all_3d_figures()
    plt.close("all")


# MNE's, of a bad channel in a projector
@pytest.mark.filterwarnings("ignore:Projection vector:RuntimeWarning")
@pytest.mark.parametrize(("root", "name"), list(_calls()))
def test_call(
    root: Path,
    name: str,
    ported: Callable[[Path], Ported],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # what is drawn is up to MNE, how it becomes pixels is not
    monkeypatch.setattr(FigureCanvasAgg, "draw", lambda _: None)
    with mne.use_log_level("error"):
        CALLS[name](ported(root), tmp_path)
    plt.close("all")
