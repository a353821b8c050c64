"""Comparison of items of datasets."""

import torch


def assert_same_item(first, second):
    """Check that two items are bit-identical in inputs, labels and meta information."""
    assert first['inputs'].keys() == second['inputs'].keys()
    for key, value in first['inputs'].items():
        assert torch.equal(value, second['inputs'][key]), key
    first, second = first['data_samples'], second['data_samples']
    assert first.metainfo == second.metainfo
    assert ('gt_instances' in first) == ('gt_instances' in second)
    if 'gt_instances' in first:
        for key, value in first.gt_instances.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(second.gt_instances[key]))
