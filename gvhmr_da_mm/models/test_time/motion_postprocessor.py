"""Post-processing of recovered motion in the world."""

from torch import Tensor, nn

from ...body_models import LinearBlendBody
from ...core.checks import check_shape
from ...core.conventions import COMPAT_MODES
from ...core.errors import ConfigError
from ...core.postprocess import correct_moving_camera, correct_static_camera, solve_limbs
from ...core.precision import full_precision
from ...registry import MODELS
from ...structures import RecoveredMotion


@MODELS.register_module()
class MotionPostprocessor(nn.Module):
    """Correct the world trajectory, then the limbs, by static joints (GVHMR, post-processing).

    Note:
        B: clips, L: frames. Without weights and without state.

    Args:
        trajectory (bool): Whether to correct the trajectory of the root. Defaults to True.
        limbs (bool): Whether to hold static joints by inverse kinematics. Defaults to True.
        compat (str): ``'correct'``, or ``'published'`` for the ground at the lowest joint of all
            frames and for leg matrices that are not rotations, see
            :func:`~gvhmr_da_mm.core.postprocess.solve_limbs`. Defaults to ``'correct'``.
    """

    def __init__(
        self, trajectory: bool = True, limbs: bool = True, compat: str = 'correct'
    ) -> None:
        super().__init__()
        if compat not in COMPAT_MODES:
            raise ConfigError(
                f'`compat` of MotionPostprocessor should be one of {COMPAT_MODES}, got {compat!r}'
            )
        self.trajectory, self.limbs, self.compat = trajectory, limbs, compat

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
                motion.static_logits,
                self.compat,
            )
            changed = 'body_pose_R' if limbs_in_camera else 'body_pose_R_w'
            motion = motion.replace(**{changed: corrected})
        return motion

    def _correct_trajectory(
        self, motion: RecoveredMotion, body_model: LinearBlendBody, static_camera: Tensor
    ) -> Tensor:
        joints_w = body_model.fk_matrices(*motion.world_pose)
        root_offset = body_model.skeleton(motion.betas)[..., 0, :]
        transl_w = motion.transl_w.clone()
        moving, static = ~static_camera, static_camera
        if moving.any():
            one = motion[moving]
            transl_w[moving] = correct_moving_camera(
                one.transl_w, joints_w[moving], one.static_logits, one.valid, self.compat
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
                one.static_logits,
                one.valid,
                self.compat,
            )
        return transl_w

    def extra_repr(self) -> str:
        """Show the options."""
        return f'trajectory={self.trajectory}, limbs={self.limbs}, compat={self.compat!r}'
