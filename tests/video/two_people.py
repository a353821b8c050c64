"""Two people of the demo who walk past one another, with known motions and camera."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.boxes import box_overlap
from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.extrinsics import look_at, rigid_transform
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, rotation_about_axis
from gvhmr_da_mm.demo import DomainShift
from gvhmr_da_mm.demo.body import StandInBody
from gvhmr_da_mm.demo.body.posed_body import PosedBody
from gvhmr_da_mm.demo.cameras import intrinsics
from gvhmr_da_mm.demo.motions import embedded_takes
from gvhmr_da_mm.demo.motions.performance import Performance, perform, random_betas
from gvhmr_da_mm.demo.noise import slow_noise
from gvhmr_da_mm.demo.studio import Studio
from gvhmr_da_mm.video.appearance import torso_colours
from gvhmr_da_mm.video.detectors import Detections, boxes_around
from gvhmr_da_mm.video.one_world import SeenMotion
from gvhmr_da_mm.visualization.rasterizer import draw_mesh
from gvhmr_da_mm.visualization.view_camera import ViewCamera

IMG_WH = (480, 270)
K = intrinsics(*IMG_WH, 450.0)
FRAMES = 100
DISTANCES = (5.0, 6.5)
"""Distances of the people's ways from the camera, m."""
COLOURS = ((200, 60, 50), (60, 90, 200))
MAX_VISIBLE_OVERLAP = 0.25
"""The farther person is not detected where the boxes overlap by more."""


@dataclass(frozen=True)
class TwoPeople:
    """Two performances in one world, and the camera (F, 4, 4)."""

    performances: list[Performance]
    T_w2c: Tensor

    def joints_w(self, person: int) -> Tensor:
        """True joints (F, 22, 3)."""
        p = self.performances[person]
        return studio().smplx(p.body_pose, p.betas, p.global_orient, p.transl)[0][:, :22]

    def distance(self) -> Tensor:
        """True distance (F,) of the pelvises."""
        return (self.joints_w(0)[:, 0] - self.joints_w(1)[:, 0]).norm(dim=-1)

    def motion(
        self, person: int, noise: float = 0.0, heading: float = 0.0, seed: int = 0
    ) -> SeenMotion:
        """What a method recovers: a world of its own, which drifts, and wrong depths.

        Args:
            noise (float): 1 for a depth that is wrong by 5 % in slow waves and 3 % throughout, a
                path that drifts by 20 cm, and a tilt of 2 degrees.
            heading (float): Heading of the own world, radians.
            seed (int): Seed of the noise.
        """
        p, frames = self.performances[person], len(self.T_w2c)
        rng = np.random.default_rng([seed, person])
        orient_c, transl_c = transform_smpl(p.global_orient, p.transl, self.T_w2c, p.root_offset)
        depth = 0.05 * slow_noise(frames, (1,), 8.0, rng) + 0.03 * rng.normal()
        drift = torch.linspace(0, 0.2, frames)[:, None] * torch.tensor([1.0, 0, 0])
        turn = rotation_about_axis('y', torch.tensor(heading))
        tilt = rotation_about_axis('z', torch.tensor(np.radians(2) * noise * rng.normal()).float())
        joints = self.joints_w(person) @ turn.mT + noise * drift[:, None]
        return SeenMotion(
            start=0,
            seen=torch.ones(frames, dtype=torch.bool),
            R_c=axis_angle_to_matrix(orient_c),
            pelvis_c=(transl_c + p.root_offset) * (1 + noise * depth),
            R_w=tilt @ turn @ axis_angle_to_matrix(p.global_orient),
            joints_w=joints - joints[:1, :1],
            contacts=torch.zeros(frames, 6, dtype=torch.bool),
        )

    def pictures(self, colours=COLOURS) -> list[np.ndarray]:
        """RGB pictures (H, W, 3), uint8, of both on grey, the nearer one in front."""
        drawn, model = [], studio().body.smplx
        body = PosedBody(model, 'neutral', np.arange(len(model.template)))
        meshes = [body(p.body_pose, p.betas, p.global_orient, p.transl)[1].numpy()
                  for p in self.performances]  # fmt: skip
        for frame, T in enumerate(self.T_w2c.numpy()):
            camera = ViewCamera(K.numpy(), *IMG_WH, T[:3, :3], T[:3, 3])
            picture = np.full((IMG_WH[1], IMG_WH[0], 3), 128, np.uint8)
            for mesh, colour in ((meshes[1], colours[1]), (meshes[0], colours[0])):
                draw_mesh(picture, mesh[frame], model.faces, camera, colour)
            drawn.append(picture)
        return drawn

    def keypoints(self) -> np.ndarray:
        """Keypoints (2, F, 17, 3) of a detector with little noise, as if nobody were hidden."""
        rng = np.random.default_rng(2)
        boxes = torch.full((len(self.T_w2c), 3), 150.0)
        found = []
        for p in self.performances:
            labels = studio().smpl_labels(p, 'male', rng)
            found.append(studio().keypoints(labels, 'male', self.T_w2c, K, boxes, IMG_WH, rng))
        return torch.stack(found).double().numpy()

    def detections(self, colours=COLOURS) -> list[Detections]:
        """What a detector finds in the pictures, in changing order; hidden people are missing."""
        frames, rng = [], np.random.default_rng(3)
        for picture, people in zip(self.pictures(colours), self.keypoints().transpose(1, 0, 2, 3)):
            boxes, _ = boxes_around(people)
            hidden = box_overlap(boxes[:1], boxes[1:])[0, 0] > MAX_VISIBLE_OVERLAP
            order = [0] if hidden else rng.permutation(2)
            found = Detections(boxes[order], people[order])
            frames.append(found._replace(colours=torso_colours(picture, found.keypoints)))
        return frames


@lru_cache(maxsize=1)
def studio() -> Studio:
    return Studio(0, DomainShift.of(0.0), StandInBody())


@lru_cache(maxsize=4)
def two_people(camera: str = 'static') -> TwoPeople:
    """Two people who walk past one another; the camera is static, pans or moves sideways."""
    rng = np.random.default_rng(5)
    performances = []
    for sign, depth in zip((1, -1), DISTANCES):
        p = perform(embedded_takes('walk'), FRAMES, random_betas(rng), studio().smplx, rng)
        way = (p.pelvis[-1] - p.pelvis[0]) * sign
        turn = rotation_about_axis('y', torch.atan2(way[2], way[0]))
        T = rigid_transform(turn, torch.zeros(3)).expand(FRAMES, 4, 4)
        orient, transl = transform_smpl(p.global_orient, p.transl, T, p.root_offset)
        p = replace(p, global_orient=orient, transl=transl)
        middle = p.pelvis[FRAMES // 2] * torch.tensor([1.0, 0.0, 1.0])
        performances.append(p.move(torch.tensor([0.0, 0.0, -depth]) - middle))
    time = torch.linspace(-1, 1, FRAMES)
    zero = torch.zeros(FRAMES)
    aim = torch.stack((time * (camera == 'pan'), zero + 1.0, zero - DISTANCES[0]), dim=-1)
    place = torch.stack((time * (camera == 'moving'), zero + 1.6, zero), dim=-1)
    return TwoPeople(performances, look_at(place, aim))
