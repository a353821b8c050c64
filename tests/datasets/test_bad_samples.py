"""Clips that cannot be used: an error, or a report and a replacement."""

import re

import pytest
import torch

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.datasets import BEDLAMDataset, Clip, ClipKey, EMDBDataset, ThreeDPWDataset
from gvhmr_da_mm.datasets.bad_samples import BadSample, check_clip, describe_bad_samples
from gvhmr_da_mm.datasets.motion_dataset import REPLACED_KEY

from . import packs
from .samples import assert_same_item

FOLDER = 'BEDLAM/hmr4d_support'


@pytest.fixture
def mids(tmp_path):
    return packs.bedlam(tmp_path)


def spoil_labels(root, mid, **changes):
    def spoil(pack):
        for key, change in changes.items():
            pack[mid][key] = change(pack[mid][key])

    packs.edit(root / FOLDER / 'smplpose_v2.pth', spoil)


def clip(frames=5, **changes):
    fields = dict(
        sequence='walk',
        start=10,
        end=10 + frames,
        img_wh=(640, 480),
        bbx_xys=torch.full((frames, 3), 100.0),
        K_fullimg=torch.eye(3),
        R_w2c=torch.eye(3).repeat(frames, 1, 1),
    )
    return Clip(**{**fields, **changes})


def test_sound_clips_pass():
    check_clip(clip())
    check_clip(clip(K_fullimg=torch.eye(3).repeat(5, 1, 1)))


def empty_box(at):
    boxes = torch.full((5, 3), 100.0)
    boxes[at, 2] = 0
    return boxes


def reflected(at):
    rotations = torch.eye(3).repeat(5, 1, 1)
    rotations[at, 0, 0] = -1
    return rotations


def unlike_people(at):
    betas = torch.full((5, 10), -9.0)
    betas[at, 4] = -57
    return dict(betas=betas)


@pytest.mark.parametrize(
    'changes, key, frame',
    [
        (dict(bbx_xys=empty_box(3)), 'bbx_xys', 13),
        (dict(R_w2c=reflected(2)), 'R_w2c', 12),
        (dict(labels=unlike_people(2)), 'betas', 12),
        (dict(R_w2c=torch.eye(3).repeat(5, 1, 1) * 1.1), 'R_w2c', 10),
        (dict(K_fullimg=torch.diag(torch.tensor([1.0, 0.0, 1.0]))), 'K_fullimg', 10),
    ],
)
def test_what_would_give_nonsense_is_named(changes, key, frame):
    with pytest.raises(DataError, match=f'`walk`.*`{key}`.*first at frame {frame}'):
        check_clip(clip(**changes))


def test_frames_that_do_not_count_need_no_box():
    mask = torch.ones(5, dtype=torch.bool)
    mask[3] = False
    check_clip(clip(bbx_xys=empty_box(3), labels=dict(mask=mask)))
    with pytest.raises(DataError, match='frame 14'):
        check_clip(clip(bbx_xys=empty_box(4), labels=dict(mask=mask)))


def test_shapes_matter_where_they_are_scored():
    mask = torch.ones(5, dtype=torch.bool)
    mask[3] = False
    check_clip(clip(labels=dict(unlike_people(3), mask=mask)))
    with pytest.raises(DataError, match='at most 10.*frame 12'):
        check_clip(clip(labels=dict(unlike_people(2), mask=mask)))


def test_implausible_shapes_are_not_trained_on(tmp_path, mids):
    spoil_labels(tmp_path, mids[0], beta=lambda v: v + 57)
    dataset = BEDLAMDataset(tmp_path, on_bad_sample='skip')
    assert len(dataset) == 2 and mids[0] == dataset.left_out[0].sequence
    with pytest.raises(DataError, match=f'{re.escape(mids[0])}.*`betas`'):
        BEDLAMDataset(tmp_path)[ClipKey(0, 0)]


def test_a_bad_clip_is_an_error_by_default(tmp_path, mids):
    spoil_labels(tmp_path, mids[0], cam_ext=lambda v: v * 2)
    dataset = BEDLAMDataset(tmp_path)
    assert len(dataset) == 3 and dataset.left_out == []
    message = rf'bedlam in .*{FOLDER}: sequence `{re.escape(mids[0])}`.*`R_w2c`: expected rotations'
    with pytest.raises(DataError, match=message):
        dataset[ClipKey(0, 0)]


def test_what_the_ends_of_a_clip_show_is_left_out_of_the_list(tmp_path, mids):
    spoil_labels(tmp_path, mids[0], cam_ext=lambda v: v * 2)
    spoil_labels(tmp_path, mids[1], pose=lambda v: v[:, :60])
    dataset = BEDLAMDataset(tmp_path, on_bad_sample='skip')
    assert len(dataset) == 1 and dataset.get_data_info(0)['sequence'] == mids[2]
    assert dataset.sources == {'synthetic': [('bedlam', 0, 1, None)]}
    assert [sample.sequence for sample in dataset.left_out] == mids[:2]
    assert '`R_w2c`' in dataset.left_out[0].reason and '`pose`' in dataset.left_out[1].reason
    assert (dataset.left_out[0].start, dataset.left_out[0].end) == (0, 40)


def test_missing_and_damaged_files_are_left_out(tmp_path, mids):
    files = sorted((tmp_path / FOLDER / 'imgfeats').rglob('*.pt'))
    files[0].unlink()
    files[1].write_bytes(b'cut')
    with pytest.raises(MissingFilesError, match='1 of 3'):
        BEDLAMDataset(tmp_path)
    dataset = BEDLAMDataset(tmp_path, on_bad_sample='skip')
    assert len(dataset) == 1 and len(dataset.left_out) == 2
    reasons = ' '.join(sample.reason for sample in dataset.left_out)
    assert files[0].name in reasons and files[1].name in reasons


def test_what_only_shows_later_is_replaced_and_told(tmp_path, mids):
    def spoil(value):
        value[33] = float('nan')
        return value

    spoil_labels(tmp_path, mids[0], trans=spoil)
    dataset = BEDLAMDataset(tmp_path, on_bad_sample='skip')
    assert dataset.left_out == [] and len(dataset) == 3
    item = dataset[ClipKey(0, 4)]
    assert_same_item(item, dataset[ClipKey(1, 4)])
    (bad,) = item['data_samples'].get(REPLACED_KEY)
    assert bad.sequence == mids[0] and (bad.start, bad.end) == (0, 40) and '`trans`' in bad.reason
    assert REPLACED_KEY not in dataset[ClipKey(1, 4)]['data_samples']
    # The same key gives the same item, and the same report, again and in another process.
    assert dataset[ClipKey(0, 4)]['data_samples'].get(REPLACED_KEY) == [bad]


def test_sequences_that_cannot_be_listed_are_left_out(tmp_path):
    packs.emdb(tmp_path)
    file = tmp_path / 'EMDB/hmr4d_support/emdb_vit_v4.pt'
    names = [name for name in torch.load(file) if name.startswith('P0_0')]
    before = len(EMDBDataset(tmp_path))
    spoiled = EMDBDataset(tmp_path).get_data_info(0)['sequence']
    packs.edit(file, lambda pack: pack[spoiled].update(bbx_xys='none') and None)
    assert names
    with pytest.raises(DataError, match='expected Tensor, got str'):
        EMDBDataset(tmp_path)
    dataset = EMDBDataset(tmp_path, on_bad_sample='skip')
    assert len(dataset) < before
    assert dataset.left_out[0].sequence == spoiled and dataset.left_out[0].start == -1


def test_test_clips_are_never_skipped(tmp_path):
    packs.threedpw(tmp_path)
    file = tmp_path / '3DPW/hmr4d_support/test_3dpw_gt_labels.pt'
    packs.edit(file, lambda pack: pack[next(iter(pack))].update(K_fullimg=-torch.eye(3)))
    options = dict(split='test', with_joints=False, on_bad_sample='skip')
    dataset = ThreeDPWDataset(tmp_path, **options)
    with pytest.raises(DataError, match='`K_fullimg`'):
        dataset[0]


def test_many_bad_samples_are_named_in_part():
    samples = [BadSample('set', f'clip {n}', 0, 9, f'reason {n}') for n in range(7)]
    text = describe_bad_samples(samples + samples)
    assert 'clip 0: reason 0' in text and 'clip 6' not in text and 'and 2 more sequences' in text
