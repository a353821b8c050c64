"""Miniature packs of H36M and AMASS, which the demo does not write."""

import numpy as np
import torch

from gvhmr_da_mm.demo.body import StandInBody
from gvhmr_da_mm.demo.cameras import camera_trajectory, intrinsics
from gvhmr_da_mm.demo.domain_shift import DomainShift
from gvhmr_da_mm.demo.motions import embedded_takes, perform
from gvhmr_da_mm.demo.studio import Studio
from tests.datasets.mocap.recordings import walk
from tests.datasets.packs import save

H36M = 'H36M/hmr4d_support'
AMASS = 'AMASS/hmr4d_support'
TAKES = ('S1_Walking', 'S5_Eating')
CAMERAS = ('54138969', '60457274')
IMG_WH = (1000, 1002)
FRAMES = 70


def write_h36m(root, takes=TAKES, frames=FRAMES):
    """Write the training pack: each take by two cameras that stand still."""
    studio, labels = Studio(0, DomainShift.of(0.0), StandInBody()), {}
    rng = np.random.default_rng(0)
    K = intrinsics(*IMG_WH, 1145.0)
    for take in takes:
        betas = 0.5 * torch.randn(10)
        performance = perform(embedded_takes('punch'), frames, betas, studio.smplx, rng)
        for camera in CAMERAS:
            name = f'{take}_{camera}'
            tripod = camera_trajectory('static', performance.pelvis, K, IMG_WH[1], rng)
            T_w2c = tripod[frames // 2]
            cameras = T_w2c.expand(frames, 4, 4)
            film = studio.film(performance, cameras, K, IMG_WH[0], studio.shift, rng)
            shape = dict(
                body_pose=performance.body_pose, betas=betas.expand(frames, 10).contiguous()
            )
            labels[name] = dict(
                smplx_params=dict(
                    shape, global_orient=performance.global_orient, transl=performance.transl
                ),
                smplx_params_incam=dict(
                    shape, global_orient=film.global_orient_c, transl=film.transl_c
                ),
                K_fullimg=K,
                T_w2c=T_w2c.clone(),
                img_wh=torch.tensor(IMG_WH),
            )
            plain = dict(features=film.features.half(), bbx_xys=film.bbx_xys)
            flipped = dict(features=film.flip_features.half(), bbx_xys=film.flip_bbx_xys)
            save(root / H36M / 'imgfeats' / 'h36m_train' / f'{name}.pt', plain)
            save(root / H36M / 'imgfeats' / 'h36m_train_flip' / f'{name}.pt', flipped)
    save(root / H36M / 'h36m_train.pt', labels)
    return list(labels)


def write_amass(root):
    """Write the published pack of AMASS with two recordings."""
    pack = {}
    for name in ('walk', 'run'):
        poses, trans = map(torch.from_numpy, walk(name=name))
        pack[f'CMU/01/{name}'] = dict(pose=poses, trans=trans, beta=torch.zeros(10))
    save(root / AMASS / 'smplxpose_v2.pth', pack)
