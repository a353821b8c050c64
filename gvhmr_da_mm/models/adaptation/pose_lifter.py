"""Motion lifted from the keypoints of real clips, a second hypothesis for their pseudo-labels."""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.layout import MOTION
from ...registry import MODELS
from ...structures import MotionPrediction
from ..checkpoint_reading import read_checkpoint
from ..estimators.motion_network import MotionNetwork
from ..motion_estimator import MotionEstimator
from ..stored_config import NETWORK_PARTS, class_name, stored_parts
from .label_fusion import fuse_rotations


@MODELS.register_module()
class PoseLifter:
    """Lift keypoints to motion by a model that was trained on recorded motion.

    How far a limb reaches towards the camera no fit to keypoints can tell: pseudo-labels repeat the
    errors of their teacher there. A network that sees keypoints alone has no image features that
    change with the domain, and errs elsewhere.

    The lifted motion becomes one of the teacher's body: it has its shape and the same size in the
    image. A joint that hardly moves in the teacher's training motion hardly leaves the teacher's
    prediction.

    Args:
        checkpoint (str): Name of a shipped model, or a checkpoint of a :class:`GVHMR` that stores
            its config. It is read when it is first used. Defaults to ``'gvhmr-keypoints-s'``.
        min_std (float): Standard deviation, in true motion, of the 6D channels of joints that are
            lifted entirely. Defaults to 0.1.

    Raises:
        ConfigError: If ``min_std`` is not positive.
    """

    def __init__(self, checkpoint: str = 'gvhmr-keypoints-s', min_std: float = 0.1) -> None:
        if min_std <= 0:
            raise ConfigError(f'`min_std` of PoseLifter should be positive, got {min_std}')
        self.checkpoint = checkpoint
        self.min_std = min_std

    @cached_property
    def network(self) -> MotionNetwork:
        """The model, frozen; it is no part of checkpoints.

        Raises:
            MissingFilesError: If there is no such checkpoint.
            CheckpointError: If it cannot be read.
            ConfigError: If it stores no config of a :class:`GVHMR`.
        """
        stored = read_checkpoint(self.checkpoint)
        with torch.random.fork_rng(devices=[]):  # A resumed run reads it at another step.
            network = MotionNetwork(**_network_parts(stored.content, self.checkpoint)).eval()
        network.load_state_dict(stored.state_dict)
        return network.requires_grad_(False)

    @torch.no_grad()
    def __call__(
        self, predicted: MotionPrediction, inputs: dict[str, Tensor], teacher: MotionEstimator
    ) -> MotionPrediction:
        """Lift a batch.

        Args:
            predicted (MotionPrediction): The teacher's prediction (B, L, ...).
            inputs (dict[str, Tensor]): As for :class:`GVHMR`; image features are not used.
            teacher (MotionEstimator): Whose body and statistics of motion are used.

        Returns:
            MotionPrediction: In the same camera; clips without keypoints are lifted from nothing.
        """
        unseen = torch.zeros_like(inputs['has_imgfeat'])
        lifted = self.network.to(inputs['kp2d'].device).infer({**inputs, 'has_imgfeat': unseen})
        skeleton = teacher.body_model.skeleton
        bones, own_bones = skeleton(lifted.betas), skeleton(predicted.betas)
        size = _size(own_bones) / _size(bones)
        share = self._lifted_share(teacher).to(lifted.betas)
        return lifted.replace(
            body_pose_R=fuse_rotations(
                torch.stack((lifted.body_pose_R, predicted.body_pose_R)),
                torch.stack((share, 1 - share))[:, None, None],
            ),
            betas=predicted.betas,
            transl_c=(lifted.transl_c + bones[..., 0, :]) * size - own_bones[..., 0, :],
            velocity=lifted.velocity * size,
            x=None,
        )

    def _lifted_share(self, teacher: MotionEstimator) -> Tensor:
        """Return the share of the lifted rotation in each joint (21)."""
        std = teacher.motion_codec.std[MOTION.body_pose].view(-1, 6).amax(dim=1)
        return (std / self.min_std).clamp(max=1).square()


def _network_parts(content: dict[str, Any], checkpoint: str) -> dict[str, dict[str, Any]]:
    """Return the configs of the parts of the network, whose classes are looked up by name alone."""
    parts = stored_parts(content)
    missing = [name for name in NETWORK_PARTS if 'type' not in parts.get(name, {})]
    if missing:
        raise ConfigError(
            f'{checkpoint}, the lifter of pseudo-labels, should store the config of a GVHMR, but '
            f'has no `model.{missing[0]}`: name a shipped model, or a checkpoint of a training'
        )
    return {name: dict(parts[name], type=class_name(parts[name]['type'])) for name in NETWORK_PARTS}


def _size(skeleton: Tensor) -> Tensor:
    """Return the mean distance of the joints (..., P, 3) at rest from their centre (..., 1), m."""
    return (skeleton - skeleton.mean(dim=-2, keepdim=True)).norm(dim=-1).mean(dim=-1, keepdim=True)
