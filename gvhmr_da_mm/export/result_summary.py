"""Summary of a result as JSON, for people and scripts."""

import json
from pathlib import Path
from typing import Any, Union

import numpy as np

from ..core.conventions import BODY_JOINT_NAMES
from ..fileio.atomic_file import write_atomically
from ..structures import MotionResult, PersonMotion

DECIMALS = 4
"""Of lengths in metres: a tenth of a millimetre."""


def write_result_summary(
    path: Union[str, Path], result: MotionResult, joints: bool = False
) -> Path:
    """Write the people, their coverage and confidence, the camera and the facts.

    Args:
        path (str | Path): The JSON file; its folder is created.
        result (MotionResult): Of a video.
        joints (bool): Whether the joints of all frames are written too. Defaults to False.

    Returns:
        Path: The file.
    """
    content = describe_result(result)
    if result.camera is not None:
        content['camera']['centres'] = _rounded(result.camera.centres)
    for number, person in result.people.items():
        content['people'][str(number)].update(_frames(person, joints))
    if joints:
        content['joint_names'] = list(BODY_JOINT_NAMES)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + '\n')
    return path


def describe_result(result: MotionResult) -> dict[str, Any]:
    """Return what a summary says of the whole video and of each person, without frames.

    Args:
        result (MotionResult): Of a video.
    """
    camera = result.camera
    return dict(
        video=None if result.video is None else str(result.video),
        size=list(result.size),
        frames=len(result),
        fps=result.fps,
        units=dict(length='m', angle='rad', image='px'),
        axes=dict(world='y up', camera='x right, y down, z forward'),
        camera=camera
        and dict(K=np.asarray(camera.K).tolist(), static=camera.static, source=camera.source),
        people={str(number): _person(person) for number, person in result.people.items()},
        facts=result.facts,
    )


def _person(person: PersonMotion) -> dict[str, Any]:
    steps = np.linalg.norm(np.diff(person.joints_w[:, 0], axis=0), axis=-1)
    return dict(
        first_frame=person.first_frame,
        last_frame=person.last_frame,
        coverage=round(person.coverage, DECIMALS),
        mean_confidence=round(float(person.confidence.mean()), DECIMALS),
        travelled=round(float(steps.sum()), DECIMALS),
        notes=person.notes,
    )


def _frames(person: PersonMotion, joints: bool) -> dict[str, Any]:
    frames = dict(
        seen=person.seen.astype(int).tolist(),
        confidence=_rounded(person.confidence),
        root=_rounded(person.joints_w[:, 0]),
    )
    return dict(frames, joints=_rounded(person.joints_w)) if joints else frames


def _rounded(values: np.ndarray) -> list:
    return np.round(np.asarray(values, np.float64), DECIMALS).tolist()
