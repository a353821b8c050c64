"""Samples whose prediction is the ground truth, turned into the prediction's own body model."""

import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.body_models.loading import body_model_file, load_body_arrays
from gvhmr_da_mm.core.camera import transform_smpl


@pytest.fixture(scope='session')
def neutral_betas(fixtures_root):
    """Return a function from gendered SMPL betas to neutral ones (fixtures README)."""

    def load(gender):
        return load_body_arrays(body_model_file('smpl', gender, fixtures_root)[0], 'smpl')

    neutral = load('neutral')
    basis = torch.from_numpy(neutral.shapedirs).flatten(0, 1)[:, :10]

    def fit(values):
        values = torch.from_numpy(values).flatten(0, 1)
        return torch.linalg.lstsq(basis, values.view(len(basis), -1)).solution

    def convert(betas, gender):
        body = load(gender)
        offset = fit((body.v_template - neutral.v_template)[..., None])[:, 0]
        factor = fit(body.shapedirs[..., :10])
        return (offset + betas.double() @ factor.T).float()

    return convert


@pytest.fixture(scope='session')
def labelled_sample(fixtures_root, neutral_betas):
    """Return a function that makes a sample whose prediction is its label."""
    packs = {
        'emdb': torch.load(fixtures_root / 'EMDB/hmr4d_support/emdb_vit_v4.pt', weights_only=True),
        '3dpw': torch.load(
            fixtures_root / '3DPW/hmr4d_support/test_3dpw_gt_labels.pt', weights_only=True
        ),
    }

    def make(dataset, index=0, frames=60):
        pack = packs[dataset[:4]]
        name = sorted(pack)[index % len(pack)]
        record = pack[name]
        label = {key: value[:frames] for key, value in record['smpl_params'].items()}
        mask = record['mask' if 'mask' in record else 'mask_wham'][:frames].clone()
        T_w2c = record['T_w2c'][:frames]

        smplx = get_body_model('smplx', data_root=fixtures_root)
        smpl = get_body_model('smpl', record['gender'], data_root=fixtures_root)
        betas = neutral_betas(label['betas'], record['gender'])
        root = smplx.skeleton(betas)[:, 0]
        transl_w = label['transl'] + smpl.skeleton(label['betas'])[:, 0] - root
        orient_c, transl_c = transform_smpl(label['global_orient'], transl_w, T_w2c, root)
        sample = PoseDataSample(
            metainfo=dict(dataset=dataset, sequence=name, gender=record['gender'], start=0)
        )
        sample.gt_instances = InstanceData(**label, T_w2c=T_w2c, mask=mask)
        sample.pred_instances = InstanceData(
            body_pose=label['body_pose'][:, :63].clone(),
            betas=betas,
            global_orient_c=orient_c,
            transl_c=transl_c,
            global_orient_w=label['global_orient'].clone(),
            transl_w=transl_w,
        )
        return sample

    return make
