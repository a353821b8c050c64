"""Made-up calibrated cameras and what their detectors see."""

import numpy as np
import torch

from gvhmr_da_mm.core.extrinsics import look_at
from gvhmr_da_mm.video.calibrated_views import View
from tests.codecs.test_self_occlusion import standing


def make_views():
    centres = torch.tensor([[4.0, 1.5, 0.5], [-1.0, 1.2, 4.0], [-4.0, 1.8, -1.0], [1.0, 1.0, -4.0]])
    T = look_at(centres, torch.tensor([[0.0, 0.9, 0.0]]).expand(4, 3)).double().numpy()
    K = np.array([[1500.0, 0, 540], [0, 1500, 960], [0, 0, 1]])
    return [View(f'cam{i}', K, T[i, :3, :3], T[i, :3, 3]) for i in range(4)]


def make_joints(frames=150):
    """Return someone (F, 17, 3) in the world who stands, y up, and sways."""
    flip = torch.tensor([1.0, -1.0, -1.0])
    place = torch.tensor([0.0, 0.9, 4.0])
    sway = 0.1 * torch.sin(torch.arange(frames) / 20)
    joints = (standing() * flip + place).repeat(frames, 1, 1)
    joints[..., 0] += sway[:, None]
    return joints.double().numpy()


def see(views, joints, noise, seed=0):
    """Return keypoints (4, F, 17, 3) of a detector in each view."""
    keypoints = []
    for number, view in enumerate(views):
        inside = torch.from_numpy(view.to_camera(joints)).float()[None]
        valid = torch.ones(1, len(joints), dtype=torch.bool)
        generator = torch.Generator().manual_seed(seed + number)
        noisy, confidence = noise(inside, valid, generator)
        pixels = (noisy[0] / noisy[0, :, :, 2:]).double().numpy() @ view.K.T
        keypoints.append(np.concatenate((pixels[..., :2], confidence[0, :, :, None]), axis=-1))
    return np.stack(keypoints)


def write_calibration(path, views):
    """Write cameras as Qualisys does."""
    cameras = []
    for view in views:
        rows = np.diag([1.0, -1.0, -1.0]) @ view.R
        turn = ' '.join(f'r{i + 1}{j + 1}="{rows[i, j]!r}"' for i in range(3) for j in range(3))
        centre = -view.R.T @ view.t * 1000
        place = ' '.join(f'{axis}="{value!r}"' for axis, value in zip('xyz', centre))
        lens = dict(
            focalLengthU=view.K[0, 0], focalLengthV=view.K[1, 1],
            centerPointU=view.K[0, 2], centerPointV=view.K[1, 2],
        )  # fmt: skip
        intrinsic = ' '.join(f'{name}="{64 * value!r}"' for name, value in lens.items())
        cameras.append(
            f'<camera serial="{view.name}"><transform {turn} {place}/><intrinsic {intrinsic}/>'
            '</camera>'
        )
    text = f'<calibration><cameras>{"".join(cameras)}</cameras></calibration>'
    path.write_text(text.replace('np.float64(', '').replace(')', ''))
