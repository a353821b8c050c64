"""Tiny downloads in the raw layouts of BEDLAM, EMDB and 3DPW, made of the demo packs."""

import pickle

import numpy as np
import torch

from gvhmr_da_mm.core.camera import box_to_xyxy, transform_smpl
from gvhmr_da_mm.core.extrinsics import rotation_to_y_up
from gvhmr_da_mm.datasets.pack_io import load_pack


def dump(path, content, protocol=2):
    """Write a pickle as Python 2 did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('wb') as file:
        pickle.dump(content, file, protocol=protocol)


def write_emdb(source, root, names=None, **changes):
    """Write ``P*/*/P*_data.pkl``; ``changes`` replace top-level fields. Return the names."""
    pack = load_pack(source / 'EMDB/hmr4d_support/emdb_vit_v4.pt')
    names = names or list(pack)[:4]
    for name in names:
        record, (person, _, sequence) = pack[name], name.partition('_')
        smpl = {key: value.numpy() for key, value in record['smpl_params'].items()}
        frames = len(smpl['transl'])
        content = dict(
            gender=record['gender'],
            name=name,
            emdb1=name.startswith(('P1_14', 'P6_49', 'P7_57', 'P8_64', 'P5_42', 'P7_60')),
            emdb2=name.startswith(('P0_09', 'P6_49', 'P7_57', 'P8_64', 'P4_36', 'P2_19')),
            n_frames=frames,
            good_frames_mask=record['mask'].numpy(),
            camera=dict(
                intrinsics=record['K_fullimg'].numpy().astype(np.float64),
                extrinsics=record['T_w2c'].numpy().astype(np.float64),
                width=720 if name.startswith('P0_09') else 1440,
                height=960 if name.startswith('P0_09') else 1920,
            ),
            smpl=dict(
                poses_root=smpl['global_orient'],
                poses_body=smpl['body_pose'],
                trans=smpl['transl'],
                betas=smpl['betas'][0],
            ),
            kp2d=np.zeros((frames, 24, 2)),
            bboxes=dict(
                bboxes=box_to_xyxy(record['bbx_xys']).numpy(), invalid_idxs=np.array([3, 4])
            ),
        )
        dump(root / person / sequence / f'{name}_data.pkl', {**content, **changes})
    return names


def write_threedpw(source, root):
    """Write ``sequenceFiles``, one file per video with all its persons. Return the names."""
    folder, names = source / '3DPW/hmr4d_support', []
    for split in ('train', 'test'):
        videos = {}
        for record in load_pack(folder / f'{split}_3dpw_gt_labels.pt').values():
            videos.setdefault(record['vname'], []).append(record)
        for video, records in videos.items():
            smpl = [record['smpl_params'] for record in records]
            frames = len(smpl[0]['transl'])
            points = np.zeros((frames, 3, 18))
            points[:, :2] = np.random.default_rng(0).uniform(300, 600, (frames, 2, 18))
            points[2:, 2] = 0.8
            content = {
                'poses': [
                    torch.cat((p['global_orient'], p['body_pose']), dim=1).numpy() for p in smpl
                ],
                'betas': [np.r_[p['betas'][0].numpy(), np.zeros(5)] for p in smpl],
                'trans': [p['transl'].numpy().astype(np.float64) for p in smpl],
                'genders': [record['gender'][0].encode() for record in records],
                'campose_valid': [record['mask_raw'].numpy().astype(int) for record in records],
                'cam_intrinsics': records[0]['K_fullimg'].numpy().astype(np.float64),
                'cam_poses': records[0]['T_w2c'].numpy().astype(np.float64),
                'sequence': video.encode(),
                'poses2d': [points for _ in records],
            }
            dump(root / 'sequenceFiles' / split / f'{video}.pkl', content)
            names += [f'{video}_{person}' for person in range(len(records))]
    return names


def write_bedlam(source, root, axis='+y', step=1, gap=0, **changes):
    """Write ``processed_labels``; ``gap`` leaves frames out in the middle. Return the ids.

    Args:
        source (Path): Data root with a published pack.
        root (Path): Gets the download.
        axis (str): Which way is up in the world that is written.
        step (int): Frame numbers grow by this.
        gap (int): Frames left out after the first five.
        changes: Fields to replace, or to leave out if None.
    """
    turn = torch.eye(4)
    turn[:3, :3] = rotation_to_y_up(axis).T
    scenes, mids = {}, []
    for mid, label in load_pack(source / 'BEDLAM/hmr4d_support/smplpose_v2.pth').items():
        scene, clip = mid.split('/')[-3], mid.split('/')[-1]
        video, subject = clip.split('.mp4-')
        frames = len(label['trans'])
        root_joint = label['skeleton'][0]
        orient, transl = transform_smpl(label['pose'][:, :3], label['trans'], turn, root_joint)
        rest = torch.zeros(frames, 99)
        kept = [row for row in range(frames) if not 5 <= row < 5 + gap]
        fields = dict(
            imgname=np.array([f'{video}/{video}_{step * row:04d}.png' for row in range(frames)]),
            sub=np.array([subject] * frames),
            gender=np.array(['neutral'] * frames),
            shape=torch.cat((label['beta'], torch.zeros(1))).repeat(frames, 1).numpy(),
            pose_cam=torch.cat((label['global_orient_incam'], label['pose'][:, 3:], rest), 1),
            pose_world=torch.cat((orient, label['pose'][:, 3:], rest), 1),
            trans_cam=label['trans_incam'],
            trans_world=transl,
            cam_int=label['cam_int'],
            cam_ext=label['cam_ext'] @ turn.T,
            center=np.zeros((frames, 2)),
            scale=np.ones(frames),
        )
        parts = scenes.setdefault(scene, {key: [] for key in fields})
        for key, value in fields.items():
            parts[key].append(np.asarray(value)[kept])
        mids.append(mid)
    for scene, parts in scenes.items():
        arrays = {key: np.concatenate(values) for key, values in parts.items()}
        arrays.update(changes)
        path = root / 'processed_labels' / f'{scene}.npz'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return mids
