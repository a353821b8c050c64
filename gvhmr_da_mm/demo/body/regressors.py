"""Joint regressors and the map between meshes of the stand-in bodies, as sparse matrices."""

from itertools import combinations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import cKDTree

from gvhmr_da_mm.core.errors import DataError

NEIGHBOURS = 8
"""Source vertices considered for each target vertex."""


def sphere_directions(count: int) -> np.ndarray:
    """Spread ``count`` unit vectors (count, 3) evenly (Fibonacci spiral)."""
    index = np.arange(count) + 0.5
    height, angle = 1 - 2 * index / count, np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - height**2)
    return np.stack((radius * np.cos(angle), height, radius * np.sin(angle)), axis=-1)


def ring_weights(
    points: np.ndarray, centre: np.ndarray, count: int, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Choose ``count`` vertices around a centre, with positive weights whose mean is the centre.

    Args:
        points (ndarray): Vertices (V, 3).
        centre (ndarray): Position of the joint (3,).
        count (int): Number of vertices, at least 4.
        usable (ndarray): Mask of the vertices to choose from (V,), bool.

    Returns:
        tuple[ndarray, ndarray]: Indices (count,) and weights (count,), which sum to 1.

    Raises:
        DataError: If the centre is not inside the usable vertices near it.
    """
    candidates = np.flatnonzero(usable)
    distance = np.linalg.norm(points[candidates] - centre, axis=1)
    order = candidates[np.argsort(distance, kind='stable')]
    for pool in (40, 60, 90, 140, 220, 350, 600, 1000, 2000):
        near = order[:pool]
        offset = points[near] - centre
        unit = offset / np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), 1e-9)
        chosen: list[int] = []
        for direction in sphere_directions(count):
            for candidate in np.argsort(-(unit @ direction), kind='stable'):
                if candidate not in chosen:
                    chosen.append(int(candidate))
                    break
        if len(chosen) < count:
            continue
        # The most even weights: the least-norm solution of "mean = centre, sum = 1".
        system = np.vstack((offset[chosen].T, np.full(count, 0.1)))
        weights = np.linalg.pinv(system) @ np.array([0, 0, 0, 0.1])
        if weights.min() > 0.1 / count and np.allclose(system[:3] @ weights, 0, atol=1e-9):
            return near[chosen], weights / weights.sum()
    raise DataError(f'no {count} vertices surround the joint at {centre.round(3).tolist()}')


def joint_regressor(
    points: np.ndarray, centres: np.ndarray, counts, usable: np.ndarray
) -> csr_matrix:
    """Build a regressor (J, V) of joints at ``centres`` (J, 3) from :func:`ring_weights`."""
    counts = np.broadcast_to(counts, len(centres))
    rows, columns, values = [], [], []
    for row, (centre, count) in enumerate(zip(centres, counts)):
        index, weight = ring_weights(points, centre, int(count), usable)
        rows.append(np.full(len(index), row))
        columns.append(index)
        values.append(weight)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csr_matrix(entries, shape=(len(centres), len(points)))


def mesh_transfer(
    points: np.ndarray, labels: np.ndarray, target_ids: np.ndarray, source_ids: np.ndarray
) -> csr_matrix:
    """Express target vertices by source vertices: the same one, or two or three near ones.

    Args:
        points (ndarray): Vertices of the mesh that both were decimated from (N, 3).
        labels (ndarray): Body part of each of them (N,); a vertex is expressed by vertices of its
            own part, so that a finger does not follow its neighbour.
        target_ids (ndarray): Vertices of the target (V_t,), indices into ``points``.
        source_ids (ndarray): Vertices of the source (V_s,), indices into ``points``.

    Returns:
        csr_matrix: Shape (V_t, V_s), rows sum to 1.
    """
    rank = np.full(len(points), -1)
    rank[source_ids] = np.arange(len(source_ids))
    same = rank[target_ids] >= 0
    rows = [np.flatnonzero(same)]
    columns, values = [rank[target_ids[same]]], [np.ones(same.sum())]
    for label in np.unique(labels[target_ids[~same]]):
        targets = np.flatnonzero(~same & (labels[target_ids] == label))
        pool = np.flatnonzero(labels[source_ids] == label)
        tree = cKDTree(points[source_ids[pool]])
        _, near = tree.query(points[target_ids[targets]], k=min(NEIGHBOURS, len(pool)))
        offset = points[source_ids[pool[near]]] - points[target_ids[targets], None]
        weights, corners = _triangle_weights(offset)
        rows.append(np.repeat(targets, 3))
        columns.append(np.take_along_axis(pool[near], corners, axis=1).ravel())
        values.append(weights.ravel())
    values = np.concatenate(values)
    used = values > 0
    index = (np.concatenate(rows)[used], np.concatenate(columns)[used])
    return coo_matrix((values[used], index), shape=(len(target_ids), len(source_ids))).tocsr()


def _triangle_weights(offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose the three of the offsets (R, K, 3) whose triangle is nearest to the origin.

    Returns:
        tuple[ndarray, ndarray]: Non-negative weights (R, 3) and indices of the offsets (R, 3).
    """
    pairs = combinations(range(1, offset.shape[1]), 2)
    corners = np.array([(0, second, third) for second, third in pairs])
    triangle = offset[:, corners]
    edges = triangle[:, :, 1:] - triangle[:, :, :1]
    gram = edges @ edges.swapaxes(-1, -2) + 1e-9 * np.eye(2)  # slivers give finite weights too
    inner = np.linalg.solve(gram, -edges @ triangle[:, :, 0, :, None])[..., 0].clip(0, 1)
    inner = inner / np.maximum(inner.sum(-1, keepdims=True), 1)
    weights = np.concatenate((1 - inner.sum(-1, keepdims=True), inner), axis=-1)
    weights = np.where(weights < 1e-4, 0, weights)
    weights = weights / weights.sum(-1, keepdims=True)
    error = np.linalg.norm((weights[..., None] * triangle).sum(2), axis=-1)
    best = error.argmin(1)
    return weights[np.arange(len(best)), best], corners[best]
