"""H36M: the documented format, its labels, and its errors."""

import pytest
import torch

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.conventions import GRAVITY_Y_UP
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.datasets import ClipKey, H36MDataset
from gvhmr_da_mm.datasets.sources import H36MSource
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.datasets.validation import find_folders, validate_folder
from tests.datasets.mixed_packs import CAMERAS, FRAMES, H36M, IMG_WH, TAKES, write_h36m
from tests.datasets.samples import assert_same_item
from tests.tool_calls import Packs

LABELS = f'{H36M}/h36m_train.pt'
PAGE = 'docs/en/data.md#h36m'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('h36m') / 'data'
    write_h36m(root)
    return root


@pytest.fixture
def packs(root, tmp_path):
    return Packs(root, tmp_path / 'data')


def findings(path):
    (folder,) = find_folders(path, 'h36m')
    count, reports = validate_folder(folder)
    return count, {
        (finding.severity, finding.check, finding.key)
        for report in reports
        for finding in report.findings
    }


def test_items_are_labelled_windows_of_a_static_camera(root):
    dataset = H36MDataset(root)
    assert len(dataset) == len(TAKES) * len(CAMERAS)
    item = dataset[ClipKey(1, 5)]
    inputs, sample = item['inputs'], item['data_samples']
    assert (sample.dataset, sample.domain, sample.supervision) == ('h36m', 'real', 'full')
    assert sample.sequence == f'{TAKES[0]}_{CAMERAS[1]}'
    assert sample.static_camera and not sample.transductive
    assert not inputs['has_kp2d'] and inputs['has_imgfeat']
    assert tuple(inputs['img_wh'].tolist()) == IMG_WH
    still = torch.eye(3)[:2].reshape(6).expand_as(inputs['cam_angvel'])
    torch.testing.assert_close(inputs['cam_angvel'], still, atol=1e-5, rtol=0)
    assert 60 <= sample.length <= FRAMES and int(inputs['valid'].sum()) == sample.length


def test_labels_in_the_camera_are_those_of_the_world(root, toy_root):
    dataset = H36MDataset(root)
    labels = dataset.read_clip(dataset.get_data_info(0), 3, 40).labels
    stored = torch.load(root / LABELS, weights_only=True)[f'{TAKES[0]}_{CAMERAS[0]}']
    assert torch.equal(labels['body_pose'], stored['smplx_params']['body_pose'][3:40])
    smplx = get_body_model('smplx_light', 'neutral', data_root=toy_root)
    T_w2c = stored['T_w2c'].expand(37, 4, 4)
    orient, transl = transform_smpl(
        labels['global_orient_w'], labels['transl_w'], T_w2c, smplx.skeleton(labels['betas'])[:, 0]
    )
    torch.testing.assert_close(labels['global_orient_c'], orient, atol=1e-4, rtol=0)
    torch.testing.assert_close(labels['transl_c'], transl, atol=1e-4, rtol=0)
    expected = gravity_view_rotation(T_w2c[:, :3, :3], GRAVITY_Y_UP)
    torch.testing.assert_close(labels['R_c2gv'], expected)


def test_mirrored_features_are_optional(root, packs):
    assert H36MDataset(root, flip_features=True)[ClipKey(0, 0)]['inputs']['has_flip_imgfeat']
    for path in (packs.root / H36M / 'imgfeats' / 'h36m_train_flip').iterdir():
        path.unlink()
    item = H36MDataset(packs.root, flip_features=True)[ClipKey(0, 0)]
    assert not item['inputs']['has_flip_imgfeat']


def test_the_cameras_of_a_take_stay_together(root):
    kept = []
    for subset in ('fit', 'val'):
        dataset = H36MDataset(root, subset=subset, holdout_every=2)
        names = {dataset.get_data_info(i)['sequence'] for i in range(len(dataset))}
        (take,) = {name.rpartition('_')[0] for name in names}
        assert len(names) == len(CAMERAS)
        kept.append(take)
    assert sorted(kept) == sorted(TAKES)


def test_a_sequence_pack_of_it_gives_the_same_samples(root, tmp_path):
    report = write_pack(H36MSource.below(root), tmp_path / 'h36m')
    assert not report.failures and report.written == len(TAKES) * len(CAMERAS)
    published = H36MDataset(root, flip_features=True)
    ours = H36MDataset(root, pack=tmp_path / 'h36m', flip_features=True)
    assert len(published) == len(ours)
    for index in range(len(published)):
        assert_same_item(published[ClipKey(index, 1)], ours[ClipKey(index, 1)])


def test_the_validator_finds_sound_files_sound(root):
    assert findings(root) == (len(TAKES) * len(CAMERAS), set())


def test_the_validator_finds_a_camera_of_another_world(packs):
    def change(_, record):
        turn = torch.eye(4)
        turn[:3, :3] = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
        record['T_w2c'] = record['T_w2c'] @ turn
        return record

    packs.change(LABELS, change)
    assert 'camera-labels' in {check for _, check, _ in findings(packs.root)[1]}


def rename(group, old, new):
    def change(pack):
        for record in pack.values():
            fields = record[group] if group else record
            fields[new] = fields.pop(old)

    return change


@pytest.mark.parametrize(
    'change, key, there',
    [
        (rename('', 'K_fullimg', 'cam_K'), 'K_fullimg', 'cam_K'),
        (rename('', 'smplx_params', 'smpl_params_glob'), 'smplx_params', 'smpl_params_glob'),
        (rename('smplx_params_incam', 'transl', 'trans'), 'smplx_params_incam.transl', 'trans'),
    ],
)
def test_a_key_of_another_layout_is_named_before_training(packs, change, key, there):
    content = torch.load(packs.root / LABELS, weights_only=True)
    change(content)
    (packs.root / LABELS).unlink()
    torch.save(content, packs.root / LABELS)
    with pytest.raises(DataError) as error:
        H36MDataset(packs.root)
    for part in ('h36m_train.pt', f'{TAKES[0]}_{CAMERAS[0]}', f'`{key}', there, PAGE):
        assert part in str(error.value), part


def test_missing_files_are_named(tmp_path, packs):
    with pytest.raises(MissingFilesError, match='(?s)h36m_train.pt.*data.md#h36m'):
        H36MDataset(tmp_path / 'nothing')
    (packs.root / H36M / 'imgfeats' / 'h36m_train' / f'{TAKES[1]}_{CAMERAS[0]}.pt').unlink()
    with pytest.raises(MissingFilesError, match=f'(?s){TAKES[1]}_{CAMERAS[0]}.pt.*1 of 4'):
        H36MDataset(packs.root)


def test_lengths_that_disagree_are_named(packs):
    path = packs.root / H36M / 'imgfeats' / 'h36m_train' / f'{TAKES[0]}_{CAMERAS[0]}.pt'
    record = torch.load(path, weights_only=True)
    path.unlink()
    torch.save(dict(record, features=record['features'][:-5]), path)
    with pytest.raises(DataError, match=f'features.*{FRAMES}'):
        H36MDataset(packs.root)[ClipKey(0, 0)]


def test_it_is_for_training_only(root):
    with pytest.raises(ConfigError, match='for training'):
        H36MDataset(root, test_mode=True)
