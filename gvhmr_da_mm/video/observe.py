"""Detection and tracking of the people of a video, resampled to 30 frames per second."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Optional

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from ..core.camera import box_from_xyxy
from ..core.errors import DataError
from ..core.filtering import gaussian_smooth
from .appearance import SceneCuts, torso_colours
from .detectors import Detections, KeypointFile
from .frame_source import FrameSource
from .person_clip import PersonClip
from .person_tracks import PersonTrack, choose_tracks, link_tracks
from .side_swaps import fix_side_errors
from .time_plan import TimePlan, plan_times
from .torso_size import no_person
from .visual_gyro import VisualGyro

Progress = Callable[[Iterable], Iterable]
MAX_INTERPOLATED_FRAMES = 10
"""Distance in frames from the nearest detection at which the confidence has fallen to 0."""
BOX_SMOOTHING_SIGMA = 3.0
"""Sigma in frames of the smoothing of boxes, as a jumping box looks like motion."""


def detect(
    source: FrameSource,
    detector: Any,
    gyro: Optional[VisualGyro] = None,
    progress: Progress = iter,
) -> tuple[list[Detections], list[str]]:
    """Detect people in the frames that :func:`plan_times` uses, and feed them to a visual gyro.

    A video whose times are not known yet is decoded once for all of this.

    Args:
        source (FrameSource): The video.
        detector (Any): A detector of :mod:`.detectors`.
        gyro (VisualGyro, optional): Measures the camera's rotation. Defaults to None.
        progress (Callable): Wraps the loop over frames. Defaults to ``iter``.

    Returns:
        tuple[list[Detections], list[str]]: The people of each used frame, and messages
        about frames that failed.
    """
    if not (detector.needs_images or gyro is not None):
        numbers = plan_times(source.seconds).used.tolist()
        pictures = ((number, None) for number in numbers)
        return _detect(progress(pictures), detector, None, with_images=False)[1:]
    read, *found = _detect(progress(source.planned_frames()), detector, gyro)
    if read != plan_times(source.seconds).used.tolist():
        # The times in the file cannot be used: others are known now.
        if gyro is not None:
            gyro.restart()
        _, *found = _detect(progress(source.planned_frames()), detector, gyro)
    return tuple(found)


def _detect(
    pictures: Iterable[tuple[int, Optional[np.ndarray]]],
    detector: Any,
    gyro: Optional[VisualGyro],
    with_images: bool = True,
) -> tuple[list[int], list[Detections], list[str]]:
    """Return the numbers of the frames, and the results of :func:`detect`."""
    numbers: list[int] = []
    frames: list[Detections] = []
    failures = []
    people = None
    scene_cuts = SceneCuts()
    for number, image in pictures:
        numbers.append(number)
        if image is None and with_images:
            failures.append(f'frame {number} cannot be decoded')
        found = Detections.none()
        if image is not None or not with_images:
            try:
                found = detector(image, number)
            except (RuntimeError, ValueError) as error:
                failures.append(f'frame {number}: the detector failed ({error})')
        if image is not None:
            colours = torso_colours(image, found.keypoints)
            change = scene_cuts(image)
            found = found._replace(
                colours=colours, new_scene=change.sure, maybe_new_scene=change.possible
            )
        frames.append(found)
        if gyro is not None:
            # If nobody is detected now, the last boxes are masked.
            people = found.boxes if len(found.boxes) else people
            gyro.add(image, people, found.new_scene)
    return numbers, frames, failures


def make_clips(
    source: FrameSource,
    plan: TimePlan,
    frames: list[Detections],
    people: str = 'largest',
    min_frames: int = 30,
    facts: Optional[dict] = None,
) -> list[PersonClip]:
    """Link detections to tracks, choose among them and resample them to 30 frames per second.

    Long tracks that show no person are left out, see :func:`.no_person`; ``left_out`` of the facts,
    and notes, say so.

    Args:
        source (FrameSource): The video.
        plan (TimePlan): Resampling of the video.
        frames (list[Detections]): Detections of the used frames.
        people (str): ``largest``, ``longest`` or ``all``. Defaults to ``largest``.
        min_frames (int): People detected in fewer frames of the video are dropped. Defaults to 30.
        facts (dict, optional): Facts to store with the clips; ``failures`` are messages about
            frames that failed. Defaults to None.

    Returns:
        list[PersonClip]: One per person; with ``all`` they are named ``{video}_{number}``.

    Raises:
        DataError: If no person is detected long enough.
    """
    tracks, left_out = _tracks_of_people(link_tracks(frames), plan, source.seconds, min_frames)
    chosen = choose_tracks(tracks, people, min_frames)
    if not chosen:
        seen = max((int(track.seen.sum()) for track in tracks), default=0)
        message = (
            f'{source.path}: no person is seen in at least {min_frames} of its {len(frames)} '
            f'frames (at most in {seen})'
        )
        if seen:
            message += ': give a longer video, or a smaller `min_frames`'
        failures = (facts or {}).get('failures', [])
        if failures:
            left_out = [*left_out, f'{len(failures)} frames failed, the first one: {failures[0]}']
        raise DataError('; '.join([message, *left_out]))
    notes = [*source.notes, *left_out]
    if len(tracks) > 1:
        lengths = ', '.join(str(int(track.seen.sum())) for track in tracks)
        notes.append(f'{len(tracks)} tracks of people ({lengths} frames); kept: {people}')
    clips = []
    for number, track in enumerate(chosen):
        name = f'{source.name}_{number}' if people == 'all' else source.name
        about = {**(facts or {}), 'notes': [*notes, *_track_notes(track, plan)]}
        if left_out:
            about['left_out'] = left_out
        keypoints, seen, sides = fix_side_errors(track.keypoints, track.seen)
        if sides.swapped.any() or sides.collapsed.any():
            track = replace(track, keypoints=keypoints, seen=seen)
            swapped, collapsed = int(sides.swapped.sum()), int(sides.collapsed.sum())
            about.update(swapped_frames=swapped, collapsed_frames=collapsed)
            if swapped:
                about['notes'].append(
                    f'left and right were swapped in {swapped} of {len(track)} frames: exchanged'
                )
            if collapsed:
                about['notes'].append(
                    f'left and right coincided in {collapsed} of {len(track)} frames: interpolated'
                )
        clips.append(_clip(source, plan, track, name, about))
    return clips


def _tracks_of_people(
    tracks: list[PersonTrack], plan: TimePlan, seconds: np.ndarray, min_frames: int
) -> tuple[list[PersonTrack], list[str]]:
    """Return the tracks without long ones that show no person, and messages about these."""
    kept, left_out = [], []
    for track in tracks:
        reason = no_person(track, seconds[plan.used]) if track.seen.sum() >= min_frames else ''
        if reason:
            first, last = plan.used[[track.start, track.start + len(track) - 1]]
            left_out.append(f'what is seen in frames {first} to {last} is no person: {reason}')
        else:
            kept.append(track)
    return kept, left_out


def _track_notes(track: PersonTrack, plan: TimePlan) -> list[str]:
    """Return a note on a track that was ended though its box could be followed."""
    if not track.end:
        return []
    last = int(plan.used[track.start + len(track) - 1])
    return [f'the track ends after frame {last}: {track.end}']


def _clip(
    source: FrameSource, plan: TimePlan, track: PersonTrack, name: str, facts: dict
) -> PersonClip:
    """Resample a track over the frames of ``plan.used``."""
    place = np.searchsorted(plan.used, np.stack((plan.lower, plan.upper))) - track.start
    inside = ((place >= 0) & (place < len(track))).all(axis=0)
    wanted = np.flatnonzero(inside)
    own = TimePlan(*place[:, wanted], plan.weight[wanted], plan.missing[wanted])
    observed = own.both(track.seen)
    keypoints = own.interpolate(track.keypoints)
    keypoints[..., 2] *= confidence_scale(observed)[:, None]
    boxes = box_from_xyxy(torch.from_numpy(own.interpolate(track.boxes)))
    boxes = gaussian_smooth(boxes, BOX_SMOOTHING_SIGMA, dim=0)
    return PersonClip(
        name=name,
        img_wh=source.img_wh,
        start=int(wanted[0]),
        bbx_xys=boxes.numpy().astype(np.float32),
        kp2d=keypoints.astype(np.float32),
        observed=observed,
        scene=track.scene,
        frame_numbers=plan.nearest[wanted],
        facts=facts,
    )


def confidence_scale(observed: np.ndarray) -> np.ndarray:
    """Return the factor of the keypoint confidence of each frame (F,), 1 where observed.

    It falls linearly with the distance from the nearest observed frame: interpolation is good in
    short gaps, and carries no information in long ones.

    Args:
        observed (np.ndarray): Mask (F,), bool, with at least one True.
    """
    distance = distance_transform_edt(~observed) if not observed.all() else np.zeros(len(observed))
    return np.clip(1 - distance / MAX_INTERPOLATED_FRAMES, 0, 1)


def observe(
    source: FrameSource,
    detector: Any,
    people: str = 'largest',
    min_frames: int = 30,
    gyro: Optional[VisualGyro] = None,
    facts: Optional[dict] = None,
    progress: Progress = iter,
) -> tuple[list[PersonClip], TimePlan]:
    """Run :func:`detect` and :func:`make_clips` on a video; see there for the arguments."""
    frames, failures = detect(source, detector, gyro, progress)
    if isinstance(detector, KeypointFile):
        detector.check_length(len(source))
    plan = plan_times(source.seconds)
    facts = {**(facts or {}), 'failures': failures}
    return make_clips(source, plan, frames, people, min_frames, facts), plan
