"""Sequence packs: sound ones pass, and content that the format allows but is wrong is found."""

import pytest
import torch

from gvhmr_da_mm.core.camera import estimate_intrinsics
from gvhmr_da_mm.datasets.packs import PackWriter, SequencePack
from gvhmr_da_mm.datasets.validation import find_folders, validate_folder

FRAMES = 20


def arrays(seed, **changes):
    rng = torch.Generator().manual_seed(seed)
    box = torch.tensor([320.0, 240.0, 200.0]) + torch.rand(FRAMES, 3, generator=rng)
    pixels = box[:, None, :2] + 40 * torch.randn(FRAMES, 17, 2, generator=rng).clamp(-2, 2)
    content = dict(
        bbx_xys=box,
        K_fullimg=estimate_intrinsics(640, 480),
        R_w2c=torch.eye(3).repeat(FRAMES, 1, 1),
        kp2d=torch.cat((pixels, torch.full((FRAMES, 17, 1), 0.9)), dim=-1),
        features=torch.randn(FRAMES, 1024, generator=rng).half(),
    )
    return {**content, **changes}


def write(root, **sequences):
    with PackWriter(root, 'videos') as writer:
        for seed, (name, changes) in enumerate(sequences.items()):
            writer.add(name, arrays(seed, **changes), dict(img_wh=(640, 480)))


def findings(path):
    return [
        (report.dataset, report.sequence, finding.check, finding.key)
        for folder in find_folders(path)
        for report in validate_folder(folder)[1]
        for finding in report.findings
    ]


def test_sound_packs_pass_from_each_path(tmp_path):
    for name in ('first', 'second'):
        write(tmp_path / 'packs' / name, walk={}, run={})
    assert [folder.title for folder in find_folders(tmp_path)] == ['pack first', 'pack second']
    assert len(find_folders(tmp_path / 'packs' / 'first')) == 1
    assert findings(tmp_path) == []


@pytest.mark.parametrize(
    'changes, check, key',
    [
        (dict(features=torch.zeros(FRAMES, 1024)), 'features', 'features'),
        (dict(bbx_xys=torch.full((FRAMES, 3), 9000.0)), 'boxes', 'bbx_xys'),
        (dict(K_fullimg=estimate_intrinsics(9, 9)), 'intrinsics', 'K_fullimg'),
        (dict(R_w2c=torch.diag(torch.tensor([1.0, -1, -1])).repeat(FRAMES, 1, 1)), None, None),
    ],
)
def test_odd_content_is_found(tmp_path, changes, check, key):
    write(tmp_path, walk={}, run=changes)
    found = findings(tmp_path)
    if check is None:
        assert found == []  # Upside down is a rotation, and no label says where up is.
    else:
        assert (f'pack {tmp_path.name}', 'run', check, key) in found
        assert not any(sequence == 'walk' for _, sequence, _, _ in found)


def test_damaged_and_missing_files_are_findings(tmp_path):
    write(tmp_path, walk={}, run={}, jump={})
    files = {entry.id: tmp_path / entry.file for entry in SequencePack(tmp_path).entries.values()}
    files['walk'].unlink()
    files['run'].write_bytes(files['run'].read_bytes()[:-50])
    found = {(sequence, check) for _, sequence, check, _ in findings(tmp_path)}
    assert found == {('walk', 'unreadable'), ('run', 'unreadable')}


def test_a_damaged_index_is_a_finding(tmp_path):
    write(tmp_path, walk={})
    index = tmp_path / 'index.sqlite'
    index.write_bytes(index.read_bytes()[:5000])
    assert {check for _, _, check, _ in findings(tmp_path)} == {'unreadable', 'empty'}
