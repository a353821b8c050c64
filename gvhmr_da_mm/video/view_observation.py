"""What a detector sees in the video of a camera, kept in a file."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Optional

import numpy as np

from ..core.layout import NUM_COCO
from ..datasets.sources import signature_of
from ..fileio.atomic_file import open_atomically
from .calibrated_views import View
from .camera_track import rotation_from_gyro, static_rotation
from .detectors import Detections, KeypointFile, build_detector
from .frame_source import FrameSource, open_frames
from .observe import Progress, detect, make_clips
from .person_clip import PersonClip
from .time_plan import TimePlan, plan_times
from .visual_gyro import CameraRotation, VisualGyro

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass
class ViewObservation:
    """People and camera rotation of a video at 30 frames per second.

    Note:
        F: frames of the plan, the first at the start of the video.

    Args:
        source (FrameSource): The video.
        plan (TimePlan): Its resampling.
        frames (list[Detections]): The people of each frame of ``plan.used``.
        rotation (CameraRotation): Rotation of the camera (F, 3, 3), as measured in the video.
        failures (list[str]): Messages about frames that failed. Defaults to [].
    """

    source: FrameSource
    plan: TimePlan
    frames: list[Detections]
    rotation: CameraRotation
    failures: list[str] = field(default_factory=list)

    def clip(self) -> PersonClip:
        """Return the largest person, as for a video of one's own."""
        return make_clips(self.source, self.plan, self.frames)[0]

    def cuts(self) -> list[int]:
        """Return the first frames, at 30 per second, of the scenes after the first."""
        new = self.plan.used[[people.new_scene for people in self.frames]]
        return np.searchsorted(self.plan.upper, new).tolist()

    def keypoints(self) -> np.ndarray:
        """Return the first person's keypoints (F, 17, 3), as detected; 0 without anybody."""
        return self._of_plan('keypoints', 0.0)

    def joints(self) -> np.ndarray:
        """Return the detector's own 3D estimate (F, 17, 3), metres; NaN where there is none."""
        return self._of_plan('joints', np.nan)

    def _of_plan(self, name: str, missing: float) -> np.ndarray:
        """Resample a field of the first person of each frame."""
        values = np.full((len(self.frames), NUM_COCO, 3), missing)
        seen = np.array([len(people.boxes) > 0 for people in self.frames])
        for row in np.flatnonzero(seen):
            values[row] = getattr(self.frames[row], name)[0]
        plan = self.plan.of_used
        resampled = plan.interpolate(values)
        resampled[~plan.both(seen)] = missing
        return resampled


def observe_view(
    video: Path, view: View, cache: Path, detector: str = 'mediapipe', progress: Progress = iter
) -> ViewObservation:
    """Detect people in the video of a camera, or read what was detected before.

    Args:
        video (Path): The video.
        view (View): The camera, whose intrinsics the measurement of its rotation needs.
        cache (Path): File of the detections. It is written, and read by the next call for an
            unchanged video.
        detector (str): As for :func:`~.detectors.build_detector`. Defaults to ``mediapipe``.
        progress (Callable): Wraps the loop over frames. Defaults to ``iter``.

    Raises:
        DataError: If the video cannot be read.
        ConfigError: If the detector is not installed.
    """
    source = open_frames(video)
    signature = signature_of([video], K=view.K.tolist(), detector=detector)
    build = partial(build_detector, detector, None, view.name, source.img_wh)
    return observe_video(source, build, VisualGyro(view.K), cache, signature, progress)


def observe_video(
    source: FrameSource,
    build: Callable[[], Any],
    gyro: Optional[VisualGyro],
    cache: Optional[Path] = None,
    signature: str = '',
    progress: Progress = iter,
) -> ViewObservation:
    """Detect people in a video and measure the rotation of its camera, or read a file of these.

    Args:
        source (FrameSource): The video.
        build (Callable): Returns a detector of :mod:`.detectors`, if one is needed.
        gyro (VisualGyro, optional): Measures the rotation; None for a camera that is known
            otherwise, whose rotations are then all equal here.
        cache (Path, optional): File of the detections. It is written, and read by the next call
            with the same signature. Defaults to None.
        signature (str): Of the video and the options. Defaults to ''.
        progress (Callable): Wraps the loop over frames. Defaults to ``iter``.

    Raises:
        DataError: If the video cannot be read, or a file of keypoints does not fit it.
    """
    arrays = None if cache is None else _read(cache, signature)
    if arrays is None:
        with build() as find:
            frames, failures = detect(source, find, gyro, progress)
        if isinstance(find, KeypointFile):
            find.check_length(len(source))
        plan = plan_times(source.seconds)
        rotation = (
            static_rotation(plan) if gyro is None else rotation_from_gyro(gyro.finish(), plan)
        )
        arrays = dict(_pack(frames, rotation), failures=np.array(failures, dtype=str))
        if cache is not None:
            cache.parent.mkdir(parents=True, exist_ok=True)
            with open_atomically(cache) as file:
                np.savez(file, signature=signature, **arrays)
    rotation = CameraRotation(arrays['R_w2c'], bool(arrays['static']))
    failures = arrays.get('failures', np.array([], dtype=str)).tolist()
    plan = plan_times(source.seconds)
    return ViewObservation(source, plan, _unpack(arrays), rotation, failures)


def _read(cache: Path, signature: str) -> Any:
    """Return the arrays of a file for an unchanged video; None if there is no such file."""
    try:
        with np.load(cache, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
            same = str(arrays['signature']) == signature and 'maybe_new_scene' in arrays
            return arrays if same else None
    except _UNREADABLE:
        return None  # It is made again.


def _pack(frames: list[Detections], rotation: CameraRotation) -> dict[str, np.ndarray]:
    """Return arrays of all people of all frames, one after another."""
    counts = np.array([len(people.boxes) for people in frames])
    unknown = [np.full((count, NUM_COCO, 3), np.nan) for count in counts]
    no_colour = [np.full((count, 3), np.nan) for count in counts]
    return dict(
        counts=counts,
        boxes=np.concatenate([people.boxes for people in frames]),
        keypoints=np.concatenate([people.keypoints for people in frames]),
        joints=np.concatenate(
            [u if p.joints is None else p.joints for p, u in zip(frames, unknown)]
        ),
        colours=np.concatenate(
            [u if p.colours is None else p.colours for p, u in zip(frames, no_colour)]
        ),
        new_scene=np.array([people.new_scene for people in frames]),
        maybe_new_scene=np.array([people.maybe_new_scene for people in frames]),
        R_w2c=rotation.R_w2c,
        static=np.array(rotation.static),
    )


def _unpack(arrays: dict[str, np.ndarray]) -> list[Detections]:
    ends = np.cumsum(arrays['counts'])
    names = ('boxes', 'keypoints', 'colours', 'joints')
    scenes = ('new_scene', 'maybe_new_scene')
    return [
        Detections(
            **{name: arrays[name][end - count : end] for name in names},
            **{name: bool(arrays[name][frame]) for name in scenes},
        )
        for frame, (count, end) in enumerate(zip(arrays['counts'], ends))
    ]
