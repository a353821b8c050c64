"""The tool that adapts to videos: what it says."""

import json

import pytest

import gvhmr_da_mm
from tests.apis.video_adaptation.conftest import SHORT, source, videos  # noqa: F401


@pytest.fixture
def adapt(call, videos, source, toy_root, tmp_path):  # noqa: F811
    def _adapt(*arguments, weights=source, out=tmp_path / 'out'):
        options = [f'{key}={value}' for key, value in SHORT.items()]
        return call(
            'adapt', *arguments, '--weights', weights, '--data-root', toy_root, '--out', out,
            '--keypoints', tmp_path / 'keypoints', '--device', 'cpu', '--static-camera',
            '--cfg-options', *options,
        )  # fmt: skip

    return _adapt


def test_one_command(adapt, videos, tmp_path):  # noqa: F811
    (videos / 'bad [1].mp4').write_bytes(b'')
    code, printed, err = adapt(videos)
    assert code == 1, err
    assert 'failed bad [1]: ' in printed and 'heldout_fitted.reprojection_px' in printed
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert f'The {report["kept"]} model was kept' in printed


def test_wrong_arguments(adapt, videos, tmp_path):  # noqa: F811
    (tmp_path / 'file').write_text('')
    code, _, err = adapt(videos, out=tmp_path / 'file')
    assert code == 2 and '`--out` should be a folder that can be written' in err
    code, _, err = adapt(videos, weights=tmp_path / 'none.pth')
    assert code == 2 and 'none.pth' in err
    code, _, err = adapt(videos, '--seed', '-1')
    assert code == 2 and 'seed' in err


def test_an_interruption(adapt, videos, monkeypatch):  # noqa: F811
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(gvhmr_da_mm, 'adapt', interrupt)
    code, printed, _ = adapt(videos)
    assert code == 130 and 'Finished stages are kept' in printed
