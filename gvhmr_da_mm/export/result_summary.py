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
    content = dict(
        video=None if result.video is None else str(result.video),
        size=list(result.size),
        frames=len(result),
        fps=result.fps,
        units=dict(length='m', angle='rad', image='px'),
        axes=dict(world='y up', camera='x right, y down, z forward'),
        camera=None,
        people={str(number): _person(person, joints) for number, person in result.people.items()},
        facts=result.facts,
    )
    if result.camera is not None:
        content['camera'] = dict(
            K=np.asarray(result.camera.K).tolist(),
            static=result.camera.static,
            source=result.camera.source,
            centres=_rounded(result.camera.centres),
        )
    if joints:
        content['joint_names'] = list(BODY_JOINT_NAMES)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + '\n')
    return path


def _person(person: PersonMotion, joints: bool) -> dict[str, Any]:
    steps = np.linalg.norm(np.diff(person.joints_w[:, 0], axis=0), axis=-1)
    summary = dict(
        first_frame=person.first_frame,
        last_frame=person.last_frame,
        coverage=round(person.coverage, DECIMALS),
        mean_confidence=round(float(person.confidence.mean()), DECIMALS),
        travelled=round(float(steps.sum()), DECIMALS),
        notes=person.notes,
        seen=person.seen.astype(int).tolist(),
        confidence=_rounded(person.confidence),
        root=_rounded(person.joints_w[:, 0]),
    )
    return dict(summary, joints=_rounded(person.joints_w)) if joints else summary


def _rounded(values: np.ndarray) -> list:
    return np.round(np.asarray(values, np.float64), DECIMALS).tolist()
