"""MMPose imports the stand-in of xtcocotools, and evaluates keypoints to the same numbers."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from gvhmr_da_mm.compat import coco_tools, xtcocotools_import
from gvhmr_da_mm.core.errors import ConfigError

REPO_ROOT = Path(__file__).resolve().parents[2]
NAMES = ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)')
# Of xtcocotools 1.14.3, for the annotations and predictions below.
EXPECTED = {
    (17, True): [
        0.139495563891, 0.273971820259, 0.096439451637, 0.161402772145, 0.0, 0.2, 0.34375, 0.1875,
        0.213333333333, 0.0,
    ],
    (14, False): [
        0.083986457325, 0.161066106611, 0.062706270627, 0.117268222217, 0.050495049505, 0.215625,
        0.34375, 0.1875, 0.227586206897, 0.15,
    ],
}  # fmt: skip


def annotate(folder, count, with_area):
    """Write annotations and predictions of all sizes, crowds and invisible people among them."""
    random = np.random.default_rng(count)
    annotations, predictions = [], []
    for number in range(40):
        width, height = random.uniform(20, 160, 2)
        left, top = random.uniform(0, 200, 2)
        points = random.uniform(0, 1, (count, 2)) * (width, height) + (left, top)
        visible = random.integers(0, 3, count) if number % 7 else np.zeros(count, int)
        annotation = dict(
            id=number,
            image_id=number // 3,
            category_id=1,
            bbox=[left, top, width, height],
            iscrowd=int(number % 11 == 10),
            num_keypoints=int((visible > 0).sum()),
            keypoints=np.column_stack([points, visible]).ravel().tolist(),
        )
        if with_area:
            annotation['area'] = width * height * random.uniform(0.4, 0.8)
        annotations.append(annotation)
        for _ in range(random.integers(0, 3)):
            guess = points + random.normal(0, random.uniform(0, 12), points.shape)
            score = np.full(count, random.uniform(0.1, 1) if number % 9 else 0.0)
            predictions.append(
                dict(
                    image_id=number // 3,
                    category_id=1,
                    keypoints=np.column_stack([guess, score]).ravel().tolist(),
                    score=float(random.uniform()),
                )
            )
    images = [dict(id=number, width=400, height=400) for number in range(14)]
    categories = [dict(id=1, name='person')]
    truth = dict(images=images, categories=categories, annotations=annotations)
    (folder / 'truth.json').write_text(json.dumps(truth))
    (folder / 'result.keypoints.json').write_text(json.dumps(predictions))


def through_mmpose(folder, tools, count, use_area, monkeypatch):
    """Evaluate by MMPose's metric with the given tools."""
    from mmpose.evaluation.metrics import coco_metric

    monkeypatch.setattr(coco_metric, 'COCO', tools.COCO)
    monkeypatch.setattr(coco_metric, 'COCOeval', tools.COCOeval)
    metric = coco_metric.CocoMetric(str(folder / 'truth.json'), use_area=use_area)
    sigmas = None if count == 17 else np.linspace(0.02, 0.1, count)
    metric.dataset_meta = dict(sigmas=sigmas)
    return metric._do_python_keypoint_eval(str(folder / 'result'))


@pytest.mark.parametrize('count, use_area', EXPECTED)
def test_same_numbers_through_mmpose(count, use_area, tmp_path, monkeypatch):
    annotate(tmp_path, count, use_area)
    ours = through_mmpose(tmp_path, coco_tools, count, use_area, monkeypatch)
    assert [name for name, _ in ours] == list(NAMES)
    values = [value for _, value in ours]
    assert values == pytest.approx(EXPECTED[count, use_area], abs=1e-9)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason='xtcocotools has no wheel for this Python')
@pytest.mark.parametrize('count, use_area', EXPECTED)
def test_expected_numbers_are_those_of_xtcocotools(count, use_area, tmp_path, monkeypatch):
    from xtcocotools import coco, cocoeval

    annotate(tmp_path, count, use_area)
    tools = type('Tools', (), dict(COCO=coco.COCO, COCOeval=cocoeval.COCOeval))
    theirs = through_mmpose(tmp_path, tools, count, use_area, monkeypatch)
    values = [value for _, value in theirs]
    assert values == pytest.approx(EXPECTED[count, use_area], abs=1e-9)


def test_no_predictions(tmp_path, monkeypatch):
    annotate(tmp_path, 17, True)
    (tmp_path / 'result.keypoints.json').write_text('[]')
    values = dict(through_mmpose(tmp_path, coco_tools, 17, True, monkeypatch))
    assert values['AP'] == values['AR'] == 0


def test_kinds_that_xtcocotools_alone_knows_are_refused():
    with pytest.raises(ConfigError, match='keypoints_crowd'):
        coco_tools.COCOeval(iouType='keypoints_crowd')


def in_fresh_python(code, path=''):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(code)],
        cwd=REPO_ROOT,
        env=dict(PATH='/usr/bin:/bin', PYTHONPATH=f'{path}:{REPO_ROOT}'),
        capture_output=True,
        text=True,
    )


def test_mmpose_imports_with_the_stand_in_alone():
    done = in_fresh_python("""
        import sys
        from gvhmr_da_mm.compat import xtcocotools_import
        sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != '_Finder']
        xtcocotools_import._real_package_works = lambda: False
        xtcocotools_import.provide_xtcocotools()
        xtcocotools_import.provide_xtcocotools()
        assert sum(type(f).__name__ == '_Finder' for f in sys.meta_path) == 1
        import mmpose.datasets, mmpose.evaluation
        from mmpose.evaluation.metrics import coco_metric
        from mmpose.datasets.transforms import bottomup_transforms
        print(coco_metric.COCOeval.__module__, bottomup_transforms.cocomask.decode.__module__)
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ['gvhmr_da_mm.compat.coco_tools', 'pycocotools.mask']


def test_package_built_for_another_numpy_is_replaced(tmp_path):
    package = tmp_path / 'xtcocotools'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / 'mask.py').write_text('raise ValueError("numpy.dtype size changed")')
    done = in_fresh_python(
        """
        import numpy
        numpy.__version__ = '2.4.6'
        import gvhmr_da_mm
        import xtcocotools.mask, xtcocotools.cocoeval
        print(xtcocotools.__doc__, xtcocotools.cocoeval.COCOeval.__module__)
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert 'Stand-in' in done.stdout and 'gvhmr_da_mm.compat.coco_tools' in done.stdout


def test_package_that_works_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, 'xtcocotools', raising=False)
    finders = [finder for finder in sys.meta_path if type(finder).__name__ != '_Finder']
    monkeypatch.setattr(sys, 'meta_path', finders)
    monkeypatch.setattr(xtcocotools_import, '_real_package_works', lambda: True)
    xtcocotools_import.provide_xtcocotools()
    assert sys.meta_path == finders
