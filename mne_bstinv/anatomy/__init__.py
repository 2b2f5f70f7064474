"""Facts about surfaces that several stations need: hemispheres, normals, winding, inflation."""

from mne_bstinv.anatomy.inflation import inflate, inflated
from mne_bstinv.anatomy.meshes import connected_parts, edge_lengths, vertex_adjacency
from mne_bstinv.anatomy.normals import mean_curvature, outward_faces, vertex_normals
from mne_bstinv.anatomy.sides import complete_sides, hemispheres

__all__ = [
    "complete_sides",
    "connected_parts",
    "edge_lengths",
    "hemispheres",
    "inflate",
    "inflated",
    "mean_curvature",
    "outward_faces",
    "vertex_adjacency",
    "vertex_normals",
]
