"""The converter on the command line; what it does is tested with its module."""

import os

import numpy as np
import torch

from gvhmr_da_mm.models.checkpoint_keys import ours_to_published
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_model_config


class Exploit:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f'touch {self.marker}',)


def convert(call, *arguments):
    return call('model_converters/gvhmr_to_mm', *arguments)


def test_there_and_back(call, toy_root, tmp_path):
    weights = ours_to_published(MODELS.build(toy_model_config(toy_root)).state_dict())
    torch.save(dict(state_dict=weights), tmp_path / 'release.ckpt')
    np.savez(tmp_path / 'stats.npz', mean=np.zeros(151), std=np.ones(151))
    code, _, err = convert(call, tmp_path / 'release.ckpt', tmp_path / 'a.pth')
    assert code == 2 and '--gvhmr-repo' in err
    options = ('--stats', tmp_path / 'stats.npz')
    code, printed, err = convert(call, tmp_path / 'release.ckpt', tmp_path / 'a.pth', *options)
    assert code == 0, err
    assert f'{len(weights)} of {len(weights)} tensors fit' in printed and 'a.pth' in printed
    code, _, err = convert(call, tmp_path / 'a.pth', tmp_path / 'b.ckpt', '--reverse')
    assert code == 0, err
    back = torch.load(tmp_path / 'b.ckpt')['state_dict']
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name], value) for name, value in weights.items())


def test_an_exploit_is_refused(call, tmp_path):
    marker = tmp_path / 'marker'
    torch.save(dict(state_dict={}, callbacks=Exploit(marker)), tmp_path / 'evil.ckpt')
    code, _, err = convert(call, tmp_path / 'evil.ckpt', tmp_path / 'a.pth', '--stats', 's.npz')
    assert code == 2 and 'system`' in err and 'Nothing in it was run' in err
    assert not marker.exists() and not (tmp_path / 'a.pth').exists()
