"""From the frames of a video to what was observed of its people, at 30 frames per second."""

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
from .detectors import Detections
from .frame_source import FrameSource
from .person_clip import PersonClip
from .person_tracks import PersonTrack, choose_tracks, link_tracks
from .side_swaps import mend_sides
from .time_plan import TimePlan, plan_times
from .visual_gyro import VisualGyro

Progress = Callable[[Iterable], Iterable]
MAX_GUESS = 10
"""So many frames, a third of a second, from where a person was seen nothing is known of it."""
SMOOTHING = 3.0
"""Boxes are smoothed by a Gaussian of so many frames, as a jumping box looks like motion."""


def detect(
    source: FrameSource,
    detector: Any,
    plan: TimePlan,
    gyro: Optional[VisualGyro] = None,
    progress: Progress = iter,
) -> tuple[list[Detections], list[str]]:
    """Detect people in the frames that are needed, and show the same frames to a visual gyro.

    Args:
        source (FrameSource): The video.
        detector (Any): One of :mod:`.detectors`.
        plan (TimePlan): Which frames are needed.
        gyro (VisualGyro, optional): Measures the camera's rotation on the way. Defaults to None.
        progress (Callable): Wraps the loop, to show how far it is. Defaults to ``iter``.

    Returns:
        tuple[list[Detections], list[str]]: The people of each needed frame, and what failed.
    """
    frames: list[Detections] = []
    failures = []
    people = None
    is_cut = SceneCuts()
    numbers = plan.used.tolist()
    with_images = detector.needs_images or gyro is not None
    pictures = source.frames(numbers) if with_images else ((number, None) for number in numbers)
    for number, image in progress(pictures):
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
            found = found._replace(colours=colours, new_scene=is_cut(image))
        frames.append(found)
        if gyro is not None:
            # Where nobody is found now, the last place is left out.
            people = found.boxes if len(found.boxes) else people
            gyro.add(image, people)
    return frames, failures


def make_clips(
    source: FrameSource,
    plan: TimePlan,
    frames: list[Detections],
    people: str = 'largest',
    min_frames: int = 30,
    facts: Optional[dict] = None,
) -> list[PersonClip]:
    """Follow the people, choose among them and bring them to 30 frames per second.

    Args:
        source (FrameSource): The video.
        plan (TimePlan): As for :func:`detect`.
        frames (list[Detections]): What it returned.
        people (str): ``largest``, ``longest`` or ``all``. Defaults to ``largest``.
        min_frames (int): People seen in fewer frames of the video are left out. Defaults to 30.
        facts (dict, optional): What to note beside the clips.

    Returns:
        list[PersonClip]: One for each person; with ``all`` they are named ``{video}_{number}``.

    Raises:
        DataError: If there is nobody.
    """
    tracks = link_tracks(frames)
    chosen = choose_tracks(tracks, people, min_frames)
    if not chosen:
        seen = max((int(track.seen.sum()) for track in tracks), default=0)
        raise DataError(
            f'{source.path}: no person is seen in at least {min_frames} of its {len(frames)} '
            f'frames (at most in {seen})'
        )
    notes = list(source.notes)
    if len(tracks) > 1:
        lengths = ', '.join(str(int(track.seen.sum())) for track in tracks)
        notes.append(f'{len(tracks)} tracks of people ({lengths} frames); kept: {people}')
    clips = []
    for number, track in enumerate(chosen):
        name = f'{source.name}_{number}' if people == 'all' else source.name
        about = {**(facts or {}), 'notes': [*notes, *_track_notes(track, plan)]}
        keypoints, seen, sides = mend_sides(track.keypoints, track.seen)
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
                    f'left and right fell together in {collapsed} of {len(track)} frames: '
                    'interpolated'
                )
        clips.append(_clip(source, plan, track, name, about))
    return clips


def _track_notes(track: PersonTrack, plan: TimePlan) -> list[str]:
    """Say where a track was cut though its box could be followed."""
    if not track.end:
        return []
    last = int(plan.used[track.start + len(track) - 1])
    return [f'the track ends after frame {last}: {track.end}']


def _clip(
    source: FrameSource, plan: TimePlan, track: PersonTrack, name: str, facts: dict
) -> PersonClip:
    """Resample a track, whose frames are those of ``plan.used``."""
    place = np.searchsorted(plan.used, np.stack((plan.lower, plan.upper))) - track.start
    inside = ((place >= 0) & (place < len(track))).all(axis=0)
    wanted = np.flatnonzero(inside)
    own = TimePlan(*place[:, wanted], plan.weight[wanted], plan.missing[wanted])
    observed = own.both(track.seen)
    keypoints = own.interpolate(track.keypoints)
    keypoints[..., 2] *= certainty(observed)[:, None]
    boxes = box_from_xyxy(torch.from_numpy(own.interpolate(track.boxes)))
    boxes = gaussian_smooth(boxes, SMOOTHING, dim=0)
    return PersonClip(
        name=name,
        img_wh=source.img_wh,
        start=int(wanted[0]),
        bbx_xys=boxes.numpy().astype(np.float32),
        kp2d=keypoints.astype(np.float32),
        observed=observed,
        frame_numbers=plan.nearest[wanted],
        facts=facts,
    )


def certainty(observed: np.ndarray) -> np.ndarray:
    """Return by how much to multiply the confidence of interpolated frames (F,), 1 where observed.

    It falls with the distance from the next observed frame: a few missing frames do not take the
    body out of sight, and a long gap says nothing about what happens in it.

    Args:
        observed (np.ndarray): Mask (F,), bool; True somewhere.
    """
    distance = distance_transform_edt(~observed) if not observed.all() else np.zeros(len(observed))
    return np.clip(1 - distance / MAX_GUESS, 0, 1)


def observe(
    source: FrameSource,
    detector: Any,
    people: str = 'largest',
    min_frames: int = 30,
    gyro: Optional[VisualGyro] = None,
    facts: Optional[dict] = None,
    progress: Progress = iter,
) -> tuple[list[PersonClip], TimePlan]:
    """Run :func:`detect` and :func:`make_clips` on a whole video; arguments as theirs."""
    plan = plan_times(source.seconds)
    frames, failures = detect(source, detector, plan, gyro, progress)
    facts = {**(facts or {}), 'failures': failures}
    return make_clips(source, plan, frames, people, min_frames, facts), plan
