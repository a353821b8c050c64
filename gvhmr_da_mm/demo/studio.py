"""Simulated recording of performances, shared by the writers of the packs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.layout import NUM_JOINTS, SMPL_BODY_POSE

from .body.posed_body import PosedBody
from .body.shape_space import gendered_betas, neutral_betas
from .body.stand_in_body import StandInBody
from .domain_shift import DomainShift
from .motions import EmbeddedMotions, RecordedMotions
from .motions.performance import Performance, perform, random_betas
from .noise import white_noise
from .observations import (
    ImageNetwork,
    NoiseModel,
    camera_tilt,
    detect_box,
    detect_keypoints,
    mirror_box,
    mirror_joints,
)

DOMAIN_SEEDS = {'bedlam': 1, 'emdb': 2, '3dpw': 3}
GENDERED_BETA_LIMIT = 1.8
HAND_NOISE = 0.02


@dataclass(frozen=True)
class Footage:
    """Observations of one performance.

    Note:
        Shape letters: F frames, D feature size.

    Args:
        global_orient_c (Tensor): Axis-angle in the camera (F, 3).
        transl_c (Tensor): SMPL-X translation in the camera (F, 3).
        joints_c (Tensor): Camera-space body joints (F, 22, 3).
        bbx_xys (Tensor): Boxes (F, 3).
        features (Tensor): Image features (F, D).
        flip_bbx_xys (Tensor): Boxes in the mirrored image (F, 3).
        flip_features (Tensor): Features of the mirrored image (F, D).
    """

    global_orient_c: Tensor
    transl_c: Tensor
    joints_c: Tensor
    bbx_xys: Tensor
    features: Tensor
    flip_bbx_xys: Tensor
    flip_features: Tensor


class Studio:
    """Maker of performances and their observations.

    Args:
        seed (int): Seed of all packs.
        shift (DomainShift): Gap between the synthetic and the real domain.
        body (StandInBody): Body models of the people.
        motions (RecordedMotions, optional): Their motions. Defaults to the embedded clips.
    """

    def __init__(
        self,
        seed: int,
        shift: DomainShift,
        body: StandInBody,
        motions: Optional[RecordedMotions] = None,
    ) -> None:
        self.seed, self.shift, self.body = seed, shift, body
        self.motions = motions or EmbeddedMotions(shift.motions)
        self.network = ImageNetwork()
        self.smplx = PosedBody(body.smplx, 'neutral', body.verts437)
        used = np.unique(body.coco17.tocoo().col)
        self.coco = torch.from_numpy(body.coco17[:, used].toarray()).float()
        self.smpl = {gender: PosedBody(body.smpl, gender, used) for gender in ('male', 'female')}

    def rng(self, domain: str, *key: int) -> np.random.Generator:
        """Return the random source of one clip, independent of all other clips."""
        return np.random.default_rng([self.seed, DOMAIN_SEEDS[domain], *key])

    def synthetic_performance(self, frames: int, rng: np.random.Generator) -> Performance:
        """Return a performance of the synthetic domain by a random person."""
        takes = self.motions.synthetic(frames, rng)
        return perform(takes, frames, random_betas(rng), self.smplx, rng)

    def real_performance(
        self, usual: tuple, is_test: bool, frames: int, gender: str, rng: np.random.Generator
    ) -> Performance:
        """Return a performance of the real domain.

        Args:
            usual (tuple[str]): Synthetic motions that suit the sequence's name; empty for any.
            is_test (bool): Whether it is for a test clip; otherwise for an unlabelled one.
            frames (int): Length F.
            gender (str): ``'male'`` or ``'female'``.
            rng (Generator): Source of all randomness.
        """
        takes = self.motions.real(usual, is_test, frames, rng)
        betas = random_betas(rng).double().numpy()
        # Labels carry gendered betas: keep those in the range of real ones.
        limited = gendered_betas(betas, gender).clip(-GENDERED_BETA_LIMIT, GENDERED_BETA_LIMIT)
        return perform(takes, frames, self.neutral(limited, gender), self.smplx, rng)

    @staticmethod
    def neutral(betas: np.ndarray, gender: str) -> Tensor:
        """Convert gendered betas (10,) to neutral ones."""
        return torch.from_numpy(neutral_betas(betas, gender)).float()

    def film(
        self,
        performance: Performance,
        T_w2c: Tensor,
        K: Tensor,
        width: int,
        strength: DomainShift,
        rng: np.random.Generator,
    ) -> Footage:
        """Simulate the observations of a performance.

        Args:
            performance (Performance): The motion in a y-up world.
            T_w2c (Tensor): Cameras (F, 4, 4).
            K (Tensor): Intrinsics (3, 3).
            width (int): Image width in pixels.
            strength (DomainShift): Shift of this domain; all zero for the synthetic one.
            rng (Generator): Source of all randomness.
        """
        orient, transl = transform_smpl(
            performance.global_orient, performance.transl, T_w2c, performance.root_offset
        )
        joints, vertices = self.smplx(performance.body_pose, performance.betas, orient, transl)
        joints = joints[:, :NUM_JOINTS]
        box = detect_box(vertices, K, NoiseModel.of(strength.keypoints), rng)
        tilt = camera_tilt(T_w2c[:, :3, :3])
        flipped_tilt = tilt * torch.tensor([-1.0, 1.0])
        features = self.network(joints, tilt, strength.features, rng)
        flipped = self.network(mirror_joints(joints), flipped_tilt, strength.features, rng)
        return Footage(orient, transl, joints, box, features, mirror_box(box, width), flipped)

    def smpl_labels(
        self, performance: Performance, gender: str, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Convert a performance to gendered SMPL in its world, the labels of EMDB and 3DPW."""
        frames = len(performance.transl)
        hands = SMPL_BODY_POSE - performance.body_pose.shape[-1]
        noise = white_noise((frames, hands), rng) * HAND_NOISE
        betas = gendered_betas(performance.betas.double().numpy(), gender)
        betas = torch.from_numpy(betas).float()
        root = self.smpl[gender].skeleton(betas)[0]
        return {
            'body_pose': torch.cat((performance.body_pose, noise), dim=-1),
            'betas': betas.expand(frames, -1).contiguous(),
            'global_orient': performance.global_orient.clone(),
            'transl': performance.pelvis - root,
        }

    def keypoints(
        self,
        labels: dict[str, Tensor],
        gender: str,
        T_w2c: Tensor,
        K: Tensor,
        bbx_xys: Tensor,
        img_wh: tuple[int, int],
        rng: np.random.Generator,
    ) -> Tensor:
        """Simulate the detected keypoints (F, 17, 3) of gendered SMPL labels in the world."""
        body, betas = self.smpl[gender], labels['betas'][0]
        orient, transl = transform_smpl(
            labels['global_orient'], labels['transl'], T_w2c, body.skeleton(betas)[0]
        )
        _, vertices = body(labels['body_pose'], betas, orient, transl)
        noise = NoiseModel.of(self.shift.keypoints)
        return detect_keypoints(self.coco @ vertices, K, bbx_xys, img_wh, noise, rng)


def good_frames(frames: int, rng: np.random.Generator) -> Tensor:
    """Draw a mask (F,) of good frames; half of the clips have up to 15 % of bad ones."""
    mask = torch.ones(frames, dtype=torch.bool)
    if rng.random() < 0.5:
        length = int(rng.integers(3, max(4, int(0.15 * frames))))
        start = int(rng.integers(frames - length))
        mask[start : start + length] = False
    return mask


def save(content: Any, path: Path) -> None:
    """Write a ``.pt`` file and create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
