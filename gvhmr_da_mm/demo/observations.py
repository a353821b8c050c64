"""Simulated observations of a person: boxes, keypoints and image features.

Note:
    Shape letters: F frames, N points, D feature size. A fixed random network computes the image
    features from the true camera-space pose, so that a model can learn to read them. The domain
    shift distorts them as another camera, light and renderer distort a backbone's.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.camera import box_from_points, clamp_depth, perspective_project
from gvhmr_da_mm.core.conventions import JOINT_FLIP_INDEX, NEAR_DEPTH
from gvhmr_da_mm.core.layout import IMAGE_FEATURE_DIM, NUM_COCO, NUM_JOINTS

from .domain_shift import DomainShift
from .noise import slow_noise, white_noise

WEIGHT_SEED = 20240910
"""Seed of the image network, which is the same in every demo."""
HIDDEN_DIM = 256
MIXING_RANK = 16
GAIN_SHIFT, OFFSET_SHIFT, MIXING_SHIFT, SATURATION = 0.15, 0.15, 0.25, 3.0
"""Full shift: errors of a linear regression on the features grow about fivefold."""
FEATURE_NOISE = 0.12
JOINT_SCALE = 0.4
"""Typical distance (m) of a joint from the pelvis, which normalises the network's input."""
MIN_CONFIDENCE = 0.05
ERROR_SIGMA = 4.0
"""Sigma in frames of the Gaussian that correlates errors of keypoints and boxes over time."""
OUTLIER_FRAMES, OUTLIER_SIZE = 3, 0.15
"""Length of an outlier in frames, and its standard deviation in box sides."""


@dataclass(frozen=True)
class NoiseModel:
    """Errors of the detector, in units of the box side.

    Args:
        sigma (float): Standard deviation of the slow keypoint error.
        outliers (float): Share of keypoints in an outlier.
        box (float): Standard deviation of the slow box error.
    """

    sigma: float
    outliers: float
    box: float

    @classmethod
    def of(cls, strength: float) -> 'NoiseModel':
        """Interpolate between the noise of the synthetic (0) and the real domain (1)."""
        return cls(0.006 + 0.011 * strength, 0.002 + 0.012 * strength, 0.004 + 0.008 * strength)


class ImageNetwork:
    """Two layers with fixed random weights, and the distortion of the real domain."""

    def __init__(self) -> None:
        rng = np.random.default_rng(WEIGHT_SEED)

        def normal(*shape: int, scale: float = 1.0) -> Tensor:
            return white_noise(shape, rng) * scale

        inputs = 3 * NUM_JOINTS + 2
        self.first = normal(inputs, HIDDEN_DIM, scale=1.2 / inputs**0.5)
        self.first_bias = normal(HIDDEN_DIM, scale=0.3)
        self.second = normal(HIDDEN_DIM, IMAGE_FEATURE_DIM, scale=1.2 / HIDDEN_DIM**0.5)
        self.second_bias = normal(IMAGE_FEATURE_DIM, scale=0.8)
        self.gain = normal(IMAGE_FEATURE_DIM, scale=GAIN_SHIFT)
        self.offset = normal(IMAGE_FEATURE_DIM, scale=OFFSET_SHIFT)
        self.mix_in = normal(IMAGE_FEATURE_DIM, MIXING_RANK, scale=IMAGE_FEATURE_DIM**-0.5)
        self.mix_out = normal(MIXING_RANK, IMAGE_FEATURE_DIM, scale=MIXING_SHIFT)

    def __call__(
        self, joints_c: Tensor, tilt: Tensor, strength: float, rng: np.random.Generator
    ) -> Tensor:
        """Compute features.

        Args:
            joints_c (Tensor): Camera-space joints (F, 22, 3).
            tilt (Tensor): Roll and pitch of the camera (F, 2), radians.
            strength (float): Domain shift, 0 to 1.
            rng (Generator): Source of the noise.

        Returns:
            Tensor: Shape (F, D).
        """
        relative = (joints_c - joints_c[:, :1]) / JOINT_SCALE
        inputs = torch.cat((relative.flatten(1), 3 * tilt), dim=-1)
        hidden = torch.tanh(inputs @ self.first + self.first_bias)
        features = torch.tanh(hidden @ self.second / 2) * 2 + self.second_bias
        features = features + strength * (features @ self.mix_in) @ self.mix_out
        features = features * (1 + strength * self.gain) + strength * self.offset
        saturated = SATURATION * torch.tanh(features / SATURATION)
        features = torch.lerp(features, saturated, strength)
        return features + FEATURE_NOISE * white_noise(tuple(features.shape), rng)


def camera_tilt(R_w2c: Tensor) -> Tensor:
    """Return roll and pitch (F, 2) of cameras (F, 3, 3) in a y-up world, radians."""
    down = -R_w2c[:, :, 1]
    roll = torch.atan2(down[:, 0], down[:, 1])
    pitch = torch.asin(down[:, 2].clamp(-1, 1))
    return torch.stack((roll, pitch), dim=-1)


def mirror_joints(joints_c: Tensor) -> Tensor:
    """Return the joints (F, 22, 3) of the mirror image: x negated, sides swapped."""
    return joints_c[:, list(JOINT_FLIP_INDEX)] * torch.tensor([-1.0, 1.0, 1.0])


def project(points_c: Tensor, K: Tensor) -> Tensor:
    """Project camera-space points (F, N, 3) to pixels (F, N, 2), with clamped depth."""
    return perspective_project(clamp_depth(points_c, NEAR_DEPTH), K)


def detect_box(
    vertices_c: Tensor, K: Tensor, noise: NoiseModel, rng: np.random.Generator
) -> Tensor:
    """Return boxes (F, 3) around vertices (F, N, 3), with a slow error."""
    box = box_from_points(project(vertices_c, K))
    return box + noise.box * box[:, 2:] * slow_noise(len(box), (3,), ERROR_SIGMA, rng)


def detect_keypoints(
    coco_c: Tensor,
    K: Tensor,
    bbx_xys: Tensor,
    img_wh: tuple[int, int],
    noise: NoiseModel,
    rng: np.random.Generator,
) -> Tensor:
    """Simulate a 2D keypoint detector.

    Args:
        coco_c (Tensor): True COCO joints in the camera (F, 17, 3).
        K (Tensor): Intrinsics (3, 3).
        bbx_xys (Tensor): Boxes (F, 3).
        img_wh (tuple[int, int]): Image width and height.
        noise (NoiseModel): Strength of the errors.
        rng (Generator): Source of all randomness.

    Returns:
        Tensor: Pixels and confidence (F, 17, 3); confidence falls with the error, and is 0.05
        outside the image.
    """
    frames = len(coco_c)
    truth = project(coco_c, K)
    error = noise.sigma * slow_noise(frames, (NUM_COCO, 2), ERROR_SIGMA, rng)
    # An outlier lasts a few frames, as those of real detectors.
    starts = torch.from_numpy(rng.random((frames, NUM_COCO)) < noise.outliers / OUTLIER_FRAMES)
    jumps = white_noise((frames, NUM_COCO, 2), rng) * OUTLIER_SIZE
    for delay in range(OUTLIER_FRAMES):
        burst = starts[: frames - delay, :, None] * jumps[: frames - delay]
        error[delay:] += burst
    pixels = truth + error * bbx_xys[:, None, 2:]
    size = torch.tensor(img_wh, dtype=torch.float32)
    seen = ((pixels >= 0) & (pixels < size)).all(-1) & (coco_c[..., 2] > NEAR_DEPTH)
    confidence = 0.92 * torch.exp(-error.norm(dim=-1) / 0.12)
    confidence = confidence + 0.03 * white_noise((frames, NUM_COCO), rng)
    confidence = torch.where(seen, confidence, torch.zeros(())).clamp(MIN_CONFIDENCE, 1.0)
    return torch.cat((pixels, confidence[..., None]), dim=-1)


def mirror_box(bbx_xys: Tensor, width: int) -> Tensor:
    """Return boxes (F, 3) in the mirrored image."""
    return torch.cat((width - bbx_xys[:, :1], bbx_xys[:, 1:]), dim=-1)


def focal_ratio(real: tuple[float, float], shift: DomainShift, rng: np.random.Generator) -> float:
    """Draw focal length over image diagonal.

    Args:
        real (tuple[float, float]): Mean and standard deviation in the real dataset.
        shift (DomainShift): ``focal`` interpolates from the synthetic to the real distribution.
        rng (Generator): Source of all randomness.
    """
    synthetic = rng.choice(SYNTHETIC_FOCAL_RATIOS)
    return (1 - shift.focal) * synthetic + shift.focal * rng.normal(*real)


SYNTHETIC_FOCAL_RATIOS = tuple(
    1280 / (1280**2 + 720**2) ** 0.5 / (2 * np.tan(np.deg2rad(hfov) / 2)) for hfov in (52, 65)
)
"""BEDLAM's two lenses: horizontal field of view 52 and 65 degrees at 1280 x 720."""
