"""Loading and decimation of the mannequin mesh, the source of the stand-in body."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from gvhmr_da_mm.core.errors import DataError, MissingFilesError

MANNEQUIN_REQUIREMENT = 'mannequin-x==0.3.0'
NUM_BODY = 22
"""The mannequin's first 22 joints are SMPL-X's body joints, in the same order."""


@dataclass(frozen=True)
class MannequinMesh:
    """A skinned mesh at rest: T-pose, facing +z, y up, the subject's left at +x, metres.

    Args:
        vertices (ndarray): Shape (V, 3).
        faces (ndarray): Shape (T, 3).
        weights (ndarray): Skin weights (V, 54), rows sum to 1.
        joints (ndarray): Joint centres (54, 3), left and right mirror images of each other.
    """

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joints: np.ndarray


def find_mannequin() -> Path:
    """Return the mesh file of the installed package, without importing it.

    Raises:
        MissingFilesError: If the package is not installed.
    """
    spec = find_spec('mannequin')
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / 'assets' / 'wooden.npz'
        if path.is_file():
            return path
    # Only a data file of the package is read, with any version of Python.
    options = '--no-deps' if sys.version_info >= (3, 11) else '--no-deps --ignore-requires-python'
    raise MissingFilesError(
        'The demo body needs the mesh of the Python package mannequin-x (Apache-2.0), which is '
        f'not installed.\nInstall it with `pip install {options} {MANNEQUIN_REQUIREMENT}`.'
    )


def load_mannequin() -> MannequinMesh:
    """Load the 'wooden' figure: mesh, skin weights and its own joint centres only."""
    with np.load(find_mannequin(), allow_pickle=False) as data:
        vertices = data['vertices'].astype(np.float64)
        faces = data['faces'].astype(np.int64)
        indices, values = data['skin_joint_indices'].astype(np.int64), data['skin_weights']
        joints = data['skin_source_joint_positions'].astype(np.float64)
        names = [str(name) for name in data['joint_names']]
    weights = np.zeros((len(vertices), len(names)))
    np.add.at(weights, (np.arange(len(vertices))[:, None], indices), values)
    return MannequinMesh(vertices, faces, weights, _symmetric(joints, names))


def _symmetric(joints: np.ndarray, names: list[str]) -> np.ndarray:
    """Average each joint with the mirror image of its counterpart."""
    swap = {'L': 'R', 'R': 'L'}
    other = [
        names.index(swap[name[0]] + name[1:]) if name[1:2] == '_' else index
        for index, name in enumerate(names)
    ]
    return (joints + joints[other] * [-1, 1, 1]) / 2


def _edges(vertices: np.ndarray, faces: np.ndarray) -> csr_matrix:
    pairs = np.concatenate((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]))
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    length = np.linalg.norm(vertices[pairs[:, 0]] - vertices[pairs[:, 1]], axis=1)
    size = len(vertices)
    graph = csr_matrix((length + 1e-9, (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    return graph + graph.T


def farthest_points(points: np.ndarray, count: int, start: int, scale=1.0) -> np.ndarray:
    """Pick ``count`` points, each as far as possible from those before it.

    Args:
        points (ndarray): Shape (V, 3).
        count (int): How many to pick, at most V.
        start (int): Index of the first one.
        scale (ndarray | float): Factor (V,) on the distances of a point. Defaults to 1.

    Returns:
        ndarray: Indices (count,) in the order of picking.
    """
    columns = np.ascontiguousarray(points.T, dtype=np.float32)
    square_scale = np.asarray(scale, dtype=np.float32) ** 2
    nearest = np.full(len(points), np.inf, dtype=np.float32)
    picked = np.empty(count, dtype=np.int64)
    current = start
    for index in range(count):
        picked[index] = current
        x, y, z = columns - columns[:, current : current + 1]
        np.minimum(nearest, (x * x + y * y + z * z) * square_scale, out=nearest)
        nearest[current] = -1
        current = int(nearest.argmax())
    return picked


def thin_mesh(mesh: MannequinMesh, count: int, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Decimate the mesh to ``count`` vertices.

    Each dropped vertex is merged into the kept one nearest along the surface, and triangles with
    three different vertices remain. Fine regions (hands, face) keep their share of the vertices.

    Args:
        mesh (MannequinMesh): The mesh.
        count (int): Vertices to keep.
        start (int): First vertex to keep, on which the others depend.

    Returns:
        tuple[ndarray, ndarray]: Indices (count,) of the kept vertices and faces (T, 3) over them.
    """
    if count > len(mesh.vertices):
        raise DataError(f'`count` should be at most {len(mesh.vertices)}, got {count}')
    graph = _edges(mesh.vertices, mesh.faces)
    spacing = np.asarray(graph.sum(1)).ravel() / np.maximum(np.diff(graph.indptr), 1)
    kept = farthest_points(mesh.vertices, count, start, 1 / np.maximum(spacing, 1e-3))
    _, _, source = dijkstra(graph, indices=kept, min_only=True, return_predecessors=True)
    rank = np.full(len(mesh.vertices), -1)
    rank[kept] = np.arange(count)
    reached = (source >= 0)[mesh.faces].all(1)  # else its part of the mesh has no kept vertex
    faces = rank[source[mesh.faces[reached]]]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2])
    faces = faces[distinct & (faces[:, 2] != faces[:, 0])]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return kept, faces[np.sort(first)]
