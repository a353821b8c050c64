"""Conversion of videos to sequence packs: the unlabelled real domain."""

from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from ..core.camera import box_to_xyxy
from ..core.conventions import FPS
from ..core.errors import ConfigError, DataError, MissingFilesError
from ..datasets.sources import Failure, SequenceInfo, Source, signature_of
from .camera_track import unused_positions
from .detectors import Detections, Detector
from .extract_features import clip_ids, find_person_files
from .feature_job import FeatureJob
from .frame_source import FrameSource, find_clips, open_frames
from .observe import detect
from .person_clip import PersonClip
from .time_plan import TimePlan, plan_times
from .video_camera import VideoCamera, camera_files, check_camera
from .visual_gyro import CameraRotation


class VideoConverter(Source):
    """Source of one sequence per video, or per person whose features were extracted before.

    Args:
        path (Path): A video, a folder of images, or a folder of these.
        job (FeatureJob): Settings of detection and features; ``people='all'`` needs
            ``observations``.
        camera (str): ``gyro``, ``static``, a file of :func:`.read_camera_poses`, or a folder of
            such files. Defaults to ``gyro``.
        focal (str, optional): See :func:`.intrinsics_of`; not with intrinsics in the camera files.
            Defaults to None.
        observations (Path, optional): Output folder of ``tools/dataset_converters/convert.py
            features``, from which boxes, keypoints and image features are read. Defaults to None.
        fps (float): Frames per second of folders of images. Defaults to 30.
        split (str): Split of the sequences. Defaults to ``train``.

    Raises:
        ConfigError: If an argument is invalid.
        MissingFilesError: If a named file or folder does not exist.
    """

    dataset, domain = 'video', 'real'

    def __init__(
        self,
        path: Path,
        job: FeatureJob,
        camera: str = 'gyro',
        focal: Optional[str] = None,
        observations: Optional[Path] = None,
        fps: float = FPS,
        split: str = 'train',
    ) -> None:
        super().__init__()
        self.path, self.job, self.camera, self.focal = Path(path), job, camera, focal
        self.observations, self.fps, self.split = observations, fps, split
        self.title = str(path)
        check_camera(camera, focal)
        if observations is not None and not observations.is_dir():
            raise MissingFilesError(
                f'the folder of observations {str(observations)!r} does not exist'
            )
        if observations is None and job.people == 'all':
            raise ConfigError(
                'people=all needs extracted features: run tools/dataset_converters/convert.py '
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
                    'tools/dataset_converters/convert.py features on the same folder'
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
        camera = VideoCamera(self.camera, self.focal, source, name)
        gyro = camera.gyro()
        if 'file' in info.facts:
            clip = PersonClip.load(info.facts['file'])
            if gyro is not None:
                detect(source, _KnownPerson(clip), gyro)
            plan = plan_times(source.seconds)
            _check_same(clip, source, plan, info.facts['file'])
        else:
            (clip,), plan = self.job.observe(source, name, gyro)
            self.job.add_features(clip, source)
        rotation = camera.rotation(plan, gyro)
        return self._arrays(clip, camera.K, rotation), self._meta(clip, name, source, rotation)

    # ---------------------------------------------------------------------------------------------

    def _job(self) -> dict[str, Any]:
        return {f'job_{key}': value for key, value in self.job.describe().items()}

    def _inputs(self, name: str) -> list[Path]:
        """Return the files that a sequence depends on, beside its video and observations."""
        job = self.job.files(name) if self.observations is None else []
        return [*job, *camera_files(self.camera, name)]

    @staticmethod
    def _arrays(clip: PersonClip, K: np.ndarray, rotation: CameraRotation) -> dict[str, Any]:
        arrays = clip.arrays()
        del arrays['frame_numbers']
        # Interpolated frames in short gaps keep some confidence and count as observed.
        arrays['observed'] = clip.kp2d[..., 2].any(axis=1)
        frames = clip.frames
        if rotation.T_w2c is not None:
            return dict(arrays, K_fullimg=K, T_w2c=rotation.T_w2c[frames])
        return dict(arrays, K_fullimg=K, R_w2c=rotation.R_w2c[frames])

    def _meta(
        self, clip: PersonClip, name: str, source: FrameSource, rotation: CameraRotation
    ) -> dict[str, Any]:
        facts = dict(clip.facts)
        facts['notes'] = [*facts.get('notes', []), *unused_positions(rotation)]
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


class _KnownPerson(Detector):
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
    same = clip.frames.stop <= len(plan)
    same = same and np.array_equal(plan.nearest[clip.frames], clip.frame_numbers)
    if clip.img_wh != source.img_wh or not same:
        raise DataError(
            f'{file} was made of another video than {source.path} (size or times of its frames): '
            'run tools/dataset_converters/convert.py features again'
        )
