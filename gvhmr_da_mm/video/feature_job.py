"""Settings of keypoint detection and feature extraction, and their use on one video."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional

from ..core.checks import check_at_least, check_choice, check_positive
from ..core.errors import ConfigError
from ..registry import MODELS
from .detectors import build_detector, check_detector, keypoint_files
from .frame_source import FrameSource
from .image_features import ImageFeatureExtractor
from .observe import Progress, observe
from .person_clip import PersonClip
from .person_tracks import PEOPLE_CHOICES
from .time_plan import TimePlan
from .visual_gyro import VisualGyro


@dataclass
class FeatureJob:
    """Extract keypoints and image features of people; can be pickled for worker processes.

    Args:
        keypoints (str): ``mediapipe``, ``rtmlib``, ``mmpose``, a file, or a folder. Defaults to
            ``mediapipe``.
        detector (dict): Arguments of the detector. Defaults to {}.
        people (str): ``largest``, ``longest`` or ``all``. Defaults to ``largest``.
        min_frames (int): People detected in fewer frames are dropped. Defaults to 30.
        checkpoint (str, optional): Weights of HMR2.0. Defaults to None: no image features.
        network (dict): Arguments of :class:`HMR2FeatureNetwork`. Defaults to {}.
        batch_size (int): Crops per batch. Defaults to 16.
        flip (bool): Whether to add features of the mirrored images. Defaults to True.
        image_scale (float): See :func:`crop_person`. Defaults to 1.
        device (str, optional): Of the networks. Defaults to None: a GPU if there is one.

    Raises:
        ConfigError: If an argument is out of range.
    """

    keypoints: str = 'mediapipe'
    detector: dict[str, Any] = field(default_factory=dict)
    people: str = 'largest'
    min_frames: int = 30
    checkpoint: Optional[str] = None
    network: dict[str, Any] = field(default_factory=dict)
    batch_size: int = 16
    flip: bool = True
    image_scale: float = 1.0
    device: Optional[str] = None

    def __post_init__(self) -> None:
        check_choice(self.people, PEOPLE_CHOICES, 'people')
        check_at_least(1, min_frames=self.min_frames, batch_size=self.batch_size)
        check_positive(image_scale=self.image_scale)
        self._extractor: Optional[ImageFeatureExtractor] = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_extractor': None}

    def check(self) -> None:
        """Check detector and weights before any video is read.

        Raises:
            GVHMRError: If one of them is missing.
        """
        check_detector(self.keypoints, self.detector)
        if self.checkpoint is not None:
            self.extractor()
        elif self.network:
            raise ConfigError(
                f'options of the feature network are given, {self.network}, but no weights '
                '(`checkpoint`), without which it is not used'
            )

    def describe(self) -> dict[str, Any]:
        """Return the settings that the results depend on, for signatures."""
        described = asdict(self)
        for name in ('batch_size', 'device'):
            del described[name]
        return described

    def observation_files(self, clip_id: str) -> list[Path]:
        """Return the files that the detections in a clip depend on, beside its video.

        Args:
            clip_id (str): Name of the clip, for files of keypoints in a folder.
        """
        options = (value for value in self.detector.values() if isinstance(value, (str, Path)))
        weights = [Path(value) for value in options if Path(value).is_file()]
        return [*keypoint_files(self.keypoints, clip_id), *weights]

    def files(self, clip_id: str) -> list[Path]:
        """Return the files that the results of a clip depend on, beside its video."""
        weights = [] if self.checkpoint is None else [Path(self.checkpoint)]
        return [*self.observation_files(clip_id), *weights]

    def extractor(self) -> ImageFeatureExtractor:
        """Return the feature extractor, loaded once per process."""
        if self._extractor is None:
            network = MODELS.build(
                dict(type='HMR2FeatureNetwork', checkpoint=self.checkpoint, **self.network)
            )
            self._extractor = ImageFeatureExtractor(
                network, self.batch_size, self.flip, self.image_scale, self.device
            )
        return self._extractor

    def observe(
        self,
        source: FrameSource,
        clip_id: str,
        gyro: Optional[VisualGyro] = None,
        progress: Progress = iter,
    ) -> tuple[list[PersonClip], TimePlan]:
        """Detect and track the people of a video; see :func:`observe`. Adds no image features."""
        everybody = self.people == 'all'
        with build_detector(
            self.keypoints, self.detector, clip_id, source.img_wh, everybody
        ) as detector:
            facts = dict(keypoints=Path(self.keypoints).name)
            return observe(
                source, detector, self.people, self.min_frames, gyro, facts, progress=progress
            )

    def add_features(
        self,
        clip: PersonClip,
        source: FrameSource,
        partial: Optional[Path] = None,
        progress: Progress = iter,
    ) -> PersonClip:
        """Add image features to a clip if weights are given; see :class:`ImageFeatureExtractor`."""
        if self.checkpoint is None:
            return clip
        return self.extractor()(clip, source, partial, progress)
