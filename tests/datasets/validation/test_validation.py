"""Packs with one error: the right finding in the right file, and none in sound packs."""

import math
import pickle
from concurrent.futures import Future

import pytest
import torch

from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from gvhmr_da_mm.datasets.sources import (
    PUBLISHED_SOURCES,
    PublishedSource,
    SourceFile,
    register_source,
    stored_as_named,
)
from gvhmr_da_mm.datasets.validation import (
    CHECKS,
    ERROR,
    find_folders,
    sequence_check,
    summarize,
    validate_folder,
)
from tests.tool_calls import Packs

BEDLAM, EMDB, THREEDPW = (f'{name}/hmr4d_support' for name in ('BEDLAM', 'EMDB', '3DPW'))
LABELS = f'{BEDLAM}/smplpose_v2.pth'
PACK = f'{EMDB}/emdb_vit_v4.pt'


@pytest.fixture
def packs(toy_root, tmp_path):
    return Packs(toy_root, tmp_path / 'data')


def reports(path, dataset=None, **options):
    found = []
    for folder in find_folders(path, dataset):
        found += validate_folder(folder, **options)[1]
    return found


def findings(path, dataset=None):
    """Return (severity, check, key) of all findings."""
    return {
        (finding.severity, finding.check, finding.key)
        for report in reports(path, dataset)
        for finding in report.findings
    }


def spoil_first(packs, file, **changes):
    """Replace fields of the first record of a pack; return its name."""
    names = []

    def change(key, record):
        if not names:
            names.append(key)
            for field, function in changes.items():
                record[field] = function(record[field])

    packs.change(file, change)
    return names[0]


def without(record, key):
    return {name: value for name, value in record.items() if name != key}


def rotated(axis_angle):
    return axis_angle_to_matrix(torch.tensor(axis_angle))


def test_made_up_packs_are_sound(toy_root):
    found = reports(toy_root)
    assert [finding for report in found for finding in report.findings] == []
    counts = summarize(found)
    assert counts['sequences'] >= 10 and counts['frames'] > 60 * counts['sequences']
    assert {report.dataset for report in found} == {'bedlam', 'emdb', '3dpw'}


@pytest.mark.fixtures
def test_reference_packs_are_sound(fixtures_root):
    assert {folder.name for folder in find_folders(fixtures_root)} >= {'bedlam', 'emdb', '3dpw'}
    assert findings(fixtures_root) == set()


class Inline:
    """Replacement of the process pool, whose processes would import everything again."""

    def __init__(self, jobs, context, initializer, initargs):
        initializer(*initargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def submit(self, function, task):
        future = Future()
        future.set_result(function(pickle.loads(pickle.dumps(task))))
        return future

    def shutdown(self, wait, cancel_futures):
        pass


def test_processes_find_what_one_finds(packs, monkeypatch):
    monkeypatch.setattr('gvhmr_da_mm.executors.processes.ProcessPoolExecutor', Inline)
    spoil_first(packs, PACK, bbx_xys=lambda boxes: boxes * 0)
    # More sequences than one process gets at once.
    content = torch.load(packs.root / PACK, weights_only=True)
    many = {f'P0_00_{n}_{name}': record for n in range(3) for name, record in content.items()}
    (packs.root / PACK).unlink()
    torch.save(many, packs.root / PACK)

    def plain(jobs):
        return [(r.sequence, r.findings) for r in reports(packs.root, 'emdb', jobs=jobs)]

    assert plain(2) == plain(1)
    assert any(finding.check == 'boxes' for _, found in plain(1) for finding in found)


CASES = [
    # What is done to a field of an EMDB sequence, and what is found in it.
    ('bbx_xys', lambda v: v * torch.tensor([1, 1, 0]), (ERROR, 'boxes', 'bbx_xys')),
    ('bbx_xys', lambda v: v + torch.tensor([9000, 0, 0]), (ERROR, 'boxes', 'bbx_xys')),
    ('bbx_xys', lambda v: v[:-3], (ERROR, 'length', 'bbx_xys')),
    ('bbx_xys', lambda v: v[:, :2], (ERROR, 'shape', 'bbx_xys')),
    ('kp2d', lambda v: v.flip(-1), (ERROR, 'keypoints', 'kp2d')),
    ('kp2d', lambda v: v * torch.tensor([0.1, 0.1, 1]), (ERROR, 'keypoints', 'kp2d')),
    ('kp2d', lambda v: v.tolist(), (ERROR, 'dtype', 'kp2d')),
    ('kp2d', lambda v: v * math.nan, (ERROR, 'not-finite', 'kp2d')),
    ('kp2d', lambda v: v * 1e9, (ERROR, 'huge', 'kp2d')),
    ('features', lambda v: v * 0, (ERROR, 'features', 'features')),
    ('features', lambda v: v[:1].expand_as(v).clone(), (ERROR, 'features', 'features')),
    ('K_fullimg', lambda v: v * torch.tensor([-1.0, 1, 1]), (ERROR, 'intrinsics', 'K_fullimg')),
    ('K_fullimg', lambda v: v.T.contiguous(), (ERROR, 'intrinsics', 'K_fullimg')),
    (
        'K_fullimg',
        lambda v: v * torch.tensor([[99.0, 1, 1], [1, 99, 1], [1, 1, 1]]),
        (ERROR, 'intrinsics', 'K_fullimg'),
    ),
    (
        'K_fullimg',
        lambda v: v + torch.tensor([[0.0, 0, 5000], [0, 0, 0], [0, 0, 0]]),
        (ERROR, 'intrinsics', 'K_fullimg'),
    ),
    ('T_w2c', lambda v: v * 1.1, (ERROR, 'camera-pose', 'T_w2c')),
    ('T_w2c', lambda v: v.mT.contiguous(), (ERROR, 'camera-pose', 'T_w2c')),
    (
        'T_w2c',
        lambda v: v * torch.tensor([-1.0, 1, 1, 1])[:, None],
        (ERROR, 'camera-pose', 'T_w2c'),
    ),
    ('T_w2c', lambda v: torch.linalg.inv(v), (ERROR, 'person-in-box', 'smpl_params.transl')),
    ('mask', lambda v: v.int(), ('warning', 'dtype', 'mask')),
    ('mask', lambda v: v & False, ('warning', 'mask', 'mask')),
    ('gender', lambda v: 'nobody', (ERROR, 'gender', 'gender')),
]


@pytest.mark.parametrize('trusted', [False, True])
def test_labels_are_finite_where_they_count(packs, trusted):
    def change(key, record):
        record['smpl_params']['transl'][record['mask'] == trusted] = math.nan
        record['smpl_params']['body_pose'][~record['mask']] = math.nan

    packs.change(PACK, change)
    found = [f for report in reports(packs.root, 'emdb') for f in report.findings]
    found = [finding for finding in found if finding.check == 'not-finite']
    assert bool(found) == trusted and all(f.key == 'smpl_params.transl' for f in found)


@pytest.mark.parametrize('field, change, expected', CASES)
def test_a_spoiled_field_is_found(packs, field, change, expected):
    spoil_first(packs, PACK, **{field: change})
    assert expected in findings(packs.root, 'emdb')


@pytest.mark.parametrize(
    'field, change, expected',
    [
        ('body_pose', lambda v: torch.rad2deg(v), (ERROR, 'axis-angle', 'smpl_params.body_pose')),
        ('transl', lambda v: v * 1000, (ERROR, 'person-in-box', 'smpl_params.transl')),
        ('betas', lambda v: v + 20, (ERROR, 'betas', 'smpl_params.betas')),
    ],
)
def test_spoiled_labels_are_found(packs, field, change, expected):
    spoil_first(packs, PACK, smpl_params=lambda p: {**p, field: change(p[field])})
    assert expected in findings(packs.root, 'emdb')


def locked(body_pose, *names):
    for name in names:
        joint = BODY_JOINT_NAMES.index(name) - 1
        body_pose[:, 3 * joint : 3 * joint + 3] = 0.1
    return body_pose


def test_a_head_that_never_turns_is_a_warning(packs):
    def lock(params):
        return {**params, 'body_pose': locked(params['body_pose'].clone(), 'neck', 'head')}

    spoil_first(packs, PACK, smpl_params=lock)
    (found,) = [f for r in reports(packs.root, 'emdb') for f in r.findings]
    assert (found.severity, found.check) == ('warning', 'locked')
    assert found.message.startswith('head never turns in')


def test_a_person_who_is_a_statue_is_a_warning(packs):
    def freeze(params):
        return {**params, 'body_pose': params['body_pose'][:1].expand_as(params['body_pose'])}

    spoil_first(packs, PACK, smpl_params=freeze)
    (found,) = [f for r in reports(packs.root, 'emdb') for f in r.findings]
    assert found.message.startswith('the whole body never turns in')


def turn_world(record, rotation):
    """Rotate the world of an EMDB record: labels and cameras."""
    params = record['smpl_params']
    orient = rotation @ axis_angle_to_matrix(params['global_orient'])
    params['global_orient'] = matrix_to_axis_angle(orient)
    params['transl'] = params['transl'] @ rotation.T
    record['T_w2c'][:, :3, :3] = record['T_w2c'][:, :3, :3] @ rotation.T


@pytest.mark.parametrize('angle, wrong', [(math.pi / 2, True), (-math.pi / 2, True), (0.3, False)])
def test_a_world_that_is_not_upright_is_found(packs, angle, wrong):
    """As with z-up labels that are taken for y-up ones; labels and cameras agree."""
    packs.change(PACK, lambda _, record: turn_world(record, rotated([angle, 0.0, 0.0])))
    found = [f.check for r in reports(packs.root, 'emdb') for f in r.findings]
    expected = len(torch.load(packs.root / PACK, weights_only=True)) if wrong else 0
    # A dancer may be upside down in the turned world, or upright by chance.
    assert (found.count('gravity') >= 0.7 * expected) and (wrong or not found)


def test_labels_of_camera_and_world_must_agree(packs):
    spoil_first(packs, LABELS, global_orient_incam=lambda v: v.roll(1, dims=1))
    spoil = f'{BEDLAM}/smplpose_v2.pth'
    assert (ERROR, 'camera-labels', 'global_orient_incam') in findings(packs.root, 'bedlam')
    # The published labels lack the camera's translation; adding it would count it twice.
    packs.change(
        spoil,
        lambda _, r: r.update(trans_incam=r['trans_incam'] + r['cam_ext'][:, :3, 3]),
    )
    assert (ERROR, 'camera-labels', 'trans_incam') in findings(packs.root, 'bedlam')


def test_ranges_must_be_inside_the_sequence_and_the_features(packs):
    file = f'{BEDLAM}/mid_to_valid_range_all60.pt'
    name = next(iter(torch.load(packs.root / file, weights_only=True)))
    packs.change(file, lambda key, value: (3, 10**4) if key == name else None)
    found = findings(packs.root, 'bedlam')
    assert (ERROR, 'frame-range', name) in found and (ERROR, 'coverage', 'features') in found
    packs.change(file, lambda key, value: (9, 9) if key == name else None)
    assert (ERROR, 'frame-range', name) in findings(packs.root, 'bedlam')
    packs.change(file, lambda key, value: 'all' if key == name else None)
    assert (ERROR, 'dtype', name) in findings(packs.root, 'bedlam')


def test_missing_files_keys_and_sequences_are_named(packs):
    folder = packs.root / THREEDPW / 'imgfeats' / '3dpw_test'
    lost = sorted(folder.iterdir())[0]
    lost.unlink()
    packs.remove(f'{THREEDPW}/preproc_test_bbx.pt')
    packs.change(f'{THREEDPW}/train_3dpw_gt_labels.pt', lambda _, record: without(record, 'T_w2c'))
    gone = next(iter(torch.load(packs.root / LABELS, weights_only=True)))
    packs.keep(LABELS, lambda name: name != gone)
    found = {
        (f.check, f.file.rpartition('/')[2], f.key, r.sequence)
        for r in reports(packs.root)
        for f in r.findings
    }
    assert ('missing-file', lost.name, '', lost.stem) in found
    assert ('missing-file', 'preproc_test_bbx.pt', '', '') in found
    assert ('missing-key', 'train_3dpw_gt_labels.pt', 'T_w2c') in {entry[:3] for entry in found}
    assert ('unknown-sequence', 'smplpose_v2.pth', '', gone) in found


def test_a_missing_file_of_labels_is_one_finding_and_ranges_are_still_checked(packs):
    packs.remove(LABELS)
    assert findings(packs.root, 'bedlam') == {(ERROR, 'missing-file', '')}
    file = f'{BEDLAM}/mid_to_valid_range_all60.pt'
    name = next(iter(torch.load(packs.root / file, weights_only=True)))
    packs.change(file, lambda key, value: (9, 9) if key == name else None)
    assert (ERROR, 'frame-range', name) in findings(packs.root, 'bedlam')


def test_damaged_files_are_findings(packs):
    path = packs.root / PACK
    path.unlink()
    path.write_bytes(b'no pack')
    folder = packs.root / THREEDPW / 'imgfeats' / '3dpw_test'
    broken = sorted(folder.iterdir())[0]
    broken.unlink()
    broken.write_bytes(b'')
    found = reports(packs.root)
    unreadable = [f for r in found for f in r.findings if f.check == 'unreadable']
    assert {f.file for f in unreadable} == {str(path), str(broken)}
    assert ('error', 'empty', '') in findings(packs.root, 'emdb')


def test_copies_are_found(packs):
    content = torch.load(packs.root / PACK, weights_only=True)
    name = next(iter(content))
    (packs.root / PACK).unlink()
    torch.save(
        {**content, 'P0_00_copy': content[name], name.upper(): content[name]}, packs.root / PACK
    )
    found = [(r.sequence, f) for r in reports(packs.root, 'emdb') for f in r.findings]
    copies = {sequence: f.message for sequence, f in found if f.check == 'duplicate'}
    assert name in copies['P0_00_copy'] and 'upper case' in copies['']


def test_the_true_frames_of_3dpw_are_judged_alone(packs):
    """Corrected ranges replace the stored ones."""
    name = next(iter(torch.load(packs.root / THREEDPW / 'train_refit_smplx.pt', weights_only=True)))

    def turn(key, record):
        if key == name:
            orient = record['smplx_params_incam']['global_orient']
            orient[:] = matrix_to_axis_angle(
                axis_angle_to_matrix(orient) @ rotated([0.0, 3.0, 0.0])
            )

    packs.change(f'{THREEDPW}/train_refit_smplx.pt', turn)
    key = 'smplx_params_incam.global_orient'
    assert (ERROR, 'camera-labels', key) in findings(packs.root, '3dpw')


def test_paths_and_names(toy_root, tmp_path):
    for path in (toy_root / 'EMDB', toy_root / EMDB, toy_root / PACK):
        assert [folder.name for folder in find_folders(path)] == ['emdb']
    with pytest.raises(MissingFilesError, match='nowhere'):
        find_folders(tmp_path / 'nowhere')
    with pytest.raises(ConfigError, match='no known pack'):
        find_folders(tmp_path)
    with pytest.raises(ConfigError, match='`dataset` should be one of'):
        find_folders(toy_root, 'coco')
    with pytest.raises(ConfigError, match='no known pack'):
        find_folders(toy_root, 'rich')
    (folder,) = find_folders(toy_root, 'emdb')
    with pytest.raises(ConfigError, match='`jobs`'):
        validate_folder(folder, jobs=0)
    assert validate_folder(folder, limit=2)[0] == 2


def test_a_source_and_a_check_are_added_by_registration(tmp_path):
    @register_source
    class VideoSource(PublishedSource):
        dataset, subfolder, index = 'videos', 'videos', 'videos.pt'
        files = (SourceFile(index, stored_as_named('bbx_xys')),)

    @sequence_check('wide')
    def wide(sequence):
        for field in sequence.all('boxes'):
            if field.rows[:, 2].max() > 500:
                yield field.warning('a wide box')

    try:
        (tmp_path / 'videos').mkdir()
        torch.save({'a': dict(bbx_xys=torch.full((9, 3), 600.0))}, tmp_path / 'videos/videos.pt')
        assert ('warning', 'wide', 'bbx_xys') in findings(tmp_path)
    finally:
        del PUBLISHED_SOURCES['videos'], CHECKS['wide']
