"""Recovery of the motion of all people of a video."""

import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Optional

import numpy as np
from mmengine.logging import print_log

from ...body_models import get_body_model
from ...core.errors import DataError
from ...datasets.clip import Clip
from ...datasets.sources import signature_of
from ...structures import (
    CameraMotion,
    MotionDump,
    MotionResult,
    PersonMotion,
    read_motion_dump,
    write_motion_dump,
)
from ...video.camera_track import unused_positions
from ...video.detectors import build_detector
from ...video.frame_source import FrameSource
from ...video.observe import make_clips
from ...video.observed_video import ObservedVideo
from ...video.person_clip import PersonClip
from ...video.stage_clock import StageClock
from ...video.video_camera import VideoCamera
from ...video.view_observation import ViewObservation, observe_video
from ...video.visual_gyro import CameraRotation
from ..keypoint_model import KeypointModel
from .frame_confidence import frame_confidence
from .kept_stages import KeptStages
from .known_facts import gravity_doubts, in_given_world, on_floor, with_height
from .one_scene import place_people, scene_starts
from .settings import RecoverySettings


class VideoRecovery:
    """Find the people of a video, recover their motion, and place them in one world.

    Args:
        model (KeypointModel): The network, with its fit.
        settings (RecoverySettings): What is known, and how people are found.
        facts (Mapping): Facts about the model, stored with the results.
        signature (str): Of the model, for stages that are kept.
        data_root (Path, optional): Folder of the body models. Defaults to None: the data root of
            the environment.
    """

    def __init__(
        self,
        model: KeypointModel,
        settings: RecoverySettings,
        facts: Mapping[str, Any],
        signature: str,
        data_root: Optional[Path] = None,
    ) -> None:
        self.model, self.settings, self.facts = model, settings, facts
        self.signature, self.data_root = signature, data_root

    def __call__(
        self,
        source: FrameSource,
        name: str,
        kept: Optional[KeptStages] = None,
        clock: Optional[StageClock] = None,
    ) -> MotionResult:
        """Recover the motion of a video.

        Args:
            source (FrameSource): Its frames.
            name (str): Its name, for files of keypoints and cameras in a folder.
            kept (KeptStages, optional): Folders of the results of stages, which are used again for
                an unchanged video and settings. Defaults to None: none is kept.
            clock (StageClock, optional): Measures the stages. Defaults to None.

        Raises:
            DataError: If the video cannot be read, or shows nobody long enough.
        """
        clock = clock or StageClock()
        video = self.observe(source, name, kept, clock)
        seen, rotation = video.seen, video.rotation
        of_video = _common_notes(source, video.people)
        signature = self._signature(source, name)
        people = []
        for number, clip in enumerate(video.people):
            dump = self._predict(video.inputs(number), number, signature, kept, clock)
            people.append(self._person(number, clip, dump, rotation, of_video))
        with clock.measure('world'):
            starts = scene_starts(people, seen.cuts())
            people, T_w2c = self._one_world(people, rotation, starts)
        motion = CameraMotion(video.K, T_w2c, rotation.static, self.settings.camera)
        return MotionResult(
            people={person.id: person for person in people},
            size=source.img_wh,
            num_frames=len(seen.plan),
            camera=motion,
            video=source.path,
            data_root=self.data_root,
            facts=dict(
                self.facts,
                signature=signature,
                settings=self.settings.recovery(),
                cuts=starts[1:],
                notes=[
                    *of_video,
                    *_scene_notes(starts),
                    *self.settings.unknown_people(range(len(people))),
                    *unused_positions(rotation),
                    *seen.failures,
                ],
            ),
        )

    def observe(
        self, source: FrameSource, name: str, kept: Optional[KeptStages], clock: StageClock
    ) -> ObservedVideo:
        """Find the people of a video, and measure its camera.

        Args:
            source (FrameSource): Frames of the video.
            name (str): Name of the video.
            kept (KeptStages, optional): Stages that are finished. None: nothing is kept.
            clock (StageClock): Measures the stages.

        Returns:
            ObservedVideo: Its people and its camera.
        """
        camera = VideoCamera(self.settings.camera, self.settings.focal, source, name)
        seen, rotation = self._observe(source, name, camera, kept, clock)
        return ObservedVideo(camera.K, seen, rotation, self._clips(source, seen, kept, clock))

    def _observe(
        self,
        source: FrameSource,
        name: str,
        camera: VideoCamera,
        kept: Optional[KeptStages],
        clock: StageClock,
    ) -> tuple[ViewObservation, CameraRotation]:
        """Detect people, and measure the rotation of the camera if it is unknown."""
        job, gyro = self.settings.job, camera.gyro()
        everybody = job.people == 'all'
        if gyro is not None:
            gyro.add = clock.timed('gyro', gyro.add)
        signature = self.settings.observation_signature(source, name)
        # Frames in memory have no file by which they could be recognised.
        file = kept.observations / f'{signature}.npz' if kept and source.files else None
        decoded = False

        def decode(frames: Iterable) -> Iterable:
            nonlocal decoded
            decoded = True
            return clock.iterate('decode', frames, source.num_stated, shown='detect')

        with clock.measure('detect'):
            seen = observe_video(
                source,
                partial(
                    build_detector, job.keypoints, job.detector, name, source.img_wh, everybody
                ),
                gyro,
                file,
                signature,
                decode,
            )
        if not decoded:
            clock.reuse('detect')
            print_log(f'{name}: observed before, read from {file}', 'current', logging.INFO)
        if gyro is not None:
            return seen, seen.rotation
        return seen, camera.rotation(seen.plan, None)

    def _clips(
        self,
        source: FrameSource,
        seen: ViewObservation,
        kept: Optional[KeptStages],
        clock: StageClock,
    ) -> list[PersonClip]:
        """Return the people, with image features if there are weights for them."""
        job = self.settings.job
        facts = dict(failures=seen.failures)
        clips = make_clips(source, seen.plan, seen.frames, job.people, job.min_frames, facts)
        for number, clip in enumerate(clips if job.checkpoint else ()):
            partial_file = None if kept is None else kept.video / f'features_{number}.npz'
            with clock.measure('features'):
                job.add_features(
                    clip, source, partial_file, lambda frames: clock.iterate('features', frames)
                )
        return clips

    def _predict(
        self,
        inputs: Clip,
        number: int,
        signature: str,
        kept: Optional[KeptStages],
        clock: StageClock,
    ) -> MotionDump:
        """Predict a person, or read what was predicted before."""
        file = None if kept is None else kept.video / f'person_{number}.npz'
        if file is not None:
            dump = _read(file, signature)
            if dump is not None:
                clock.reuse('network')
                return dump
        # A given world comes last: what the network says of gravity is compared with it.
        inputs = replace(inputs, T_w2c=None)
        with clock.measure('network'):
            sample = self.model.predict(inputs, 'fitted' if self.settings.fit else 'network', clock)
            coco = self.model.coco_joints(sample, 'camera')
            found = sample.pred_instances
            found.confidence = frame_confidence(coco, found.body_pose, inputs, self.model.critic)
        sample.set_metainfo(dict(signature=signature))
        dump = MotionDump(sample, dict(kp2d=inputs.kp2d, bbx_xys=inputs.bbx_xys))
        if file is not None:
            write_motion_dump(file, sample.to_dict(), dump.inputs)
        return dump

    def _person(
        self,
        number: int,
        clip: PersonClip,
        dump: MotionDump,
        rotation: CameraRotation,
        of_video: list[str],
    ) -> PersonMotion:
        """Return a person with what is known about it, and notes but those of the video."""
        person = PersonMotion.from_prediction(
            dump.sample.pred_instances,
            id=number,
            first_frame=clip.start,
            scene=clip.scene,
            seen=clip.observed,
            keypoints=clip.kp2d,
            bbx_xys=clip.bbx_xys,
            notes=[note for note in clip.facts['notes'] if note not in of_video],
        )
        height = self.settings.height_of(number)
        if height is not None:
            person = with_height(person, height, get_body_model('smplx', data_root=self.data_root))
        if rotation.T_w2c is not None:
            given = rotation.T_w2c[clip.frames]
            person.notes.extend(gravity_doubts(person, given))
            person = in_given_world(person, given)
        floor = self.settings.floor
        if floor == 'flat' or (floor == 'steps' and rotation.T_w2c is None):
            person = on_floor(person, flat=floor == 'flat')
        return person

    def _one_world(
        self, people: list[PersonMotion], rotation: CameraRotation, starts: list[int]
    ) -> tuple[list[PersonMotion], np.ndarray]:
        if rotation.T_w2c is not None:
            return people, rotation.T_w2c
        return place_people(people, rotation.R_w2c, rotation.static, starts)

    def _signature(self, source: FrameSource, name: str) -> str:
        """Return a digest of all that the motion depends on."""
        # Frames in memory have no file by which they could be recognised.
        unique = None if source.files else secrets.token_hex()
        files = [*source.files, *self.settings.files(name)]
        return signature_of(files, unique=unique, model=self.signature, **self.settings.recovery())


def _common_notes(source: FrameSource, clips: list[PersonClip]) -> list[str]:
    """Return messages about the whole video, which the clips of all people have."""
    several = clips[0].facts['notes']
    if len(clips) == 1:
        several = [*source.notes, *clips[0].facts.get('left_out', ())]
    return [note for note in several if all(note in clip.facts['notes'] for clip in clips)]


def _scene_notes(starts: list[int]) -> list[str]:
    several = len(starts) > 1
    return [f'{len(starts)} scenes with people: each has a world of its own'] if several else []


def _read(file: Path, signature: str) -> Optional[MotionDump]:
    """Return a kept prediction of this signature."""
    try:
        dump = read_motion_dump(file)
    except (DataError, FileNotFoundError):
        return None  # It is made again.
    return dump if dump.sample.get('signature') == signature else None
