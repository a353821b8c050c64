"""Shape space of the stand-in bodies: ten smooth displacement fields over the rest pose.

Note:
    SMPL-X and SMPL evaluate the same fields on their own vertices, so that the same betas give the
    same person in both. Shape letters: V vertices.
"""

import numpy as np

SHAPE_NAMES = (
    'size', 'girth', 'leg length', 'arm length', 'torso length', 'shoulder width', 'hip width',
    'head size', 'belly', 'feet and calves',
)  # fmt: skip

GENDER_OFFSET = {
    'neutral': np.zeros(10),
    'male': np.array([0.6, 0.3, 0.2, 0.2, 0.2, 0.9, -0.6, 0.1, 0.1, 0.3]),
    'female': np.array([-0.8, -0.3, 0.1, -0.1, -0.2, -0.9, 0.8, -0.1, -0.1, -0.3]),
}
"""Template of a gendered model in neutral betas."""
GENDER_FACTOR = {'neutral': 1.0, 'male': 1.05, 'female': 0.95}
"""Scale of the betas of a gendered model relative to the neutral model."""

PELVIS, L_HIP, L_KNEE, L_ANKLE, SPINE3, NECK, HEAD = 0, 1, 4, 7, 9, 12, 15
L_SHOULDER, L_ELBOW, L_WRIST = 16, 18, 20
MAIN_CHILD = {
    0: 3, 3: 6, 6: 9, 9: 12, 12: 15, 1: 4, 4: 7, 7: 10, 2: 5, 5: 8, 8: 11,
    13: 16, 16: 18, 18: 20, 14: 17, 17: 19, 19: 21,
}  # fmt: skip


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


def _along(axis: int, amount: np.ndarray) -> np.ndarray:
    field = np.zeros((len(amount), 3))
    field[:, axis] = amount
    return field


def nearest_on_bones(points: np.ndarray, weights: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the skin-weighted nearest points on the bones (V, 3)."""
    nearest = np.zeros_like(points)
    for joint in range(weights.shape[1]):
        start = joints[joint]
        if joint in MAIN_CHILD:
            direction = joints[MAIN_CHILD[joint]] - start
            length = np.clip((points - start) @ direction / (direction @ direction), 0, 1)
            on_bone = start + length[:, None] * direction
        else:  # head, feet and wrists have no bone beyond them
            on_bone = points
        nearest += weights[:, joint, None] * on_bone
    return nearest


def shape_directions(points: np.ndarray, weights: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the shape blend shapes.

    Args:
        points (ndarray): Rest vertices (V, 3), feet down, y up.
        weights (ndarray): Skin weights (V, 22) on the body joints.
        joints (ndarray): Rest joints (22, 3).

    Returns:
        ndarray: Displacements (V, 3, 10) in metres for one unit of each beta.
    """
    x, y, z = points.T
    side = np.clip(x / 0.06, -1, 1)
    reach = np.abs(x)
    legs = weights[:, [1, 2, 4, 5, 7, 8, 10, 11]].sum(1)
    feet = weights[:, [7, 8, 10, 11]].sum(1)
    arms = weights[:, 16:22].sum(1)
    head = weights[:, [NECK, HEAD]].sum(1) * _ramp(y, joints[NECK, 1], joints[HEAD, 1])
    hip_y, ankle_y = joints[L_HIP, 1], joints[L_ANKLE, 1]
    below_hip = hip_y - np.clip(y, ankle_y, hip_y)
    beyond_shoulder = np.clip(reach, joints[L_SHOULDER, 0], joints[L_WRIST, 0])
    torso = np.clip(y, joints[PELVIS, 1], 0.2) - joints[PELVIS, 1]
    radial = points - nearest_on_bones(points, weights, joints)
    lower = 1 - _ramp(y, -0.2, -0.02)
    upper = _ramp(y, 0.02, 0.2) * (1 - _ramp(y, 0.27, 0.36) * (1 - arms))
    belly = np.exp(-(((y + 0.06) / 0.12) ** 2) - (x / 0.12) ** 2) * _ramp(z, 0.0, 0.14)
    calves = weights[:, [4, 5]].sum(1) * _ramp(-y, 0.68, 0.78) * (1 - _ramp(-y, 0.95, 1.03))
    foot = np.zeros_like(points)
    foot[:, 2] = 0.05 * (z - joints[L_ANKLE, 2])
    fields = (
        0.028 * (points - joints[PELVIS]),
        0.055 * radial,
        _along(1, -0.032 * below_hip * legs),
        _along(0, 0.05 * np.sign(x) * (beyond_shoulder - joints[L_SHOULDER, 0]) * arms),
        _along(1, 0.033 * torso),
        _along(0, 0.011 * side * np.maximum(_ramp(reach, 0.02, 0.165), arms) * upper),
        _along(0, 0.007 * side * lower),
        0.03 * head[:, None] * (points - joints[HEAD]),
        _along(2, 0.014 * belly),
        foot * feet[:, None] + 0.06 * radial * calves[:, None],
    )
    return np.stack(fields, axis=-1)


def expression_directions(points: np.ndarray, jaw: np.ndarray) -> np.ndarray:
    """Return ten face directions (V, 3, 10); only the first two, of the chin, are not zero."""
    directions = np.zeros((len(points), 3, 10))
    directions[:, 1, 0] = -0.003 * jaw
    directions[:, 2, 1] = 0.003 * jaw
    return directions


def bend_directions(points: np.ndarray, joints: np.ndarray, num_joints: int) -> np.ndarray:
    """Return pose blend shapes (V, 3, 9 (num_joints - 1)): knees and elbows bulge when bent.

    Args:
        points (ndarray): Rest vertices (V, 3).
        joints (ndarray): Rest joints (22, 3).
        num_joints (int): Joints of the model, root included.
    """
    directions = np.zeros((len(points), 3, 9 * (num_joints - 1)))
    # A knee bends about x (matrix entry [2, 1]), an elbow about y (entry [2, 0]).
    for joint, entry, sign in ((4, 7, 1), (5, 7, 1), (18, 6, 1), (19, 6, -1)):
        offset = points - joints[joint]
        near = np.exp(-((offset**2).sum(1)) / (2 * 0.05**2))
        bulge = 0.14 * sign * near[:, None] * offset
        bulge[np.abs(bulge) < 1e-5] = 0  # exact zeros compress away
        directions[:, :, 9 * (joint - 1) + entry] = bulge
    return directions


def neutral_betas(betas: np.ndarray, gender: str) -> np.ndarray:
    """Express a gendered model's betas (..., 10) in the neutral model."""
    return GENDER_OFFSET[gender] + GENDER_FACTOR[gender] * betas


def gendered_betas(betas: np.ndarray, gender: str) -> np.ndarray:
    """Express neutral betas (..., 10) in a gendered model; inverse of :func:`neutral_betas`."""
    return (betas - GENDER_OFFSET[gender]) / GENDER_FACTOR[gender]
