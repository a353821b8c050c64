"""Post-processing of recovered motion in the world."""

from typing import Optional

from torch import Tensor, nn

from ...body_models import LinearBlendBody
from ...core.checks import check_shape
from ...core.conventions import COMPAT_MODES
from ...core.errors import ConfigError
from ...core.postprocess import (
    agreed_contacts,
    correct_moving_camera,
    correct_static_camera,
    solve_limbs,
)
from ...core.precision import full_precision
from ...registry import MODELS
from ...structures import RecoveredMotion


@MODELS.register_module()
class MotionPostprocessor(nn.Module):
    """Correct the world trajectory, then the limbs, by static joints (GVHMR, post-processing).

    A network that is unsure of contacts would stop feet that move, and with them the whole
    trajectory. So a joint counts as static only as far as it is slow in the predicted world, too
    (:func:`.agreed_contacts`), and the trajectory follows its static joints only as far as they
    outweigh a doubt (:func:`.contact_sliding`).

    Note:
        B: clips, L: frames. Without weights and without state.

    Args:
        trajectory (bool): Whether to correct the trajectory of the root. Defaults to True.
        limbs (bool): Whether to hold static joints by inverse kinematics. Defaults to True.
        contact_tolerance (float): Standard deviation, m/s, of the speed of a static joint in the
            predicted world. Defaults to 0.5.
        doubt (float): Weight of the predicted step of the root; a sure contact has a weight of 1.
            Defaults to 0.1.
        compat (str): ``'correct'``, or ``'published'`` for contacts as predicted, without tolerance
            and doubt, for the ground at the lowest joint of all frames and for leg matrices that
            are not rotations, see :func:`~gvhmr_da_mm.core.postprocess.solve_limbs`. Defaults to
            ``'correct'``.

    Raises:
        ConfigError: If ``contact_tolerance`` or ``doubt`` is not positive, or ``compat`` unknown.
    """

    def __init__(
        self,
        trajectory: bool = True,
        limbs: bool = True,
        contact_tolerance: float = 0.5,
        doubt: float = 0.1,
        compat: str = 'correct',
    ) -> None:
        super().__init__()
        if min(contact_tolerance, doubt) <= 0:
            raise ConfigError(
                'MotionPostprocessor needs `contact_tolerance` > 0 and `doubt` > 0, got '
                f'{contact_tolerance} and {doubt}'
            )
        if compat not in COMPAT_MODES:
            raise ConfigError(
                f'`compat` of MotionPostprocessor should be one of {COMPAT_MODES}, got {compat!r}'
            )
        self.trajectory, self.limbs, self.compat = trajectory, limbs, compat
        self.contact_tolerance, self.doubt = contact_tolerance, doubt

    @full_precision
    def forward(
        self,
        motion: RecoveredMotion,
        body_model: LinearBlendBody,
        static_camera: Tensor,
        limbs_in_camera: bool = True,
    ) -> RecoveredMotion:
        """Post-process a batch; clips of both kinds may be mixed, and padding has no effect.

        Args:
            motion (RecoveredMotion): A batch of B clips.
            body_model (LinearBlendBody): The body the motion is of.
            static_camera (Tensor): Whether the camera of each clip stood still (B,), bool.
            limbs_in_camera (bool): Whether to correct the limbs in the camera, too. Defaults to
                True.

        Returns:
            RecoveredMotion: The corrected motion.

        Raises:
            ShapeError: If there is no frame, or a shape is wrong.
        """
        check_shape(static_camera, 'B', 'static_camera', B=len(motion.valid))
        if self.trajectory:
            motion = motion.replace(
                transl_w=self._correct_trajectory(motion, body_model, static_camera)
            )
        if self.limbs:
            body_pose_R, betas, R_w, transl_w = motion.world_pose
            corrected = solve_limbs(
                body_pose_R,
                R_w,
                transl_w,
                body_model.skeleton(betas),
                self._contacts(motion, body_model),
                self.compat,
            )
            changed = 'body_pose_R' if limbs_in_camera else 'body_pose_R_w'
            motion = motion.replace(**{changed: corrected})
        return motion

    def _contacts(
        self,
        motion: RecoveredMotion,
        body_model: LinearBlendBody,
        joints_w: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the contact logits that count (B, L, 6); world joints are posed if not given."""
        if self.compat == 'published':
            return motion.static_logits
        if joints_w is None:
            joints_w = body_model.fk_matrices(*motion.world_pose)
        return agreed_contacts(motion.static_logits, joints_w, self.contact_tolerance, motion.valid)

    def _correct_trajectory(
        self, motion: RecoveredMotion, body_model: LinearBlendBody, static_camera: Tensor
    ) -> Tensor:
        joints_w = body_model.fk_matrices(*motion.world_pose)
        contacts = self._contacts(motion, body_model, joints_w)
        doubt: Optional[float] = None if self.compat == 'published' else self.doubt
        root_offset = body_model.skeleton(motion.betas)[..., 0, :]
        transl_w = motion.transl_w.clone()
        moving, static = ~static_camera, static_camera
        if moving.any():
            one = motion[moving]
            transl_w[moving] = correct_moving_camera(
                one.transl_w, joints_w[moving], contacts[moving], one.valid, self.compat, doubt
            )
        if static.any():
            one = motion[static]
            transl_w[static] = correct_static_camera(
                one.transl_w,
                joints_w[static],
                one.R_w,
                one.transl_c,
                one.R_c,
                root_offset[static],
                contacts[static],
                one.valid,
                self.compat,
                doubt,
            )
        return transl_w

    def extra_repr(self) -> str:
        """Show the options."""
        return (
            f'trajectory={self.trajectory}, limbs={self.limbs}, '
            f'contact_tolerance={self.contact_tolerance}, doubt={self.doubt}, '
            f'compat={self.compat!r}'
        )
