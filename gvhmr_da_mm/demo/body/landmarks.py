"""Vertex ids and face landmarks of the stand-in meshes.

The ``smplx`` library reads extra joints at fixed vertex ids, and the foot-sliding metric heels and
toes at others. The vertices of the stand-in meshes are ordered so that these ids have the same
anatomy.
"""

import numpy as np

SMPL_VERTEX_IDS = {
    'nose': 332, 'right_eye': 6260, 'left_eye': 2800, 'right_ear': 4071, 'left_ear': 583,
    'right_thumb': 6191, 'right_index': 5782, 'right_middle': 5905, 'right_ring': 6016,
    'right_pinky': 6133, 'left_thumb': 2746, 'left_index': 2319, 'left_middle': 2445,
    'left_ring': 2556, 'left_pinky': 2673, 'left_big_toe': 3216, 'left_small_toe': 3226,
    'left_heel': 3387, 'right_big_toe': 6617, 'right_small_toe': 6624, 'right_heel': 6787,
}  # fmt: skip
SMPLX_VERTEX_IDS = {
    'nose': 9120, 'right_eye': 9929, 'left_eye': 9448, 'right_ear': 616, 'left_ear': 6,
    'right_thumb': 8079, 'right_index': 7669, 'right_middle': 7794, 'right_ring': 7905,
    'right_pinky': 8022, 'left_thumb': 5361, 'left_index': 4933, 'left_middle': 5058,
    'left_ring': 5169, 'left_pinky': 5286, 'left_big_toe': 5770, 'left_small_toe': 5780,
    'left_heel': 8846, 'right_big_toe': 8463, 'right_small_toe': 8474, 'right_heel': 8635,
}  # fmt: skip

LEFT_TARGETS = {
    'eye': (0.030, 0.440, 0.110),
    'ear': (0.100, 0.420, -0.015),
    'big_toe': (0.085, -1.150, 0.200),
    'small_toe': (0.160, -1.150, 0.120),
    'heel': (0.099, -1.150, -0.150),
}
"""Points (m, mannequin at rest) outside the left half of the mesh, near the vertex to choose."""
NOSE_TARGET = (0.0, 0.410, 0.120)
FINGERS = ('index', 'middle', 'pinky', 'ring', 'thumb')
"""Order of the fingers in mannequin and SMPL-X; three joints each."""
LEFT_HAND_START, RIGHT_HAND_START = 24, 39
"""First finger joint of each hand of the mannequin."""

NUM_CONTOURS, CONTOUR_POINTS = 79, 17


def landmark_targets(joints: np.ndarray) -> dict[str, np.ndarray]:
    """Return a point (3,) just outside the mesh for every name of the id tables.

    Args:
        joints (ndarray): The mannequin's joint centres (54, 3).
    """
    targets = {'nose': np.array(NOSE_TARGET)}
    for name, point in LEFT_TARGETS.items():
        targets[f'left_{name}'] = np.array(point)
        targets[f'right_{name}'] = np.array(point) * [-1, 1, 1]
    for side, start in (('left', LEFT_HAND_START), ('right', RIGHT_HAND_START)):
        for index, finger in enumerate(FINGERS):
            root, tip = joints[start + 3 * index + 1], joints[start + 3 * index + 2]
            direction = (tip - root) / np.linalg.norm(tip - root)
            targets[f'{side}_{finger}'] = tip + 0.04 * direction
    return targets


def order_vertices(points: np.ndarray, ids: dict[str, int], targets: dict) -> np.ndarray:
    """Return the permutation (V,) of the vertices that puts the landmarks at their ids.

    Args:
        points (ndarray): Vertices (V, 3).
        ids (dict): Vertex id of each landmark.
        targets (dict): Point (3,) of each landmark, which takes the nearest vertex.
    """
    order = np.arange(len(points))
    place = np.arange(len(points))  # place[vertex] = its position in `order`
    taken = np.zeros(len(points), dtype=bool)
    for name, index in ids.items():
        distance = np.linalg.norm(points - targets[name], axis=1)
        vertex = int(np.where(taken, np.inf, distance).argmin())
        taken[vertex] = True
        other, old = order[index], place[vertex]
        order[index], order[old] = vertex, other
        place[vertex], place[other] = index, old
    return order


def face_landmarks(points: np.ndarray, faces: np.ndarray) -> dict[str, np.ndarray]:
    """Make SMPL-X's face landmark tables from triangles of the mannequin's head.

    Args:
        points (ndarray): Rest vertices (V, 3) in the mannequin's coordinates.
        faces (ndarray): Triangles (T, 3).

    Returns:
        dict[str, ndarray]: The four ``lmk_*`` and ``dynamic_lmk_*`` arrays of a model file.
    """
    centres = points[faces].mean(1)

    def nearest(azimuth: np.ndarray, height: np.ndarray) -> np.ndarray:
        target = np.stack((0.12 * np.sin(azimuth), height, 0.12 * np.cos(azimuth)), axis=-1)
        distance = ((target[..., None, :] - centres[on_head]) ** 2).sum(-1)
        return on_head[distance.argmin(-1)]

    on_head = np.flatnonzero(centres[:, 1] > 0.34)
    # 17 columns by 3 rows (brows and eyes, nose, mouth) stand in for the 51 landmarks.
    azimuth, height = np.meshgrid(np.linspace(-0.7, 0.7, 17), (0.44, 0.41, 0.38))
    static = nearest(azimuth, height).ravel()
    # One contour of the jaw line for each degree of head yaw.
    yaw = np.deg2rad(np.arange(NUM_CONTOURS) - NUM_CONTOURS // 2)
    line = np.linspace(-1.3, 1.3, CONTOUR_POINTS)
    dynamic = nearest(line - yaw[:, None], np.broadcast_to(0.37, (NUM_CONTOURS, CONTOUR_POINTS)))
    return {
        'lmk_faces_idx': static.astype(np.int64),
        'lmk_bary_coords': np.full((*static.shape, 3), 1 / 3, dtype=np.float32),
        'dynamic_lmk_faces_idx': dynamic.astype(np.int64),
        'dynamic_lmk_bary_coords': np.full((*dynamic.shape, 3), 1 / 3, dtype=np.float32),
    }
