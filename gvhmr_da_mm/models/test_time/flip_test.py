"""Flip test: the mean of the predictions of a video and of its mirror image."""

import torch
from torch import Tensor

from ...body_models import LinearBlendBody
from ...core.errors import ConfigError
from ...core.expanded import join_batches
from ...core.precision import full_precision
from ...core.rotation import mean_of_two_rotations
from ...structures import MotionPrediction, RecoveredMotion
from ..views.horizontal_flip import HorizontalFlip

FLIPPED_INPUTS = ('kp2d', 'bbx_xys', 'cam_angvel', 'f_imgseq')
FRAMES_AT_ONCE = 2048
"""Of body poses that are averaged."""

Inputs = dict[str, Tensor]


class FlipTest:
    """Average the predictions of a video and of its mirror image on SO(3).

    ``'correct'`` averages all that both passes predict: body pose, shape, orientation in the camera
    and in the gravity view, velocity, translation and static joints; the world is rolled out from
    the averages. ``'published'`` averages body pose, shape and orientation in the camera, and
    leaves the rest as in the first pass; it also keeps the principal point of the plain image.

    Note:
        B: clips, L: frames.

    Args:
        compat (str): ``'correct'`` or ``'published'``. Defaults to ``'correct'``.
    """

    def __init__(self, compat: str = 'correct') -> None:
        self.compat = compat
        self.view = HorizontalFlip()

    def stack(self, inputs: Inputs) -> Inputs:
        """Return the inputs of both passes as one batch (2B, ...), plain clips first.

        Args:
            inputs (dict[str, Tensor]): With ``flip_kp2d``, ``flip_bbx_xys``, ``flip_cam_angvel``
                and ``flip_f_imgseq``, which the test datasets load with ``flip_test=True``.

        Raises:
            ConfigError: If they are not there.
        """
        missing = [name for name in FLIPPED_INPUTS if f'flip_{name}' not in inputs]
        if missing:
            raise ConfigError(
                'the flip test needs the inputs of the mirrored video, but '
                f'{", ".join(f"`flip_{name}`" for name in missing)} missing: set '
                '`flip_test=True` on every dataset of the test (and validation) dataloader, or '
                '`flip_test=False` in `test_cfg` of the model'
            )
        mirrored, _ = self.view.apply(inputs)
        # The detector's own boxes and keypoints, not the mirrored ones of the plain image.
        mirrored.update({name: inputs[f'flip_{name}'] for name in FLIPPED_INPUTS})
        if self.compat == 'published':
            mirrored['K_fullimg'] = inputs['K_fullimg']
        network_inputs = [name for name in inputs if not name.startswith('flip_')]
        return {name: join_batches(inputs[name], mirrored[name]) for name in network_inputs}

    @full_precision
    def merge(
        self, both: MotionPrediction, inputs: Inputs, body_model: LinearBlendBody
    ) -> RecoveredMotion:
        """Undo the mirror, average, and roll out into the world.

        Args:
            both (MotionPrediction): Prediction for :meth:`stack`'s batch, of 2B clips.
            inputs (dict[str, Tensor]): The plain inputs of B clips.
            body_model (LinearBlendBody): Gives the rest position of the pelvis.
        """
        batch = len(inputs['valid'])
        plain, mirrored = both[:batch], both[batch:]
        root_offset = body_model.skeleton(mirrored.betas)[..., 0, :]
        other = self.view.invert(mirrored, {}, inputs, root_offset)
        averaged = dict(
            body_pose_R=_mean_pose(plain.body_pose_R, other.body_pose_R),
            R_c=mean_of_two_rotations(plain.R_c, other.R_c),
            betas=(plain.betas + other.betas) / 2,
        )
        cam_angvel = inputs['cam_angvel']
        if self.compat == 'published':
            motion = RecoveredMotion.from_prediction(plain, cam_angvel, self.compat)
            return motion.replace(**averaged)
        averaged['R_gv'] = mean_of_two_rotations(plain.R_gv, other.R_gv)
        for name in ('velocity', 'transl_c', 'static_logits'):
            averaged[name] = (getattr(plain, name) + getattr(other, name)) / 2
        return RecoveredMotion.from_prediction(plain.replace(**averaged, x=None), cam_angvel)


def _mean_pose(first: Tensor, second: Tensor) -> Tensor:
    """Return the means of body poses (B, L, 21, 3, 3), by parts: the steps between take memory."""
    pairs = zip(first.split(FRAMES_AT_ONCE, 1), second.split(FRAMES_AT_ONCE, 1))
    return torch.cat([mean_of_two_rotations(*pair) for pair in pairs], dim=1)
