"""Every attribute of the structures that a kernel is computed from, with odd values put into it.

Readers let no such values through; programs that put structures together can. Each gives an error
of the package, or a kernel of finite numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_array

from mne_bstinv import io
from mne_bstinv.errors import BstInvError, InverseError
from mne_bstinv.inverse import compute_kernel

#: Values of no field.
ODD: dict[str, Any] = {
    "None": None, "text": "odd", "number": -7.5, "NaN": float("nan"), "infinity": float("inf"),
    "mapping": {"odd": 1.0}, "tuple": ("odd", 2.0), "nothing": (), "object": object(),
    "truth": True, "no rows": np.zeros((0, 0)), "cube": np.full((2, 7, 3), 1e20),
    "array of NaN": np.full((5, 2), np.nan), "sparse": csc_array(np.eye(3)),
}  # fmt: skip

#: What is made of an array: of these alone the kernel may be another.
OF_ARRAYS: dict[str, Any] = {
    "all NaN": lambda a: np.full(a.shape, np.nan),
    "one infinity": lambda a: np.where(
        np.arange(a.size).reshape(a.shape) == a.size // 2, np.inf, a
    ),
    "zeros": lambda a: np.zeros(a.shape),
    "huge": lambda a: np.full(a.shape, 1e300),
    "shorter": lambda a: a[:-1],
    "flat": np.ravel,
    "transposed": lambda a: a.T,
    "complex": lambda a: a * 1j,
    "words": lambda a: np.full(a.shape, "x"),
    "objects": lambda a: np.full(a.shape, None),
    "list": lambda a: a.tolist(),
}
#: What is made of a tuple.
OF_TUPLES: dict[str, Any] = {
    "fewer": lambda t: t[:-1],
    "numbers": lambda t: (1.0,) * len(t),
    "list": list,
}


def odd_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is put in the place of a value, with its name."""
    yield from ODD.items()
    makers = OF_ARRAYS if isinstance(value, np.ndarray) else {}
    makers = OF_TUPLES if isinstance(value, tuple) and value else makers
    for name, make in makers.items():
        yield name, make(value)


def variants(structure: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the structure with one value replaced, those inside it too, and what was done."""
    for field in dataclasses.fields(structure):
        if not field.init or field.name == "extra":
            continue
        name, value = field.name, getattr(structure, field.name)
        for odd, new in odd_values(value):
            yield f"{place}{name}: {odd}", dataclasses.replace(structure, **{name: new})
        several = isinstance(value, tuple) and bool(value)
        inner = value[0] if several else value
        if dataclasses.is_dataclass(inner):
            for words, new in variants(inner, f"{place}{name}."):
                kept = (new, *value[1:]) if several else new
                yield words, dataclasses.replace(structure, **{name: kept})


def surface() -> dict[str, Any]:
    """A study of six channels and four sources."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((6, 6))
    names = [f"E{i}" for i in range(6)]
    places = rng.standard_normal((6, 3, 1)) / 20
    direction = rng.standard_normal((6, 1))
    normals = rng.standard_normal((4, 3))
    projector = io.Projector(comment="blink", components=direction, comp_mask=np.ones(1),
                             status=1, method="SSP_pca")  # fmt: skip
    return {
        "head_model": io.HeadModel(
            gain=rng.standard_normal((6, 12)), grid_loc=rng.standard_normal((4, 3)) / 20,
            grid_orient=normals / np.linalg.norm(normals, axis=1, keepdims=True),
            head_model_type="surface", eeg_method="eeg_3sphereberg",
        ),
        "noise_cov": io.NoiseCov(
            noise_cov=root @ root.T, fourth_moment=(root @ root.T) ** 2,
            n_samples=np.full((6, 6), 100.0),
        ),
        "channels": io.Channels(
            channels=tuple(
                io.Channel(name=name, type="EEG", loc=loc)
                for name, loc in zip(names, places, strict=True)
            ),
            projectors=(projector,),
        ),
    }  # fmt: skip


def mixed(data_dir) -> dict[str, Any]:
    folder = data_dir / "mixed" / "data" / "Subject01" / "mixed"
    return {
        "head_model": io.read_head_model(folder / "headmodel_mix_eeg_3sphereberg.mat"),
        "noise_cov": io.read_noise_cov(folder / "noisecov_full.mat"),
        "channels": io.read_channels(folder / "channel.mat"),
    }


def compute(study: dict[str, Any], **options: Any) -> Any:
    return compute_kernel(**study, data_types="EEG", options=options)


@pytest.mark.parametrize("noise_method", ["reg", "shrink"])
@pytest.mark.parametrize("name", ["head_model", "noise_cov", "channels"])
def test_an_odd_value_in_every_attribute(name, noise_method):
    study, tried = surface(), 0
    usual = compute(study, NoiseMethod=noise_method)
    for words, changed in variants(study[name]):
        tried += 1
        try:
            found = compute(study | {name: changed}, NoiseMethod=noise_method)
        except BstInvError:
            continue
        except Exception as error:
            pytest.fail(f"{words}: {type(error).__name__}: {error}")
        assert np.isfinite(found.kernel).all(), words
        assert found.kernel.shape[1] <= usual.kernel.shape[1], words
    assert tried > 10 * len(dataclasses.fields(study[name]))


def test_an_odd_value_in_every_attribute_of_regions(data_dir):
    study = mixed(data_dir)
    head_model = study["head_model"]
    for words, atlas in variants(head_model.grid_atlas, "grid_atlas."):
        changed = dataclasses.replace(head_model, grid_atlas=atlas)
        try:
            found = compute(study | {"head_model": changed})
        except BstInvError:
            continue
        except Exception as error:
            pytest.fail(f"{words}: {type(error).__name__}: {error}")
        assert np.isfinite(found.kernel).all(), words


@pytest.mark.parametrize(
    ("name", "attribute", "value", "words"),
    [
        ("head_model", "gain", [[1.0]], r"head_model\.gain must be an array with rows and columns"),
        ("head_model", "gain", np.ones((6, 12)) * 1j, r"real numbers, found an array of .*complex"),
        (
            "head_model",
            "head_model_type",
            1.0,
            r"head_model_type must be text or None, found float",
        ),
        ("head_model", "grid_orient", np.full((4, 3), 1e300), r"grid_orient holds a number beyond"),
        ("noise_cov", "noise_cov", None, r"noise_cov\.noise_cov must be .*found NoneType"),
        ("noise_cov", "fourth_moment", np.eye(2), r"has shape \(2, 2\), expected that of the cov"),
        ("noise_cov", "n_samples", np.ones(5), r"n_samples has shape \(5,\), expected one number"),
        ("channels", "channels", ("odd",), r"must be the channels of a channel file"),
        ("channels", "projectors", None, r"projectors must be a sequence of projectors"),
    ],
)
def test_what_is_odd_is_named(name, attribute, value, words):
    study = surface()
    study[name] = dataclasses.replace(study[name], **{attribute: value})
    with pytest.raises(InverseError, match=words):
        compute(study)


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("status", "on", "Projector 1: status 'on', expected 0, 1 or 2"),
        ("status", 3, "Projector 1: status 3, expected 0, 1 or 2"),
        ("comp_mask", np.full(1, np.nan), "comp_mask of projector 1 is not finite"),
        ("components", np.zeros((6, 1)), "Projector 1: Components are zero or not finite"),
        ("components", np.full((6, 1), np.nan), "Projector 1: Components are zero or not finite"),
    ],
)
def test_what_is_odd_of_a_projector_is_named(attribute, value, words):
    study = surface()
    projector = dataclasses.replace(study["channels"].projectors[0], **{attribute: value})
    study["channels"] = dataclasses.replace(study["channels"], projectors=(projector,))
    with pytest.raises(InverseError, match=words):
        compute(study)
