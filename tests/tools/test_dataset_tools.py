"""The tools that look at packs: statistics that others accept, numbers, pictures."""

import json

import cv2
import numpy as np

from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.datasets import BEDLAMDataset
from gvhmr_da_mm.datasets.motion_labels import motion_labels
from tests.tool_calls import REPO_ROOT

CONFIG = REPO_ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py'


def test_motion_statistics_are_those_of_the_labels(call, toy_root, tmp_path):
    out = tmp_path / 'new [final]' / 'stats.npz'
    options = ('--data-root', toy_root, '--out', out)
    code, printed, err = call('dataset_tools/analyze_dataset', 'motion', CONFIG, *options)
    assert code == 0, err
    assert 'velocity' in printed and 'clips of bedlam' in printed and str(out) in printed
    dataset = BEDLAMDataset(toy_root)
    expected, codec = MotionCodec(), MotionCodec(out)
    expected.fit(motion_labels(dataset, range(len(dataset))))
    np.testing.assert_allclose(codec.mean, expected.mean, atol=1e-12)
    np.testing.assert_allclose(codec.std, expected.std, atol=1e-12)
    assert np.load(out)['num_clips'] == len(dataset)


def test_statistics_need_labels(call, toy_root, tmp_path):
    options = ('--data-root', toy_root, '--out', tmp_path / 'a.npz', '--dataset', 'emdb_train')
    code, _, err = call('dataset_tools/analyze_dataset', 'motion', CONFIG, *options)
    assert code == 2 and "supervision 'none'" in err and not (tmp_path / 'a.npz').exists()
    code, _, err = call('dataset_tools/analyze_dataset', 'motion', CONFIG, '--out', 'a.txt')
    assert code == 2 and '.npz' in err


def test_stats_as_table_and_file(call, toy_root, tmp_path):
    out = tmp_path / 'stats [final].json'
    options = ('--data-root', toy_root, '--split', 'train', '--out', out)
    code, printed, err = call('dataset_tools/analyze_dataset', 'contents', CONFIG, *options)
    assert code == 0, err
    facts = json.loads(out.read_text())
    assert list(facts) == ['bedlam', 'emdb_train', '3dpw_train']
    assert facts['bedlam']['with_labels'] == facts['bedlam']['clips'] > 0
    for text in ('focal / diagonal', 'hours', 'bedlam: frames of a clip', str(out)):
        assert text in printed
    code, _, err = call(
        'dataset_tools/analyze_dataset', 'contents', CONFIG, *options[:2], '--dataset', 'none'
    )
    assert code == 2 and 'emdb_train' in err


def test_browse(call, toy_root, tmp_path):
    options = ('--data-root', toy_root, '--num-clips', 1, '--num-frames', 2, '--height', 80)
    for name in ('bedlam', 'emdb1'):
        arguments = (*options, '--dataset', name, '--out', tmp_path / 'out [final]')
        code, printed, err = call(
            'dataset_tools/analyze_dataset', 'browse', CONFIG, *arguments, '--frames-root', tmp_path
        )
        assert code == 0, err
        path = tmp_path / 'out [final]' / f'{name}.png'
        assert '2 frames are missing' in printed and str(path) in printed
        picture = cv2.imread(str(path))
        # Labels are drawn: their bones are coloured, the canvas and its text are grey.
        assert (np.ptp(picture.astype(int), axis=2) > 60).sum() > 20
    code, _, err = call('dataset_tools/analyze_dataset', 'browse', CONFIG, *options, '--height', 4)
    assert code == 2 and '`--height` at least 32' in err
