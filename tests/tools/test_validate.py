"""The tool that checks packs: exit codes, table and file."""

import json

import torch

PACK = 'EMDB/hmr4d_support/emdb_vit_v4.pt'


def test_sound_packs(call, toy_root, tmp_path):
    out = tmp_path / 'new [final]' / 'report.json'
    code, printed, err = call('dataset_tools/analyze_dataset', 'validate', toy_root, '--out', out)
    assert code == 0, err
    assert 'bedlam' in printed and '3dpw' in printed and 'none' in printed
    assert f'Written: {out}' in printed
    report = json.loads(out.read_text())
    assert set(report['datasets']) == {'bedlam', 'emdb', '3dpw'}
    emdb = report['datasets']['emdb']
    assert emdb['sequences'] == len(torch.load(toy_root / PACK, weights_only=True))
    assert emdb['errors'] == emdb['warnings'] == 0


def test_findings_are_named_and_counted(call, packs, tmp_path):
    def spoil(name, record):
        record['bbx_xys'][3:5] = float('nan')

    packs.change(PACK, spoil)
    out = tmp_path / 'report.json'
    options = ('--dataset', 'emdb', '--limit', 2, '--out', out, '--lines', 1)
    code, printed, _ = call('dataset_tools/analyze_dataset', 'validate', packs.root, *options)
    assert code == 1
    assert 'not-finite' in printed and 'key bbx_xys' in printed and 'and 1 more' in printed
    emdb = json.loads(out.read_text())['datasets']['emdb']
    assert emdb['errors'] == 2
    finding = emdb['reports'][0]['findings'][0]
    assert finding['key'] == 'bbx_xys' and 'first in frame 3' in finding['message']
    assert finding['file'].endswith(PACK)


def test_warnings_alone_are_no_failure(call, packs):
    packs.remove('EMDB/hmr4d_support/imgfeats/emdb_flip')
    code, printed, _ = call(
        'dataset_tools/analyze_dataset', 'validate', packs.root, '--dataset', 'emdb'
    )
    assert code == 0 and 'warning missing-file' in printed and 'no flip test' in printed


def test_a_wrong_call(call, tmp_path):
    code, _, err = call('dataset_tools/analyze_dataset', 'validate', tmp_path)
    assert code == 2 and 'no known pack' in err
    code, _, err = call('dataset_tools/analyze_dataset', 'validate', tmp_path / 'nowhere')
    assert code == 2 and 'does not exist' in err
    code, _, err = call('dataset_tools/analyze_dataset', 'validate', tmp_path, '--dataset', 'coco')
    assert code == 2 and '`dataset` should be one of' in err
