"""Noise of detected keypoints, as far as it changes from frame to frame."""

import torch
from torch import Tensor


def keypoint_tremor(kp2d: Tensor, bbx_xys: Tensor, valid: Tensor) -> Tensor:
    """Return the median second difference over time of each clip's keypoints (B,), in box sides.

    People move little from frame to frame, so this is mostly the detector's. It is zero for clips
    without a keypoint in three frames on end.

    Args:
        kp2d (Tensor): Detections in pixels (B, L, K, 3).
        bbx_xys (Tensor): Boxes (B, L, 3).
        valid (Tensor): Which detections count (B, L, K), bool.
    """
    if kp2d.shape[1] < 3:
        return kp2d.new_zeros(len(kp2d))
    curvature = kp2d[..., :2].diff(n=2, dim=1).norm(dim=-1) / bbx_xys[:, 1:-1, 2:]
    counts = valid[:, 2:] & valid[:, 1:-1] & valid[:, :-2]
    median = torch.where(counts, curvature, torch.nan).flatten(1).nanmedian(dim=1).values
    return median.nan_to_num()
