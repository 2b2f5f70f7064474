"""Sources: head models and surfaces ⇄ source spaces and forward solutions."""

from mne_bstinv.adapters.sources.cortex_from_mne import HEMISPHERES, scout_of
from mne_bstinv.adapters.sources.forward_from_mne import from_forward
from mne_bstinv.adapters.sources.forward_to_mne import (
    to_forward,
    to_lazy_forward,
    with_gain,
    write_forward,
)
from mne_bstinv.adapters.sources.hemispheres import SIDES, Hemisphere, cut_cortex, hemisphere_rows
from mne_bstinv.adapters.sources.places import (
    SourceMap,
    check_on_cortex,
    grid_of,
    is_on_cortex,
    model_of_vertices,
    on_cortex,
    source_map,
)
from mne_bstinv.adapters.sources.regions import MEAS_FILE, recoded_regions
from mne_bstinv.adapters.sources.spaces_from_mne import (
    SourceGrid,
    from_source_spaces,
    mesh_rows,
    source_order,
)
from mne_bstinv.adapters.sources.spaces_to_mne import to_source_spaces

__all__ = [
    "HEMISPHERES",
    "MEAS_FILE",
    "SIDES",
    "Hemisphere",
    "SourceGrid",
    "SourceMap",
    "check_on_cortex",
    "cut_cortex",
    "from_forward",
    "from_source_spaces",
    "grid_of",
    "hemisphere_rows",
    "is_on_cortex",
    "mesh_rows",
    "model_of_vertices",
    "on_cortex",
    "recoded_regions",
    "scout_of",
    "source_map",
    "source_order",
    "to_forward",
    "to_lazy_forward",
    "to_source_spaces",
    "with_gain",
    "write_forward",
]
