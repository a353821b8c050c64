"""Discriminator target of predictions by their distance from true motion."""

import torch
from torch import Tensor

from ...core.checks import check_shape
from ...core.errors import ConfigError
from ...core.layout import NUM_BODY_JOINTS, SMPL_BODY_POSE
from ...registry import MODELS
from .motion_queue import MotionQueue

BODY_CHANNELS = 3 * NUM_BODY_JOINTS


@MODELS.register_module()
class NearestMotionTarget:
    """Discriminator target that falls with the distance of a prediction from true motion.

    With one target for all predictions a discriminator learns what their few clips show, not how
    good they are. The target is ``exp(-distance / scale)``, where the distance of a frame is that
    of its nearest frame of true motion (root mean square over the joints' axis-angle differences,
    rad), averaged over the clip. So the score means the same in every run: 1 for true motion, 1/e
    for a clip that is ``scale`` away from all of it.

    Note:
        - B: batch, L: frames.

    Args:
        scale (float): Distance, rad, with a target of 1/e. Defaults to 0.3.
        frames (int): Frames of true motion to compare with, drawn anew each time. Defaults to 2048.
        stride (int): Step between the compared frames of a clip. Defaults to 4.

    Raises:
        ConfigError: If a value is not positive.

    Source: distances to a manifold of true poses as a learned score are those of Pose-NDF (Tiwari
    et al., ECCV 2022); here a recurrent network learns them from its own training's motion.
    """

    def __init__(self, scale: float = 0.3, frames: int = 2048, stride: int = 4) -> None:
        if scale <= 0 or min(frames, stride) < 1:
            raise ConfigError(
                '`scale`, `frames` and `stride` of NearestMotionTarget should be positive, got '
                f'{scale}, {frames} and {stride}'
            )
        self.scale = scale
        self.frames = frames
        self.stride = stride

    @torch.no_grad()
    def __call__(self, body_pose: Tensor, valid: Tensor, queue: MotionQueue) -> Tensor:
        """Return the target scores (B,) of motions; 0 where no valid frame is compared.

        Args:
            body_pose (Tensor): Motions (B, L, 69), rad.
            valid (Tensor): Frames that exist (B, L), bool.
            queue (MotionQueue): True motion; not empty.
        """
        shape = check_shape(body_pose, f'B L {SMPL_BODY_POSE}', name='body_pose')
        check_shape(valid, 'B L', name='valid', **shape)
        pose, compared = body_pose[:, :: self.stride, :BODY_CHANNELS], valid[:, :: self.stride]
        true = queue.sample_frames(self.frames)[:, :BODY_CHANNELS]
        nearest = torch.cdist(pose.float().flatten(0, 1), true.float()).amin(dim=-1)
        nearest = nearest.view(compared.shape) / NUM_BODY_JOINTS**0.5
        count = compared.sum(dim=1)
        distance = nearest.masked_fill(~compared, 0).sum(dim=1) / count.clamp(min=1)
        return torch.where(count > 0, torch.exp(-distance / self.scale), 0.0).to(body_pose)
