"""Windows, and the filter of an untrained model on toy clips."""

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from benchmarks.adaptation.filter_quality import choose_windows, measure_filter
from gvhmr_da_mm.registry import DATASETS, MODELS
from tests.testing import toy_adaptation_config


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        yield


@pytest.fixture
def sources(toy_root):
    common = dict(data_root=str(toy_root), real_supervision='none', max_len=40, min_len=30)
    return [dict(common, type=kind) for kind in ('EMDBDataset', 'ThreeDPWDataset')]


@pytest.fixture
def model(toy_root):
    sources = dict(discriminator=1.0, reprojection=1.0, agreement=1.0)
    confidence = dict(type='CombinedConfidence', weights=sources, mean='arithmetic')
    labeler = dict(confidence=confidence)
    model = MODELS.build(toy_adaptation_config(toy_root, pseudo_labeler=labeler))
    model.init_weights()
    return model


def test_windows_lie_in_labelled_parts(sources):
    labelled = DATASETS.build(dict(sources[0], real_supervision='labels'))
    windows = choose_windows(labelled, 100)
    assert windows
    for info, start, end in windows:
        assert info['start'] <= start < end <= info['end']
        assert 30 <= end - start <= 40
    assert len({(info['sequence'], start) for info, start, _ in windows}) == len(windows)
    assert choose_windows(labelled, 2) == [windows[0], windows[-1]]


def test_every_clip_is_judged(model, sources):
    found = measure_filter(model, sources, 2)
    points = found['points']
    assert found['clips'] == len(points['keep']) == 4
    assert set(found['sources']) == {'discriminator', 'reprojection', 'agreement'}
    assert set(found['datasets']) == {'emdb_train', '3dpw_train'}
    assert all(points['keep']) and found['threshold'] == 0
    assert found['combined']['kept_error'] == pytest.approx(np.mean(points['pa_mpjpe']))
    assert 20 < np.mean(points['pa_mpjpe']) < np.mean(points['mpjpe']) < 2000
    assert measure_filter(model, sources, 2) == found


def test_nothing_kept(model, sources):
    model.pseudo_labeler.threshold = 1.0
    found = measure_filter(model, sources[:1], 2)
    assert not any(found['points']['keep']) and found['combined']['kept_error'] is None
    assert all(c > 0 for c in found['points']['confidence'])
    assert model.pseudo_labeler.threshold == 1.0
