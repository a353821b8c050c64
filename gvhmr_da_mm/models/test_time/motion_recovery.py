"""Recovery of motion in camera and world from the inputs of a video, by the steps of `test_cfg`."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ...core.errors import ConfigError, DataError
from ...core.precision import full_precision
from ...core.steady_gravity import steady_gravity
from ...registry import MODELS
from ...registry.arguments import check_arguments, parameters_of
from ...structures import MotionPrediction, RecoveredMotion
from ..losses import ReprojectionLoss
from ..motion_estimator import MotionEstimator
from .flip_test import FlipTest


class MotionRecovery(nn.Module):
    """Predict, refine, average with the mirrored prediction, roll out, and post-process.

    Motion seen by a camera whose pose is given (``T_w2c`` of the inputs) is placed in its world.

    Args:
        flip_test (bool): Whether to predict the mirrored video too and average. The test datasets
            must load it (``flip_test=True``). Defaults to False.
        refiner (dict, optional): Fits predictions to the detected keypoints, such as
            ``dict(type='KeypointRefiner')``. Defaults to None.
        steady_gravity (bool): Whether gravity has one direction for all frames, by the rotation of
            the camera; see :func:`.steady_gravity`. Defaults to False.
        trajectory (dict, optional): Corrects trajectories through the world, such as
            ``dict(type='FootContactOdometry')``. Defaults to None.
        postprocess (bool | dict): Whether to post-process, or the config of a post-processor in
            ``MODELS``, built with ``compat`` and called like :class:`MotionPostprocessor`.
            Defaults to False; True is ``dict(type='MotionPostprocessor')``.
        static_camera (bool, optional): Whether the cameras stand still, which decides the
            post-processing. Defaults to None: ``static_camera`` of each sample's metainfo.
        given_camera (bool): Whether a camera of given pose places the body in the world: exact
            gravity and no drift, but the errors of its depth. Otherwise predicted velocities do,
            in a world of their own. Defaults to True.
        compat (str): ``'correct'`` or ``'published'``. Defaults to ``'correct'``.

    """

    def __init__(
        self,
        flip_test: bool = False,
        refiner: Optional[Mapping[str, Any]] = None,
        steady_gravity: bool = False,
        trajectory: Optional[Mapping[str, Any]] = None,
        postprocess: Union[bool, Mapping[str, Any]] = False,
        static_camera: Optional[bool] = None,
        given_camera: bool = True,
        compat: str = 'correct',
    ) -> None:
        super().__init__()
        self.static_camera, self.given_camera = static_camera, given_camera
        self.steady_gravity = steady_gravity
        self.compat = compat
        self.flip_test = FlipTest(compat) if flip_test else None
        self.refiner = refiner and MODELS.build(refiner)
        self.reprojection = ReprojectionLoss()
        """Loss that the refiner minimises; an adaptive model sets its own."""
        self.trajectory = trajectory and MODELS.build(trajectory)
        self.postprocessor = None
        if postprocess:
            config = dict(type='MotionPostprocessor') if postprocess is True else postprocess
            self.postprocessor = MODELS.build({'compat': compat, **config})

    @classmethod
    def from_cfg(
        cls, test_cfg: Optional[Mapping[str, Any]], compat: str = 'correct'
    ) -> 'MotionRecovery':
        """Build from the ``test_cfg`` of a model; None stands for no option.

        Raises:
            ConfigError: If it has an unknown key, or a value of a wrong type.
        """
        options = dict(test_cfg or {})
        unknown = sorted(set(options) - set(TEST_CFG_KEYS))
        if unknown:
            raise ConfigError(f'`test_cfg` should have keys of {TEST_CFG_KEYS}, got {unknown}')
        check_arguments(cls, options, 'test_cfg')
        return cls(**options, compat=compat)

    def extra_repr(self) -> str:
        """Show the options that are not modules."""
        flip_test = self.flip_test is not None
        return (
            f'flip_test={flip_test}, static_camera={self.static_camera}, '
            f'given_camera={self.given_camera}, steady_gravity={self.steady_gravity}, '
            f'compat={self.compat!r}'
        )

    def facts(self, sample: PoseDataSample) -> dict[str, Any]:
        """Return the steps that are applied to a sample, to be stored with its result."""
        facts = dict(
            flip_test=self.flip_test is not None,
            refiner=self.refiner is not None,
            steady_gravity=self.steady_gravity,
            trajectory=self.trajectory is not None,
            postprocess=self.postprocessor is not None,
            model_compat=self.compat,
        )
        if sample.get('world_up'):
            facts['given_camera'] = self.given_camera
        if self.postprocessor is not None:
            own = sample.get('static_camera')
            facts['static_camera'] = own if self.static_camera is None else self.static_camera
        return facts

    def forward(
        self,
        model: MotionEstimator,
        inputs: dict[str, Tensor],
        data_samples: Optional[Sequence[PoseDataSample]] = None,
    ) -> RecoveredMotion:
        """Recover the motion of a batch.

        Args:
            model (MotionEstimator): Predicts.
            inputs (dict[str, Tensor]): Its inputs, with ``flip_*`` ones for the flip test; with
                ``T_w2c`` (B, L, 4, 4), y up, metres, if the poses of the cameras are given.
            data_samples (Sequence[PoseDataSample], optional): Post-processing reads
                ``static_camera`` of their metainfo. Defaults to None.

        Raises:
            ConfigError: If the flip test lacks its inputs.
            DataError: If it is not known whether a camera stands still, or there is no frame.
        """
        if 'valid' in inputs and inputs['valid'].shape[-1] == 0:
            names = [sample.get('sequence') for sample in data_samples or ()]
            raise DataError(
                f'a sequence should have at least one frame, got none in {names or "the batch"}: '
                'leave empty sequences out of the dataset'
            )
        if self.flip_test is None:
            prediction = self._predict(model, inputs)
            motion = RecoveredMotion.from_prediction(prediction, inputs['cam_angvel'], self.compat)
        else:
            # No name for both passes, which would keep them until the end.
            motion = self.flip_test.merge(
                self._predict(model, self.flip_test.stack(inputs)), inputs, model.body_model
            )
        if self.postprocessor is not None:
            static_camera = self._static_cameras(motion.valid, data_samples)
            # The published code corrects the limbs of averaged motion in the world only.
            averaged_as_published = self.flip_test is not None and self.compat == 'published'
            motion = self.postprocessor(
                motion, model.body_model, static_camera, limbs_in_camera=not averaged_as_published
            )
        if self.given_camera and 'T_w2c' in inputs:
            root_offset = model.body_model.skeleton(motion.betas)[..., 0, :]
            motion = motion.in_world_of(inputs['T_w2c'], root_offset)
        return motion

    def _predict(self, model: MotionEstimator, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Predict, then refine and correct the trajectory."""
        prediction = model.infer(inputs)
        # Of long videos the motion vectors, of which these are slices, take much memory.
        prediction = prediction.replace(
            x=None, betas=prediction.betas.clone(), velocity=prediction.velocity.clone()
        )
        if self.refiner is not None:
            # Each rank tests sequences of its own.
            prediction = full_precision(self.refiner)(
                prediction, inputs, self.reprojection, model, across_ranks=False
            )
        if self.steady_gravity:
            R_gv = full_precision(steady_gravity)(
                prediction.R_gv, prediction.R_c, inputs['cam_angvel'], prediction.valid
            )
            prediction = prediction.replace(R_gv=R_gv)
        if self.trajectory is not None:
            prediction = full_precision(self.trajectory)(
                prediction, inputs['cam_angvel'], model.body_model
            )
        return prediction

    def _static_cameras(
        self, valid: Tensor, data_samples: Optional[Sequence[PoseDataSample]]
    ) -> Tensor:
        """Return whether each camera stands still (B,), bool."""
        if self.static_camera is not None:
            return torch.full((len(valid),), self.static_camera, device=valid.device)
        known = [sample.get('static_camera') for sample in data_samples or [{}] * len(valid)]
        if None in known:
            raise DataError(
                'post-processing needs to know whether the camera stands still: set '
                '`static_camera` (True or False) in the metainfo of the samples, or for all of '
                'them in `test_cfg` of the model'
            )
        return torch.tensor(known, dtype=torch.bool, device=valid.device)


TEST_CFG_KEYS = tuple(name for name in parameters_of(MotionRecovery)[0] if name != 'compat')
"""Options of ``test_cfg``; ``compat`` is that of the model."""
