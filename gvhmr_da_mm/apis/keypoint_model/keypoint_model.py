"""A trained network with the steps of its test: the network alone, and fitted to keypoints."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional, Union

import torch
from mmengine.config import ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.runner import load_checkpoint
from mmpose.structures import PoseDataSample
from torch import Tensor

from ...codecs import DetectorNoise
from ...config.loading import CONFIGS, load_config
from ...config.stored import load_stored_config
from ...config.values import target_of
from ...core.errors import ConfigError
from ...core.layout import IMAGE_FEATURE_DIM
from ...datasets.clip import Clip, pack_clip
from ...engine.safe_loading import safe_checkpoint_loading
from ...models.adaptation import MotionCritic
from ...models.estimators import GVHMR
from ...models.test_time import MotionRecovery
from ...registry import MODELS
from ...video.stage_clock import StageClock
from ..body_root import find_body_root
from ..stored_sizes import use_stored_sizes

PathLike = Union[str, Path]
STAGES = ('network', 'fitted')
"""The motion of the network, and that fitted to the keypoints; both with the other steps."""
FIT_RECIPE = CONFIGS / '_base_' / 'models' / 'da_gvhmr.py'
"""Config whose fit at test time serves those that have none."""


class KeypointModel:
    """A network that predicts clips, with or without image features, with or without the fit.

    Args:
        estimator (GVHMR): The network.
        test_cfg (dict, optional): Its steps at test time; the ``refiner`` serves ``fitted`` alone.
            Defaults to None: no step but the fit of :func:`default_fit`.
        critic (MotionCritic, optional): What an adaptation has learned about true motion. Defaults
            to None.
    """

    def __init__(
        self,
        estimator: GVHMR,
        test_cfg: Optional[Mapping[str, Any]] = None,
        critic: Optional[MotionCritic] = None,
    ) -> None:
        self.estimator, self.critic = estimator.eval(), critic
        steps = dict(test_cfg or {})
        fit = steps.pop('refiner', None) or default_fit()
        reprojection = estimator.recovery.reprojection
        self._recovery = {
            'network': MotionRecovery.from_cfg(steps, estimator.compat),
            'fitted': MotionRecovery.from_cfg(dict(steps, refiner=fit), estimator.compat),
        }
        for recovery in self._recovery.values():
            recovery.reprojection = reprojection

    def to(self, device: str) -> 'KeypointModel':
        """Move the networks to a device."""
        self.estimator.to(device)
        if self.critic is not None:
            self.critic.to(device)
        return self

    @torch.no_grad()
    def predict(self, clip: Clip, stage: str, clock: Optional[StageClock] = None) -> PoseDataSample:
        """Predict a clip.

        Args:
            clip (Clip): With keypoints.
            stage (str): One of ``STAGES``.
            clock (StageClock, optional): Measures the fit as the stage ``refine``. Defaults to
                None.

        Returns:
            PoseDataSample: With ``pred_instances``, see :meth:`GVHMR.predict`.
        """
        recovery = self.estimator.recovery = self._recovery[stage]
        refiner = recovery.refiner
        if clock is not None and refiner is not None:
            recovery.refiner = clock.timed('refine', refiner)
        flip = recovery.flip_test is not None
        try:
            (sample,) = self.estimator.test_step(pseudo_collate([self._pack(clip, flip)]))
        finally:
            recovery.refiner = refiner
        return sample

    @torch.no_grad()
    def detect(self, clip: Clip, seed: int) -> Tensor:
        """Return keypoints (L, 17, 3) of a labelled clip with the errors of a detector.

        Args:
            clip (Clip): With training labels.
            seed (int): Seed of the errors.
        """
        batch = self.estimator.data_preprocessor(pseudo_collate([self._pack(clip, False)]))
        inputs, samples = batch['inputs'], batch['data_samples']
        _, body = self.estimator.targets(inputs, samples)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return self.estimator.simulate_detections(inputs, body)['kp2d'][0]

    def coco_joints(self, sample: PoseDataSample, space: str) -> Tensor:
        """Return the COCO joints (L, 17, 3) of a prediction, those of the reprojection loss.

        Args:
            sample (PoseDataSample): The prediction.
            space (str): ``camera``, or ``world`` (y up).
        """
        pred, suffix = sample.pred_instances, {'camera': 'c', 'world': 'w'}[space]
        body = self.estimator.body_model
        orient, transl = pred[f'global_orient_{suffix}'], pred[f'transl_{suffix}']
        device = body.coco_regressor.device
        parameters = (pred.body_pose, pred.betas, orient, transl)
        return body(*(value.to(device) for value in parameters)).coco17.cpu()

    def _pack(self, clip: Clip, flip: bool) -> dict[str, Any]:
        """Pack a clip, with its mirror image for the flip test."""
        # The caller's clip stays as it is: it may be predicted again.
        clip = replace(clip)
        if flip and clip.flip_bbx_xys is None:
            clip.flip_bbx_xys = clip.bbx_xys.clone()
            clip.flip_bbx_xys[:, 0] = clip.img_wh[0] - clip.bbx_xys[:, 0]
        missing = []
        if clip.f_imgseq is None:
            missing.append('f_imgseq')
        if flip and clip.flip_f_imgseq is None:
            clip.flip_f_imgseq = torch.zeros(1, IMAGE_FEATURE_DIM)
            missing.append('flip_f_imgseq')
        packed = pack_clip(clip, dataset='keypoints', domain='real')
        # Of a long video, features that are not there would take most of the memory.
        no_features = torch.zeros(1, 1).expand(len(clip), IMAGE_FEATURE_DIM)
        packed['inputs'].update(dict.fromkeys(missing, no_features))
        return packed


@lru_cache(maxsize=1)
def default_fit() -> ConfigDict:
    """Return the config of the fit of networks whose ``test_cfg`` has none."""
    return load_config(FIT_RECIPE).model.estimator.test_cfg.refiner


def load_keypoint_model(
    model: PathLike,
    config: Optional[PathLike] = None,
    data_root: Optional[PathLike] = None,
    options: Optional[dict[str, Any]] = None,
) -> KeypointModel:
    """Load a network and its test-time steps.

    Args:
        model (str | Path): A checkpoint of :class:`GVHMR`, or of its adaptation; or the name of a
            shipped model.
        config (str | Path, optional): Config of its training; sizes that the checkpoint knows
            replace those of the config. Defaults to None: the config stored with the model.
        data_root (str | Path, optional): Folder of the body models. Defaults to None, see
            :func:`.find_body_root`.
        options (dict, optional): ``--cfg-options`` by dotted key. Defaults to None.

    Returns:
        KeypointModel: In evaluation mode, on the CPU.

    Raises:
        MissingFilesError: If there is no such file.
        CheckpointError: If the checkpoint cannot be read, or does not fit the network.
        ConfigError: If the config has no such model, or none is given nor stored.
    """
    network = network_config(model, config, find_body_root(data_root), options)
    part = network.get('estimator', network)
    part['train_cfg'] = dict(keypoint_noise=dict(type=DetectorNoise))
    built = MODELS.build(network)
    with safe_checkpoint_loading():
        load_checkpoint(built, str(model), map_location='cpu')
    estimator = getattr(built, built.predict_on) if 'estimator' in network else built
    return KeypointModel(estimator, part.get('test_cfg'), getattr(built, 'critic', None))


def network_config(
    model: PathLike,
    config: Optional[PathLike],
    data_root: PathLike,
    options: Optional[dict[str, Any]] = None,
) -> ConfigDict:
    """Return the config of a network, or of its adaptation.

    Args:
        model (str | Path): As for :func:`load_keypoint_model`.
        config (str | Path, optional): As there.
        data_root (str | Path): Folder of the body models.
        options (dict, optional): As there. Defaults to None.

    Returns:
        ConfigDict: ``model`` of the config.

    Raises:
        ConfigError: If the config has no :class:`GVHMR` nor its adaptation.
    """
    if config is None:
        content = load_stored_config(model, options, data_root)
    else:
        content = load_config(config, options, data_root)
        use_stored_sizes(content, str(model), options)
    network = content.get('model') or {}
    kind = target_of(network.get('estimator', network), 'model')
    if not (isinstance(kind, type) and issubclass(kind, GVHMR)):
        raise ConfigError(f'{config or model}: `model` should be a GVHMR or its adaptation')
    return network
