"""What is seen in a video before any motion is recovered."""

from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch

from ..datasets.clip import Clip
from .person_clip import PersonClip
from .view_observation import ViewObservation
from .visual_gyro import CameraRotation


@dataclass
class ObservedVideo:
    """People and camera of a video.

    Args:
        K (np.ndarray): Intrinsics (3, 3) in pixels.
        seen (ViewObservation): Detections of all frames.
        rotation (CameraRotation): Rotation of the camera, and its pose where that is known.
        people (list[PersonClip]): The people.
    """

    K: np.ndarray
    seen: ViewObservation
    rotation: CameraRotation
    people: list[PersonClip]

    def inputs(self, number: int, part: slice = slice(None)) -> Clip:
        """Return what the network sees of a person.

        Args:
            number (int): Index of the person.
            part (slice): Of the person's frames. Defaults to all.
        """
        clip, rotation = self.people[number], self.rotation
        start, stop, _ = part.indices(len(clip))
        part = slice(start, stop)
        frames = slice(clip.start + start, clip.start + stop)
        return Clip(
            sequence=clip.name,
            start=frames.start,
            end=frames.stop,
            img_wh=clip.img_wh,
            bbx_xys=torch.from_numpy(clip.bbx_xys[part]),
            K_fullimg=torch.from_numpy(self.K).float(),
            R_w2c=torch.from_numpy(rotation.R_w2c[frames]).float(),
            f_imgseq=_rows(clip.features, part),
            kp2d=torch.from_numpy(clip.kp2d[part]),
            static_camera=rotation.static,
            T_w2c=None if rotation.T_w2c is None else _rows(rotation.T_w2c, frames).float(),
            world_up=rotation.world_up,
            flip_f_imgseq=_rows(clip.flip_features, part),
            flip_bbx_xys=_rows(clip.flip_bbx_xys, part),
        )


def _rows(values: Optional[np.ndarray], rows: slice) -> Optional[torch.Tensor]:
    return None if values is None else torch.from_numpy(np.asarray(values[rows]))
