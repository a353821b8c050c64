"""From videos to motions in one call."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.device import get_device
from mmengine.infer import BaseInferencer

from ...core.errors import ConfigError, MissingFilesError
from ...datasets.sources import signature_of
from ...models.model_zoo import DEFAULT_MODEL, find_checkpoint, list_models
from ...registry import INFERENCERS
from ...registry.arguments import checks_flags, suggest
from ...structures import MotionResult
from ...version import __version__
from ...video.feature_job import FeatureJob
from ...video.frame_source import FrameSource
from ...video.stage_clock import StageClock
from ..body_root import find_body_root
from ..keypoint_model import load_keypoint_model
from .result_folder import ResultFolder
from .settings import RecoverySettings
from .video_inputs import Inputs, VideoInput, list_videos
from .video_recovery import VideoRecovery

PathLike = Union[str, Path]
KNOWN = tuple(name for name in inspect.signature(RecoverySettings).parameters if name != 'job')
"""Arguments of a call that :class:`RecoverySettings` documents."""


@INFERENCERS.register_module()
class MotionInferencer(BaseInferencer):
    """Recover the motion of all people of videos, in the camera and in one world.

    .. code-block:: python

        inferencer = MotionInferencer()
        for result in inferencer('walk.mp4', out_dir='motions'):
            print(result.people[0].transl_w)

    Args:
        model (str, optional): Name of a shipped model (:meth:`list_models`), or the config file of
            ``weights``. Defaults to None: :data:`.DEFAULT_MODEL`.
        weights (str, optional): Checkpoint. Defaults to None: that of the shipped model.
        device (str, optional): Device of the network. Defaults to None: a GPU if there is one.
        data_root (str | Path, optional): Folder of the body models. Defaults to None, see
            :func:`.find_body_root`: SMPL-X where it is found, else the stand-in body.
        keypoints (str): ``mediapipe``, ``mmpose``, or another detector of :func:`.build_detector`.
            Defaults to ``mediapipe``.
        detector (dict, optional): Its arguments. Defaults to None.
        image_weights (str, optional): Weights of HMR2.0 for models with image features. Defaults to
            None: no image features.

    Raises:
        MissingFilesError: If a file does not exist, or no model is shipped nor named.
        CheckpointError: If the weights do not fit the network.
        ConfigError: If the config has no such model.
    """

    preprocess_kwargs = {'people', 'min_frames', 'camera', 'focal', 'fps'}
    forward_kwargs = {'height', 'floor', 'fit'}
    visualize_kwargs = {'show', 'vis_out_dir'}
    postprocess_kwargs = {'pred_out_dir', 'formats'}

    def __init__(
        self,
        model: Optional[PathLike] = None,
        weights: Optional[PathLike] = None,
        device: Optional[str] = None,
        data_root: Optional[PathLike] = None,
        keypoints: str = 'mediapipe',
        detector: Optional[dict[str, Any]] = None,
        image_weights: Optional[str] = None,
    ) -> None:
        # Not BaseInferencer's, which looks models up in the metafile of a package and builds the
        # test pipeline of their config.
        checkpoint, config = _files_of(model, weights)
        self.data_root = find_body_root(data_root)
        self.device = device or get_device()
        self.model = load_keypoint_model(checkpoint, config, self.data_root).to(self.device)
        files = [Path(find_checkpoint(checkpoint)), *([Path(config)] if config else [])]
        self.facts = dict(
            model=str(checkpoint),
            config=str(config) if config else '',
            body=str(self.data_root),
            version=__version__,
        )
        self._signature = signature_of(files, **self.facts)
        self.pipeline = self._init_pipeline(None)
        self._job = dict(
            keypoints=keypoints,
            detector=detector or {},
            checkpoint=image_weights,
            device=self.device,
        )
        FeatureJob(**self._job).check()

    @staticmethod
    def list_models(*args: Any, **kwargs: Any) -> list[str]:
        """Return the names of the shipped models."""
        return list_models()

    @checks_flags
    def __call__(
        self,
        inputs: Inputs,
        batch_size: int = 16,
        out_dir: Optional[PathLike] = None,
        vis_out_dir: Optional[PathLike] = None,
        pred_out_dir: Optional[PathLike] = None,
        show: bool = False,
        **known: Any,
    ) -> Iterator[MotionResult]:
        """Yield the result of each video, when it is done.

        Args:
            inputs (str | Path | int | np.ndarray | list): See :func:`.list_videos`: videos, folders
                of videos or images, frames (N, H, W, 3) as RGB, uint8, or the number of a webcam,
                of which a window of 120 frames is recovered at a time.
            batch_size (int): Crops at a time for image features. Defaults to 16.
            out_dir (str | Path, optional): Folder of all files. Defaults to None: none is written.
            vis_out_dir (str | Path, optional): Folder of ``<video>/overlay.mp4`` and
                ``world.html``. Defaults to None: ``out_dir``.
            pred_out_dir (str | Path, optional): Folder of ``<video>/motion.npz``, or
                ``motion_<id>.npz`` for each of several people, and ``summary.json``. Defaults to
                None: ``out_dir``.
            show (bool): Open the page of each video in the browser. Defaults to False.
            known (Any): ``people`` (``all``, ``largest`` or ``longest``), ``min_frames``,
                ``formats`` (endings such as ``npz``, ``bvh``), and what is known of the videos:
                ``camera``, ``focal``, ``height``, ``floor``, ``fit`` and ``fps``, see
                :class:`.RecoverySettings`.

        Raises:
            ConfigError: If an argument is unknown or impossible.
            DataError: If a video cannot be read, or shows nobody long enough.
            StorageError: If a folder cannot be written.
        """
        formats = known.pop('formats', ('npz',))
        settings = self.settings(batch_size, **known)
        for video in self.pipeline(inputs, settings.fps):
            folder = ResultFolder.of(video.name, vis_out_dir or out_dir, pred_out_dir or out_dir)
            yield self.recover(video, settings, folder, formats, show)

    def settings(
        self, batch_size: int = 16, people: str = 'all', min_frames: int = 30, **known: Any
    ) -> RecoverySettings:
        """Return the settings of a call.

        Args:
            batch_size (int): As for :meth:`__call__`. Defaults to 16.
            people (str): ``all``, ``largest`` or ``longest``. Defaults to ``all``.
            min_frames (int): People seen in fewer frames are left out. Defaults to 30.
            known (Any): What is known of the videos, see :class:`.RecoverySettings`.

        Returns:
            RecoverySettings: The settings.

        Raises:
            ConfigError: If an argument is unknown or impossible.
        """
        for name in known:
            if name not in KNOWN:
                raise ConfigError(f'unknown argument `{name}`; {suggest(name, KNOWN)}')
        job = FeatureJob(people=people, min_frames=min_frames, batch_size=batch_size, **self._job)
        return RecoverySettings(job=job, **known)

    @checks_flags
    def recover(
        self,
        video: VideoInput,
        settings: RecoverySettings,
        folder: ResultFolder,
        formats: Sequence[str] = ('npz',),
        show: bool = False,
        clock: Optional[StageClock] = None,
    ) -> MotionResult:
        """Recover one video and write its files.

        Args:
            video (VideoInput): The video.
            settings (RecoverySettings): What is known, and how people are found.
            folder (ResultFolder): Where files are written.
            formats (Sequence[str]): Endings of the motion files. Defaults to ``('npz',)``.
            show (bool): Open the page in the browser. Defaults to False.
            clock (StageClock, optional): Measures the stages. Defaults to None.

        Returns:
            MotionResult: The people, in the camera and in the world.

        Raises:
            DataError: If the video cannot be read, or shows nobody long enough.
            StorageError: If the folder cannot be written.
        """
        clock = clock or StageClock()
        folder.check(formats)
        with folder.recording(clock):
            with clock.measure('decode'):
                source = video.open()
            result = self.forward((source, video.name), settings, folder, clock)
            drawn = self.visualize(source, result, folder, clock)
            return self.postprocess(result, drawn, folder, formats, clock, show)

    def forward(
        self,
        inputs: tuple[FrameSource, str],
        settings: RecoverySettings,
        folder: ResultFolder,
        clock: StageClock,
    ) -> MotionResult:
        """Recover a video, see :class:`.VideoRecovery`.

        Args:
            inputs (tuple[FrameSource, str]): Frames and name of the video.
            settings (RecoverySettings): As for :meth:`recover`.
            folder (ResultFolder): Has the stages that are kept.
            clock (StageClock): Measures the stages.

        Returns:
            MotionResult: The result.
        """
        recovery = VideoRecovery(self.model, settings, self.facts, self._signature, self.data_root)
        return recovery(*inputs, folder.kept, clock)

    def visualize(
        self, inputs: FrameSource, preds: MotionResult, folder: ResultFolder, clock: StageClock
    ) -> dict[str, list[Path]]:
        """Write the drawings of a result, if a folder for them is given.

        Args:
            inputs (FrameSource): Frames of the video.
            preds (MotionResult): The result.
            folder (ResultFolder): Where they go.
            clock (StageClock): Measures the stages.

        Returns:
            dict[str, list[Path]]: Files by kind.
        """
        return folder.write_drawings(preds, inputs, clock)

    def postprocess(
        self,
        preds: MotionResult,
        visualization: dict[str, list[Path]],
        folder: ResultFolder,
        formats: Sequence[str],
        clock: StageClock,
        show: bool = False,
    ) -> MotionResult:
        """Write the motion files and the summary, if a folder is given, and show the page.

        Args:
            preds (MotionResult): The result.
            visualization (dict[str, list[Path]]): Drawings, as of :meth:`visualize`.
            folder (ResultFolder): Where files go.
            formats (Sequence[str]): Endings of the motion files.
            clock (StageClock): Measures the stages.
            show (bool): Open the page in the browser. Defaults to False.

        Returns:
            MotionResult: The result, as it was.
        """
        files = folder.write_motions(preds, formats, clock)
        folder.summarise(preds, {**files, **visualization}, clock)
        if show:
            preds.show(folder.page)
        return preds

    def _init_pipeline(self, cfg: Any) -> Callable:
        """Return what turns inputs into videos."""
        return list_videos


def _files_of(
    model: Optional[PathLike], weights: Optional[PathLike]
) -> tuple[PathLike, Optional[PathLike]]:
    """Return checkpoint and config of the arguments of the inferencer."""
    if weights is not None:
        return weights, model
    if model is not None:
        return model, None
    if DEFAULT_MODEL in list_models():
        return DEFAULT_MODEL, None
    raise MissingFilesError(
        'this version ships no model: give `model`, the config of a training, and `weights`, its '
        'checkpoint (docs/en/models.md)'
    )
