import json

import pytest

from benchmarks.adaptation.methods import (
    DEFAULT_METHODS,
    METHODS,
    read_variants,
    select_methods,
)
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError


def test_unknown_methods_are_named_with_the_known_ones():
    with pytest.raises(ConfigError, match="'fulll'; known are source, .*full.*oracle"):
        select_methods(['source', 'fulll'])


def test_each_name_once():
    with pytest.raises(ConfigError, match='full twice'):
        select_methods(['full'], {'full': {}})
    with pytest.raises(ConfigError, match='empty'):
        select_methods([])


def test_what_has_a_filter_to_judge():
    assert set(DEFAULT_METHODS) <= set(METHODS)
    judged = {name for name, method in METHODS.items() if method.has_filter}
    assert judged == {'plain', 'published', 'full', 'full_transductive', 'source_free'}
    assert [n for n, method in METHODS.items() if method.transductive] == ['full_transductive']


def test_a_method_needs_the_one_it_starts_from():
    with pytest.raises(ConfigError, match="'source_free', which starts .* name 'source' as well"):
        select_methods(['full', 'source_free'])
    names = ['source_free', 'source']
    assert [method.name for method in select_methods(names)] == names


def test_variants_of_both_kinds(tmp_path):
    expected = {'one_view': {'model.pseudo_labeler.num_augmentations': 1}}
    (tmp_path / 'a.json').write_text(json.dumps(expected))
    (tmp_path / 'a.py').write_text(f'variants = {expected!r}')
    for name in ('a.json', 'a.py'):
        assert read_variants(tmp_path / name) == expected
    (method,) = select_methods([], expected)
    assert method.options == {'model.pseudo_labeler.num_augmentations': 1} and method.has_filter


@pytest.mark.parametrize('name, text', [('a.json', '[1]'), ('a.json', '{'), ('a.py', 'x = 1')])
def test_files_that_hold_no_variants(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=name):
        read_variants(tmp_path / name)
    with pytest.raises(MissingFilesError, match='no_file'):
        read_variants(tmp_path / 'no_file.json')
