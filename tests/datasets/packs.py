"""Builders of tiny packs in the published formats, with random content."""

from pathlib import Path

import torch

FEATURES = 1024


def save(path, content):
    """Save and create the folder."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)


def edit(path, change):
    """Load a pack, change it in place, and save it again."""
    content = torch.load(path, weights_only=True)
    save(path, change(content) or content)


def _cameras(frames):
    angles = torch.linspace(0, 0.4, frames)
    poses = torch.eye(4).repeat(frames, 1, 1)
    poses[:, 0, 0] = poses[:, 2, 2] = angles.cos()
    poses[:, 0, 2], poses[:, 2, 0] = angles.sin(), -angles.sin()
    poses[:, :3, 3] = torch.tensor([0.1, 1.2, 4.0])
    return poses


def _boxes(frames):
    return torch.rand(frames, 3) * 100 + 300


def _features(frames):
    return torch.randn(frames, FEATURES).half()


def _smpl(frames):
    betas = torch.randn(10).expand(frames, 10).clone()
    pose = dict(body_pose=torch.randn(frames, 69) * 0.1, betas=betas)
    return dict(pose, global_orient=torch.randn(frames, 3), transl=torch.randn(frames, 3))


def bedlam(root, clips=((0, 40), (0, 70), (10, 200))):
    """Write BEDLAM: the last clip in maxspan60, the others in all60. Return the ids."""
    folder = Path(root) / 'BEDLAM' / 'hmr4d_support'
    labels, ranges, mids = {}, {'all60': {}, 'maxspan60': {}}, []
    for number, (start, end) in enumerate(clips):
        part = 'maxspan60' if number == len(clips) - 1 else 'all60'
        mid = f'inputs/bedlam/bedlam_download/scene_{number % 2}/mp4/seq_{number:06d}.mp4-person'
        frames = end + 5
        skeleton = torch.randn(22, 3)
        labels[mid] = dict(
            pose=torch.randn(frames, 66) * 0.1,
            trans=torch.randn(frames, 3),
            beta=torch.randn(10),
            skeleton=skeleton,
            cam_int=torch.eye(3).repeat(frames, 1, 1),
            cam_ext=_cameras(frames),
            global_orient_incam=torch.randn(frames, 3),
            trans_incam=torch.randn(frames, 3),
        )
        ranges[part][mid] = (start, end)
        mids.append(mid)
        save(
            folder / 'imgfeats' / f'bedlam_{part}' / f'scene_{number % 2}' / f'{mid[-21:]}.pt',
            dict(
                features=_features(end - start),
                bbx_xys=_boxes(end - start),
                img_wh=torch.tensor([1280, 720]),
                start_end=(start, end),
            ),
        )
    save(folder / 'smplpose_v2.pth', labels)
    for part, content in ranges.items():
        save(folder / f'mid_to_valid_range_{part}.pt', content)
    return mids


EMDB_TRAIN = ('P0_00_mvs_a', 'P1_12_mvs_b', 'P2_22_outdoor_jog', 'P4_34_mvs_a')
EMDB_TEST = ('P1_14_outdoor_climb', 'P0_09_outdoor_walk', 'P6_49_outdoor_big_stairs_down')


def emdb(root, names=EMDB_TRAIN + EMDB_TEST, frames=70):
    """Write EMDB with mirrored features for the test sequences."""
    folder = Path(root) / 'EMDB' / 'hmr4d_support'
    pack = {}
    for name in names:
        mask = torch.ones(frames, dtype=torch.bool)
        mask[10:15] = False
        pack[name] = dict(
            name=name,
            gender='female',
            smpl_params=_smpl(frames),
            mask=mask,
            K_fullimg=torch.tensor([[1500.0, 0, 720], [0, 1500, 960], [0, 0, 1]]),
            T_w2c=_cameras(frames),
            bbx_xys=_boxes(frames),
            kp2d=torch.rand(frames, 17, 3),
            features=_features(frames).float(),
        )
        if name in EMDB_TEST:
            flip = dict(bbx_xys=_boxes(frames), features=_features(frames))
            save(folder / 'imgfeats' / 'emdb_flip' / f'{name}.pt', flip)
    save(folder / 'emdb_vit_v4.pt', pack)
    trajectory = torch.zeros(frames, 7)
    trajectory[:, 6] = 1
    save(folder / 'emdb_dpvo_traj.pt', {name: trajectory for name in names})


THREEDPW_TRAIN = ('courtyard_shakeHands_00_1', 'courtyard_box_00_0', 'courtyard_box_00_1')
THREEDPW_TEST = ('downtown_bar_00_1',)


def threedpw(root, frames=260, keypoints=True):
    """Write 3DPW; ``keypoints`` adds the optional keypoints of the training clips."""
    folder = Path(root) / '3DPW' / 'hmr4d_support'
    for split, names in (('train', THREEDPW_TRAIN), ('test', THREEDPW_TEST)):
        labels, kp2d, boxes, refit = {}, {}, {}, {}
        for name in names:
            mask = torch.ones(frames, dtype=torch.bool)
            mask[-5:] = False
            labels[name] = dict(
                vname=name[:-2],
                K_fullimg=torch.tensor([[1960.0, 0, 960], [0, 1960, 540], [0, 0, 1]]),
                T_w2c=_cameras(frames),
                smpl_params=_smpl(frames),
                gender='male',
                mask_raw=torch.ones(frames, dtype=torch.bool),
                mask_wham=mask,
                img_wh=torch.tensor([1920, 1080]),
            )
            kp2d[name] = torch.rand(frames, 17, 3)
            boxes[name] = dict(bbx_xys=_boxes(frames))
            params = _smpl(frames)
            params['body_pose'] = params['body_pose'][:, :63]
            refit[name] = dict(smplx_params_incam=params, valid_range_list=[(0, frames)])
            record = dict(
                features=_features(frames),
                bbx_xys=_boxes(frames),
                img_wh=torch.tensor([1920, 1080]),
            )
            feature_folder = '3dpw_train_smplx_refit' if split == 'train' else '3dpw_test'
            save(folder / 'imgfeats' / feature_folder / f'{name}.pt', record)
            if split == 'test':
                save(folder / 'imgfeats' / '3dpw_test_flip' / f'{name}.pt', record)
        save(folder / f'{split}_3dpw_gt_labels.pt', labels)
        if split == 'test' or keypoints:
            save(folder / f'preproc_{split}_kp2d_v0.pt', kp2d)
        if split == 'test':
            save(folder / 'preproc_test_bbx.pt', boxes)
        else:
            save(folder / 'train_refit_smplx.pt', refit)
