"""Raw downloads: content of the converted packs, and errors for bad input."""

import json
import zipfile

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.extrinsics import AXES, rotation_to_y_up
from gvhmr_da_mm.core.rotation import matrix_to_axis_angle, rotation_about_axis
from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey, EMDBDataset, ThreeDPWDataset
from gvhmr_da_mm.datasets.pack_io import load_pack
from gvhmr_da_mm.datasets.packs import SequencePack
from gvhmr_da_mm.datasets.sources.downloads import BEDLAMDownload, EMDBDownload, ThreeDPWDownload
from gvhmr_da_mm.datasets.sources.downloads.bedlam import longest_run
from gvhmr_da_mm.datasets.sources.downloads.boxes import fill_boxes
from gvhmr_da_mm.datasets.sources.downloads.world_up import up_axis
from gvhmr_da_mm.datasets.sources.write_pack import write_pack

from .downloads import dump, write_bedlam, write_emdb, write_threedpw

EMDB_NAMES = ('P0_00_mvs_a', 'P6_49_outdoor_big_stairs_down')


def failures(root):
    return json.loads((root / 'failures.json').read_text())


# BEDLAM


@pytest.mark.parametrize('axis', ['+y', '-y'])
def test_bedlam_gives_the_published_labels_whichever_way_is_up(toy_root, tmp_path, axis):
    mids = write_bedlam(toy_root, tmp_path, axis)
    report = write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    assert not report.failures and report.written == len(mids)
    pack = SequencePack(tmp_path / 'out')
    published = load_pack(toy_root / 'BEDLAM/hmr4d_support/smplpose_v2.pth')
    for entry in pack.entries.values():
        fields, label = pack[entry.id], published[entry.sequence]
        assert entry.splits == ('all60',) and entry.extra['world_up'] == axis
        world, camera = fields['smplx_params'], fields['smplx_params_incam']
        expected_c = label['trans_incam'] + label['cam_ext'][:, :3, 3]
        torch.testing.assert_close(world['transl'], label['trans'], atol=1e-5, rtol=0)
        torch.testing.assert_close(camera['transl'], expected_c, atol=1e-5, rtol=0)
        torch.testing.assert_close(fields['T_w2c'], label['cam_ext'], atol=1e-5, rtol=0)
        assert torch.equal(world['body_pose'], label['pose'][:, 3:])


def test_bedlam_packs_are_trained_on_without_features(toy_root, tmp_path):
    write_bedlam(toy_root, tmp_path)
    write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    dataset, published = BEDLAMDataset(toy_root, pack=tmp_path / 'out'), BEDLAMDataset(toy_root)
    item = dataset[ClipKey(0, 0)]
    assert item['data_samples'].supervision == 'full' and not item['inputs']['has_imgfeat']
    sizes = {p['sequence']: p for p in map(published.get_data_info, range(len(published)))}
    info = dataset.get_data_info(0)
    part = sizes[info['sequence']]
    ours = dataset.read_clip(info, part['start'], part['end'])
    theirs = published.read_clip(part, part['start'], part['end'])
    assert ours.img_wh == theirs.img_wh
    # The boxes of the demo wander a little around the body.
    near = (ours.bbx_xys - theirs.bbx_xys).abs().amax(dim=1) < 0.15 * theirs.bbx_xys[:, 2]
    assert near.float().mean() > 0.9


def test_bedlam_keeps_the_longest_run_of_a_person_who_is_hidden(toy_root, tmp_path):
    write_bedlam(toy_root, tmp_path, gap=3)
    write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    entries = list(SequencePack(tmp_path / 'out').entries.values())
    assert entries
    for entry in entries:
        assert entry.splits == ('maxspan60',) and entry.start == 8 and entry.frames >= 60


def test_bedlam_of_six_frames_per_second_is_named(toy_root, tmp_path):
    write_bedlam(toy_root, tmp_path, step=5)
    report = write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    assert report.written == 0 and report.exit_code == 1
    assert all('30 frames per second' in f['message'] for f in failures(tmp_path / 'out'))


@pytest.mark.parametrize(
    'changes, field', [(dict(trans_world=None), 'trans_world'), (dict(imgname=None), 'imgname')]
)
def test_bedlam_fields_that_are_missing_are_named(toy_root, tmp_path, changes, field):
    write_bedlam(toy_root, tmp_path, **changes)
    report = write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    assert report.failures and all(f'`{field}`' in f.message for f in report.failures)


def test_bedlam_labels_of_another_body_are_refused(toy_root, tmp_path):
    write_bedlam(toy_root, tmp_path)
    path = next((tmp_path / 'processed_labels').iterdir())
    with np.load(path) as content:
        arrays = dict(content)
    arrays['trans_world'] = arrays['trans_world'] + 0.1
    np.savez(path, **arrays)
    report = write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    assert report.written > 0
    assert {failure.source for failure in report.failures} == {str(path)}
    assert all('neutral SMPL-X' in failure.message for failure in report.failures)


def test_a_damaged_scene_does_not_stop_the_others(toy_root, tmp_path):
    write_bedlam(toy_root, tmp_path)
    path = next((tmp_path / 'processed_labels').iterdir())
    path.write_bytes(path.read_bytes()[:2000])
    report = write_pack(BEDLAMDownload(tmp_path, data_root=toy_root), tmp_path / 'out')
    assert report.written > 0 and [f.source for f in report.failures] == [str(path)]
    assert 'is incomplete, damaged or no npz' in report.failures[0].message


# EMDB


def test_emdb_holds_what_was_in_the_download(toy_root, tmp_path):
    names = write_emdb(toy_root, tmp_path / 'raw')
    report = write_pack(EMDBDownload(tmp_path / 'raw'), tmp_path / 'out')
    assert not report.failures
    pack, published = (
        SequencePack(tmp_path / 'out'),
        load_pack(toy_root / 'EMDB/hmr4d_support/emdb_vit_v4.pt'),
    )
    assert list(pack) == sorted(names)
    for name, fields in pack.items():
        for key, value in published[name]['smpl_params'].items():
            assert torch.equal(fields['smpl_params'][key], value), key
        for key in ('mask', 'K_fullimg', 'T_w2c'):
            assert torch.equal(fields[key], published[name][key]), key
        seen = fields['observed']
        assert seen.sum() == len(seen) - 2 and not pack.entries[name].has_keypoints
        # Square boxes are grown to the shape of a person before they are enlarged.
        ratio = fields['bbx_xys'][:, 2] / published[name]['bbx_xys'][:, 2]
        torch.testing.assert_close(ratio[seen], torch.full_like(ratio[seen], 1.6))


def test_emdb_packs_are_read_with_features(toy_root, tmp_path):
    names = write_emdb(toy_root, tmp_path / 'raw')
    published = load_pack(toy_root / 'EMDB/hmr4d_support/emdb_vit_v4.pt')
    for name in names:
        record = published[name]
        (tmp_path / 'features').mkdir(exist_ok=True)
        arrays = {key: record[key].numpy() for key in ('bbx_xys', 'kp2d', 'features')}
        np.savez(tmp_path / 'features' / f'{name}.npz', **arrays)
    converter = EMDBDownload(tmp_path / 'raw', tmp_path / 'features')
    report = write_pack(converter, tmp_path / 'out')
    assert not report.failures
    train = [name for name in names if name in ('P0_00_mvs_a', 'P0_05_indoor_rom')]
    dataset = EMDBDataset(toy_root, pack=tmp_path / 'out', split='train')
    assert {dataset.get_data_info(i)['sequence'] for i in range(len(dataset))} == set(train)
    clip = dataset.read_clip(dataset.get_data_info(0), 0, 50)
    record = published[clip.sequence]
    assert torch.equal(clip.kp2d, record['kp2d'][:50])
    torch.testing.assert_close(clip.f_imgseq, record['features'][:50], atol=2e-3, rtol=1e-3)


def test_keypoints_of_frames_that_were_not_observed_do_not_count(toy_root, tmp_path):
    (name,) = write_emdb(toy_root, tmp_path / 'raw', EMDB_NAMES[:1])
    record = load_pack(toy_root / 'EMDB/hmr4d_support/emdb_vit_v4.pt')[name]
    arrays = {key: record[key].numpy() for key in ('bbx_xys', 'kp2d', 'features')}
    observed = np.arange(len(arrays['kp2d'])) >= 5
    (tmp_path / 'features').mkdir()
    np.savez(tmp_path / 'features' / f'{name}.npz', observed=observed, **arrays)
    write_pack(EMDBDownload(tmp_path / 'raw', tmp_path / 'features'), tmp_path / 'out')
    dataset = EMDBDataset(toy_root, pack=tmp_path / 'out')
    clip = dataset.read_clip(dataset.get_data_info(0), 0, 20)
    assert not clip.kp2d[:5, :, 2].any()
    assert torch.equal(clip.kp2d[5:], record['kp2d'][5:20])


def test_emdb_in_another_version_is_named(toy_root, tmp_path):
    name = write_emdb(toy_root, tmp_path / 'raw', EMDB_NAMES[1:], emdb1=False)[0]
    write_emdb(toy_root, tmp_path / 'raw', EMDB_NAMES[:1])
    report = write_pack(EMDBDownload(tmp_path / 'raw'), tmp_path / 'out')
    assert report.written == 1
    (failure,) = report.failures
    assert failure.id == name and '`emdb1`: expected True, got False' in failure.message


def test_what_was_wrong_is_done_when_it_is_mended(toy_root, tmp_path):
    write_emdb(toy_root, tmp_path / 'raw', EMDB_NAMES)
    broken = next((tmp_path / 'raw/P6').rglob('*.pkl'))
    content = broken.read_bytes()
    broken.write_bytes(content[: len(content) // 2])
    report = write_pack(EMDBDownload(tmp_path / 'raw'), tmp_path / 'out')
    assert report.written == 1 and failures(tmp_path / 'out')[0]['source'] == str(broken)
    broken.write_bytes(content)
    report = write_pack(EMDBDownload(tmp_path / 'raw'), tmp_path / 'out')
    assert (report.skipped, report.written, report.failures) == (1, 1, [])
    assert not (tmp_path / 'out/failures.json').exists()


def test_a_pickle_that_runs_code_is_refused(toy_root, tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ('evil',))

    dump(tmp_path / 'raw/P0/00_mvs_a/P0_00_mvs_a_data.pkl', dict(name=Evil()))
    report = write_pack(EMDBDownload(tmp_path / 'raw'), tmp_path / 'out')
    assert 'could run code' in report.failures[0].message


# 3DPW


def test_threedpw_holds_what_was_in_the_download(toy_root, tmp_path):
    names = write_threedpw(toy_root, tmp_path / 'raw')
    report = write_pack(ThreeDPWDownload(tmp_path / 'raw'), tmp_path / 'out')
    assert not report.failures and report.written == len(names)
    pack = SequencePack(tmp_path / 'out')
    for split in ('train', 'test'):
        labels = load_pack(toy_root / f'3DPW/hmr4d_support/{split}_3dpw_gt_labels.pt')
        for name, label in labels.items():
            video = label['vname']
            # Persons of the download are counted from zero in each video.
            fields = pack[name if name in pack else f'{video}_0']
            for key, value in label['smpl_params'].items():
                assert torch.equal(fields['smpl_params'][key], value), key
            assert torch.equal(fields['mask_raw'], label['mask_raw'])
            assert torch.equal(fields['T_w2c'], label['T_w2c'])
            assert fields['img_wh'].tolist() == label['img_wh'].tolist()
            assert fields['gender'] == label['gender']
            assert not fields['observed'][:2].any() and fields['observed'][2:].all()


def test_threedpw_packs_are_tested_with_their_own_mask(toy_root, tmp_path):
    write_threedpw(toy_root, tmp_path / 'raw')
    write_pack(ThreeDPWDownload(tmp_path / 'raw'), tmp_path / 'out')
    options = dict(pack=tmp_path / 'out', split='test')
    with pytest.raises(ConfigError, match='mask_key=mask_raw'):
        ThreeDPWDataset(toy_root, **options)
    item = ThreeDPWDataset(toy_root, mask_key='mask_raw', **options)[0]
    assert item['data_samples'].conditions['mask'] == 'mask_raw'
    assert not item['inputs']['has_kp2d'] and 'lifting_target' in item['data_samples'].gt_instances


# What is missing


@pytest.mark.parametrize(
    'converter',
    [BEDLAMDownload, EMDBDownload, ThreeDPWDownload],
    ids=lambda c: c.__name__,
)
def test_archives_explain_what_is_missing(tmp_path, converter):
    with zipfile.ZipFile(tmp_path / 'good.zip', 'w') as archive:
        archive.writestr('a', 'b')
    whole = (tmp_path / 'good.zip').read_bytes()
    (tmp_path / 'half.zip').write_bytes(whole[:-10])
    (tmp_path / 'rest.zip.part').write_bytes(whole[:10])
    with pytest.raises(MissingFilesError) as error:
        write_pack(converter(tmp_path), tmp_path / 'out')
    message = str(error.value)
    assert 'good.zip is not unpacked' in message
    assert 'half.zip is incomplete or damaged' in message
    assert 'rest.zip.part is an unfinished download' in message


# Parts


@pytest.mark.parametrize('axis', AXES)
def test_up_is_turned_to_y(axis):
    turn = rotation_to_y_up(axis)
    assert torch.det(turn) == 1
    upright = rotation_about_axis('y', torch.linspace(0, 6, 50))
    assert up_axis(matrix_to_axis_angle(turn.T @ upright)) == axis


def test_up_is_unknown_of_someone_who_rolls():
    rolling = rotation_about_axis('x', torch.linspace(0, 2 * torch.pi, 101)[:-1])
    assert up_axis(matrix_to_axis_angle(rolling)) is None


def test_longest_run():
    assert longest_run(np.array([0, 1, 2, 7, 8, 9, 10, 20])) == (3, 7)
    assert longest_run(np.arange(5)) == (0, 5)
    assert longest_run(np.array([4])) == (0, 1)


def test_boxes_between():
    boxes = np.array([[9, 9, 9], [0, 2, 4], [9, 9, 9], [2, 4, 8], [9, 9, 9]], float)
    seen = np.array([False, True, False, True, False])
    expected = [[0, 2, 4], [0, 2, 4], [1, 3, 6], [2, 4, 8], [2, 4, 8]]
    assert fill_boxes(boxes, seen).tolist() == expected
    with pytest.raises(DataError):
        fill_boxes(boxes, np.zeros(5, bool))
