"""Conversion of videos to sequence packs: the unlabelled real domain."""

import re
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from ..core.camera import box_to_xyxy, estimate_intrinsics, intrinsics_from_sensor
from ..core.conventions import FPS
from ..core.errors import ConfigError, DataError, MissingFilesError
from ..datasets.sources import Failure, SequenceInfo, Source, signature_of
from .camera_file import CameraPoses, read_camera_poses
from .camera_track import rotation_from_gyro, rotation_from_poses, static_rotation
from .detectors import Detections, file_of
from .extract_features import clip_ids, find_person_files
from .feature_job import FeatureJob
from .frame_source import FrameSource, find_clips, open_frames
from .observe import detect
from .person_clip import PersonClip
from .time_plan import TimePlan, plan_times
from .visual_gyro import CameraRotation, VisualGyro

_CAMERA_SUFFIXES = ('.npz', '.npy', '.txt', '.csv')
FIELD_OF_VIEW_RANGE = (3.0, 130.0)
"""Degrees along the longer side, from telephoto to the widest lens without fisheye distortion."""
_MILLIMETRES = re.compile(r'([\d.]+)\s*mm')


def parse_focal(focal: str) -> tuple[float, bool]:
    """Return a focal length, and whether it is in millimetres rather than pixels.

    Raises:
        ConfigError: If it is not a positive length.
    """
    millimetres = _MILLIMETRES.fullmatch(focal.strip())
    try:
        length = float(millimetres[1] if millimetres else focal)
    except ValueError:
        length = 0.0
    if not 0 < length < float('inf'):
        raise ConfigError(f'`focal` should be pixels such as 1200, or such as 24mm, got {focal!r}')
    return length, millimetres is not None


def intrinsics_of(focal: Optional[str], width: int, height: int) -> np.ndarray:
    """Return K (3, 3) of a video.

    Args:
        focal (str, optional): Focal length in pixels, or as ``24mm`` of full-frame film; None
            takes the image's diagonal.
        width (int): Width of the frames, pixels.
        height (int): Height of the frames, pixels.

    Raises:
        ConfigError: If it is not a positive length, or its field of view is out of range.
    """
    if focal is None:
        return estimate_intrinsics(width, height).numpy()
    length, in_millimetres = parse_focal(focal)
    if in_millimetres:
        K = intrinsics_from_sensor(width, height, length).numpy()
    else:
        K = np.array([[length, 0, width / 2], [0, length, height / 2], [0, 0, 1]])
    problem = _impossible_view(K, width, height)
    if problem:
        hint = (
            '' if in_millimetres else f'; for {length:g} mm of full-frame film write {length:g}mm'
        )
        raise ConfigError(f'`focal` {focal!r} is {problem}{hint}')
    return K


def _impossible_view(K: np.ndarray, width: int, height: int) -> str:
    """Return what is wrong with the field of view of intrinsics, or nothing."""
    view = 2 * np.degrees(np.arctan(max(width, height) / 2 / K[0, 0]))
    if FIELD_OF_VIEW_RANGE[0] <= view <= FIELD_OF_VIEW_RANGE[1]:
        return ''
    return (
        f'a field of view of {view:.3g} degrees along the {width} x {height} pixels of the video, '
        f'expected {FIELD_OF_VIEW_RANGE[0]:g} to {FIELD_OF_VIEW_RANGE[1]:g}'
    )


class VideoConverter(Source):
    """Source of one sequence per video, or per person whose features were extracted before.

    Args:
        path (Path): A video, a folder of images, or a folder of these.
        job (FeatureJob): Settings of detection and features; ``people='all'`` needs
            ``observations``.
        camera (str): ``gyro``, ``static``, a file of :func:`read_camera_poses`, or a folder of
            such files. Defaults to ``gyro``.
        focal (str, optional): See :func:`intrinsics_of`; not with intrinsics in the camera files.
            Defaults to None.
        observations (Path, optional): Output folder of ``tools/dataset_converters/videos.py
            features``, from which boxes, keypoints and image features are read. Defaults to None.
        fps (float): Frames per second of folders of images. Defaults to 30.
        split (str): Split of the sequences. Defaults to ``train``.
        dataset (str): Name of the dataset. Defaults to ``video``.

    Raises:
        ConfigError: If an argument is invalid.
        MissingFilesError: If a named file or folder does not exist.
    """

    domain = 'real'

    def __init__(
        self,
        path: Path,
        job: FeatureJob,
        camera: str = 'gyro',
        focal: Optional[str] = None,
        observations: Optional[Path] = None,
        fps: float = FPS,
        split: str = 'train',
        dataset: str = 'video',
    ) -> None:
        super().__init__()
        self.path, self.job, self.camera, self.focal = Path(path), job, camera, focal
        self.observations, self.fps, self.split = observations, fps, split
        self.dataset, self.title = dataset, str(path)
        if focal is not None:
            parse_focal(focal)
        if camera not in ('gyro', 'static') and not Path(camera).exists():
            raise MissingFilesError(
                f'`camera` should be gyro, static, or an existing file or folder of rotations, got '
                f'{camera!r}'
            )
        if observations is not None and not observations.is_dir():
            raise MissingFilesError(
                f'the folder of observations {str(observations)!r} does not exist'
            )
        if observations is None and job.people == 'all':
            raise ConfigError(
                'people=all needs extracted features: run tools/dataset_converters/videos.py '
                'features --people all, then give its folder as --features'
            )

    def sequences(self) -> list[SequenceInfo]:
        """List one sequence per video, or per extracted person."""
        infos = []
        clips = find_clips(self.path)
        for clip, name in zip(clips, clip_ids(clips, self.path)):
            options = dict(camera=self.camera, focal=self.focal, fps=self.fps, split=self.split)
            if self.observations is None:
                signature = signature_of([clip, *self._inputs(name)], **options, **self._job())
                infos.append(
                    SequenceInfo(name, file=clip, signature=signature, facts=dict(name=name))
                )
                continue
            files = find_person_files(self.observations, name)
            if not files:
                error = MissingFilesError(
                    f'{self.observations} has no observations of {name!r}: run '
                    'tools/dataset_converters/videos.py features on the same folder'
                )
                self.failures.append(Failure.of(name, clip, error))
            for file in files:
                person = file.relative_to(self.observations).with_suffix('').as_posix()
                signature = signature_of([clip, file, *self._inputs(name)], **options)
                facts = dict(name=name, file=file)
                infos.append(SequenceInfo(person, file=clip, signature=signature, facts=facts))
        return infos

    def read(self, info: SequenceInfo) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return arrays and metadata of a sequence: people, intrinsics and camera rotation."""
        source = open_frames(info.file, self.fps)
        name = info.facts['name']
        poses = self._poses(name)
        K = self._intrinsics(poses, source)
        gyro = VisualGyro(K) if self.camera == 'gyro' else None
        if 'file' in info.facts:
            clip = PersonClip.load(info.facts['file'])
            if gyro is not None:
                detect(source, _KnownPerson(clip), gyro)
            plan = plan_times(source.seconds)
            _check_same(clip, source, plan, info.facts['file'])
        else:
            (clip,), plan = self.job.observe(source, name, gyro)
            self.job.add_features(clip, source)
        rotation = self._rotation(plan, source, gyro, poses)
        return self._arrays(clip, K, rotation), self._meta(clip, name, source, rotation)

    # ---------------------------------------------------------------------------------------------

    def _job(self) -> dict[str, Any]:
        return {f'job_{key}': value for key, value in self.job.describe().items()}

    def _inputs(self, name: str) -> list[Path]:
        """Return the keypoint and camera files that a sequence depends on."""
        files = []
        if self.observations is None and Path(self.job.keypoints).exists():
            keypoints = Path(self.job.keypoints)
            files.append(keypoints / f'{name}.npz' if keypoints.is_dir() else keypoints)
        if self.camera not in ('gyro', 'static'):
            camera = Path(self.camera)
            inner = [camera / f'{name}{suffix}' for suffix in _CAMERA_SUFFIXES]
            files += inner if camera.is_dir() else [camera]
        return files

    def _poses(self, name: str) -> Optional[CameraPoses]:
        """Return the content of the camera file of a video, if there are any."""
        if self.camera in ('gyro', 'static'):
            return None
        file = file_of(self.camera, name, _CAMERA_SUFFIXES)
        return read_camera_poses(file, name.rpartition('/')[2])

    def _intrinsics(self, poses: Optional[CameraPoses], source: FrameSource) -> np.ndarray:
        """Return K (3, 3) of the camera file, or as :func:`intrinsics_of`."""
        if poses is None or poses.K is None:
            return intrinsics_of(self.focal, *source.img_wh)
        if self.focal is not None:
            raise ConfigError(f'{poses.path} has intrinsics: leave `--focal {self.focal}` out')
        problem = _impossible_view(poses.K, *source.img_wh)
        x, y = poses.K[:2, 2]
        width, height = source.img_wh
        if not problem and not (0 < x < width and 0 < y < height):
            problem = (
                f'their centre at {x:.0f}, {y:.0f}, outside the {width} x {height} pixels of the '
                'video'
            )
        if problem:
            raise DataError(f'{poses.path}: the intrinsics have {problem}')
        return poses.K

    @staticmethod
    def _rotation(
        plan: TimePlan,
        source: FrameSource,
        gyro: Optional[VisualGyro],
        poses: Optional[CameraPoses],
    ) -> CameraRotation:
        if gyro is not None:
            return rotation_from_gyro(gyro.finish(), plan)
        return (
            static_rotation(plan)
            if poses is None
            else rotation_from_poses(poses, plan, len(source))
        )

    @staticmethod
    def _arrays(clip: PersonClip, K: np.ndarray, rotation: CameraRotation) -> dict[str, Any]:
        arrays = clip.arrays()
        del arrays['frame_numbers']
        # Interpolated frames in short gaps keep some confidence and count as observed.
        arrays['observed'] = clip.kp2d[..., 2].any(axis=1)
        frames = slice(clip.start, clip.start + len(clip))
        if rotation.T_w2c is not None:
            return dict(arrays, K_fullimg=K, T_w2c=rotation.T_w2c[frames])
        return dict(arrays, K_fullimg=K, R_w2c=rotation.R_w2c[frames])

    def _meta(
        self, clip: PersonClip, name: str, source: FrameSource, rotation: CameraRotation
    ) -> dict[str, Any]:
        facts = dict(clip.facts)
        if 'largest_motion' in rotation.report and not rotation.world_up:
            note = 'the camera file does not state `up`: its world and its positions are not used'
            facts['notes'] = [*facts.get('notes', []), note]
        return dict(
            img_wh=clip.img_wh,
            start=clip.start,
            splits=(self.split,),
            static_camera=rotation.static,
            world_up=rotation.world_up,
            video=str(source.path),
            group=name,
            extra=dict(facts, camera=rotation.report),
        )


class _KnownPerson:
    """Detector that returns the person of a clip."""

    needs_images = False

    def __init__(self, clip: PersonClip) -> None:
        self._numbers = clip.frame_numbers
        self._boxes = box_to_xyxy(torch.from_numpy(clip.bbx_xys)).numpy()
        self._keypoints = clip.kp2d

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        row = min(int(np.searchsorted(self._numbers, number)), len(self._numbers) - 1)
        return Detections(self._boxes[row : row + 1], self._keypoints[row : row + 1])


def _check_same(clip: PersonClip, source: FrameSource, plan: TimePlan, file: Path) -> None:
    end = clip.start + len(clip)
    same = end <= len(plan) and np.array_equal(plan.nearest[clip.start : end], clip.frame_numbers)
    if clip.img_wh != source.img_wh or not same:
        raise DataError(
            f'{file} was made of another video than {source.path} (size or times of its frames): '
            'run tools/dataset_converters/videos.py features again'
        )
