"""Confidence of each frame of a recovered motion."""

from typing import Optional

import torch
from torch import Tensor

from ...datasets.clip import Clip
from ...models.adaptation import CombinedConfidence, MotionCritic
from ...models.adaptation.confidence import reprojection_confidence

WINDOW_FRAMES, HOP_FRAMES = 60, 30
"""Frames that the discriminator scores together, and between the starts of windows."""


def frame_confidence(
    coco17_c: Tensor, body_pose: Tensor, clip: Clip, critic: Optional[MotionCritic] = None
) -> Tensor:
    """Return the confidence of each frame (F,), 0 to 1; 0 where no keypoint is detected.

    It says how near the joints are to the keypoints, and how true the motion around the frame
    looks to the discriminator of an adaptation, weighted as the confidence of pseudo-labels.

    Args:
        coco17_c (Tensor): COCO joints of the motion in the camera (F, 17, 3), metres.
        body_pose (Tensor): Body pose (F, 63), axis-angle.
        clip (Clip): With the keypoints.
        critic (MotionCritic, optional): Of an adaptation. Defaults to None: keypoints alone.
    """
    # Each frame is a clip of its own.
    inputs = dict(
        kp2d=clip.kp2d[:, None],
        bbx_xys=clip.bbx_xys[:, None],
        K_fullimg=clip.K_fullimg.expand(len(clip), 1, 3, 3),
        valid=torch.ones(len(clip), 1, dtype=torch.bool),
    )
    scores, evidence = reprojection_confidence(coco17_c[:, None], inputs)
    if critic is None:
        return scores
    combined = CombinedConfidence()(
        dict(
            reprojection=(scores[None], evidence[None]),
            discriminator=window_scores(body_pose, critic)[None],
        )
    )
    return combined[0] * evidence


@torch.no_grad()
def window_scores(body_pose: Tensor, critic: MotionCritic) -> Tensor:
    """Score the motion around each frame.

    Args:
        body_pose (Tensor): Axis-angle (F, 63), rad.
        critic (MotionCritic): Has the discriminator.

    Returns:
        Tensor: Mean score (F,) in [0, 1] of the windows that hold a frame, on the CPU.
    """
    frames = len(body_pose)
    starts = torch.arange(0, max(frames - WINDOW_FRAMES, 0) + HOP_FRAMES, HOP_FRAMES)
    index = starts[:, None] + torch.arange(WINDOW_FRAMES)
    valid = index < frames
    device = next(critic.parameters()).device
    windows = body_pose[index.clamp(max=frames - 1)]
    scores = critic.rate(windows.to(device), valid.to(device)).cpu()
    total, count = torch.zeros(frames), torch.zeros(frames)
    flat = index[valid]
    total.index_add_(0, flat, scores[:, None].expand(index.shape)[valid])
    count.index_add_(0, flat, torch.ones(len(flat)))
    return total / count
