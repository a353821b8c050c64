"""A walker in front of four made-up cameras, filmed and detected without errors."""

from types import SimpleNamespace

import numpy as np
import torch

from gvhmr_da_mm.body_models import SMPLXLight
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from gvhmr_da_mm.video.calibrated_views import View
from gvhmr_da_mm.video.detectors import Detections, boxes_around
from tests.datasets.mocap.recordings import walk
from tests.video.calibrated import make_views, write_calibration
from tests.video.videos import write_video

FRAMES = 60
SIZE = (96, 64)
Z_UP_TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


class Scene:
    """A folder of videos and their calibration, and the truth."""

    def __init__(self, folder, data_root):
        self.folder = folder
        scene = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
        poses, trans = (torch.from_numpy(x)[:FRAMES].float() for x in walk())
        trans[:, :2] -= trans[:, :2].mean(dim=0)
        self.orient = poses[:, :3]
        body = SMPLXLight(data_root)
        betas = torch.zeros(FRAMES, 10)
        self.joints = body(poses[:, 3:], betas, self.orient, trans).coco17.double().numpy()
        K = np.array([[60.0, 0, SIZE[0] / 2], [0, 60, SIZE[1] / 2], [0, 0, 1]])
        self.views = {
            view.name: View(view.name, K, view.R @ Z_UP_TO_Y_UP, view.t) for view in make_views()
        }
        write_calibration(folder / 'a.qca.txt', self.views.values())
        for name in self.views:
            write_video(folder / f'{name}.mp4', pictures=[scene] * FRAMES)

    def detector(self, keypoints, options, name, *video):
        """Replace ``build_detector``."""
        return Detector(self, self.views[name])

    def model(self):
        """Return a model that knows the truth."""
        return Truth(self)


class Detector:
    needs_images = True

    def __init__(self, scene, view):
        self.scene, self.view = scene, view

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def __call__(self, image, number):
        inside = self.view.to_camera(self.scene.joints[number])
        pixels, _ = self.view.project(self.scene.joints[number])
        keypoints = np.concatenate((pixels, np.ones((17, 1))), axis=1)[None]
        hips = inside[11:13].mean(axis=0)
        return Detections(boxes_around(keypoints)[0], keypoints, joints=(inside - hips)[None])


class Truth:
    """Returns the truth; the network alone has the right wrist at a wrong place."""

    def __init__(self, scene):
        self.scene = scene
        self.clips = []

    def predict(self, clip, stage):
        self.clips.append(clip)
        view = self.scene.views[clip.sequence]
        R = axis_angle_to_matrix(self.scene.orient.double())
        orient = dict(c=torch.from_numpy(view.R) @ R, w=torch.from_numpy(Z_UP_TO_Y_UP) @ R)
        instances = {
            f'global_orient_{space}': matrix_to_axis_angle(turn)[clip.start : clip.end]
            for space, turn in orient.items()
        }
        joints = torch.from_numpy(self.scene.joints)[clip.start : clip.end]
        spaces = dict(
            camera=torch.from_numpy(view.to_camera(joints.numpy())),
            world=joints @ torch.from_numpy(Z_UP_TO_Y_UP.T.copy()),
        )
        if stage == 'network':
            spaces['camera'] = spaces['camera'].clone()
            spaces['camera'][:, 10] += 0.12
        return SimpleNamespace(pred_instances=instances, spaces=spaces)

    def coco_joints(self, sample, space):
        return sample.spaces[space]
