"""The converters as they are called, and a config on what they have written."""

import json

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.datasets import config_datasets
from gvhmr_da_mm.datasets.packs import SequencePack
from tests.datasets.sources.downloads import write_emdb, write_threedpw
from tests.docs.markdown import ENGLISH, blocks
from tests.tool_calls import REPO_ROOT

CONFIG = REPO_ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py'


def test_published_files_to_packs_that_a_config_reads(call, toy_root, tmp_path):
    code, printed, err = call('dataset_converters/convert', 'hmr4d_support', toy_root, tmp_path)
    assert code == 0, err
    assert {path.name for path in tmp_path.iterdir()} == {'bedlam', 'emdb', '3dpw'}
    assert 'bedlam: 6 sequences written, 0 done before, 0 failed' in printed
    _, printed, _ = call(
        'dataset_converters/convert', 'hmr4d_support', toy_root, tmp_path, '--dataset', 'emdb'
    )
    assert 'emdb: 0 sequences written' in printed
    names = ('bedlam', 'emdb', '3dpw')
    key = 'train_dataloader.dataset.datasets.{}.pack'
    sources = ('bedlam', 'emdb', 'threedpw')
    options = {key.format(source): str(tmp_path / n) for source, n in zip(sources, names)}
    config = load_config(CONFIG, options, toy_root)
    for dataset in config_datasets(config, ('train',)):
        dataset.full_init()
        assert str(dataset.location).startswith(str(tmp_path)) and len(dataset)


def test_raw_downloads(call, toy_root, tmp_path):
    write_emdb(toy_root, tmp_path / 'raw/EMDB')
    write_threedpw(toy_root, tmp_path / 'raw/3DPW')
    for name, folder in (('emdb', 'EMDB'), ('3dpw', '3DPW')):
        arguments = (name, tmp_path / 'raw' / folder, tmp_path / name, '--limit', 2)
        code, printed, err = call('dataset_converters/convert', *arguments, '--dry-run')
        assert code == 0, err
        assert '2 sequences would be in' in printed and not (tmp_path / name).exists()
        code, printed, err = call('dataset_converters/convert', *arguments, '--no-labels')
        assert code == 0, err
        entries = SequencePack(tmp_path / name).entries.values()
        assert len(entries) == 2 and not any(entry.has_labels for entry in entries)


def test_a_bad_sequence_is_told_and_listed(call, toy_root, tmp_path):
    write_emdb(toy_root, tmp_path / 'EMDB', n_frames=7)
    _, printed, _ = call('dataset_converters/convert', 'emdb', tmp_path / 'EMDB', tmp_path / 'out')
    assert '4 failed' in printed and 'failures.json' in printed
    assert len(json.loads((tmp_path / 'out/failures.json').read_text())) == 4


def test_nothing_is_left_where_nothing_is_found(call, tmp_path):
    for name in ('bedlam', 'emdb', '3dpw', 'hmr4d_support'):
        code, _, err = call('dataset_converters/convert', name, tmp_path, tmp_path / 'out')
        assert code == 2 and 'MissingFilesError' in err
        assert not (tmp_path / 'out').exists()


def test_options_of_the_other_kind_are_refused(call, toy_root, tmp_path):
    for arguments in (('emdb', '--dataset', 'emdb'), ('hmr4d_support', '--features', 'folder')):
        source, *options = arguments
        code, _, err = call('dataset_converters/convert', source, toy_root, tmp_path, *options)
        assert code == 2 and f'`{options[0]}` is for' in err


def test_the_example_of_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example = next(code for code in blocks(ENGLISH / 'packs.md', 'python') if 'PackWriter' in code)
    exec(compile(example, 'packs.md', 'exec'), {})
    assert capsys.readouterr().out == '90 torch.Size([90, 17, 3])\n'
