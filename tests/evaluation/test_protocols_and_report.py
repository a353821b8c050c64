import csv
import dataclasses
import json

import pytest
from rich.console import Console

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.evaluation import PROTOCOLS, format_table, get_protocol, write_csv, write_json
from gvhmr_da_mm.evaluation.report import METRIC_LABELS, report_rows

RESULTS = {
    'emdb1/pa_mpjpe': 41.2,
    'emdb1/accel': 3.9,
    'emdb2/rte': float('nan'),
    'mine/mpjpe': 50.0,
    'loss': 1.0,
}


def test_protocols_are_frozen_and_name_what_differs():
    given = {'emdb1', 'emdb2', '3dpw', 'rich', 'rich_camera'}
    assert set(PROTOCOLS) == given | {f'{name}_e2e' for name in given}
    for name in given:
        found = PROTOCOLS[f'{name}_e2e']
        assert found.end_to_end and not PROTOCOLS[name].end_to_end
        assert found.regressor == PROTOCOLS[name].regressor
        assert found.describe().endswith('end to end')
    assert PROTOCOLS['rich'].target_body == 'smplx' and PROTOCOLS['3dpw'].target_body == 'smpl'
    assert PROTOCOLS['3dpw'].flat_hand_mean and not PROTOCOLS['emdb1'].flat_hand_mean
    assert PROTOCOLS['3dpw'].pelvis == (2, 3) and PROTOCOLS['emdb1'].pelvis == (1, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROTOCOLS['emdb1'].fps = 25


@pytest.mark.parametrize('name', PROTOCOLS)
def test_every_published_number_has_a_label(name):
    assert set(PROTOCOLS[name].published) <= set(METRIC_LABELS)
    # No published number of RICH was at hand, and none is end to end.
    unpublished = name.startswith('rich') or name.endswith('_e2e')
    assert bool(PROTOCOLS[name].published) is not unpublished


@pytest.mark.parametrize('name', PROTOCOLS)
def test_a_protocol_tells_itself_in_a_dict_and_a_line(name):
    protocol = PROTOCOLS[name]
    assert get_protocol(json.loads(json.dumps(protocol.to_dict()))) == protocol
    line = protocol.describe()
    assert '\n' not in line
    for part in (name, protocol.regressor, protocol.mask, protocol.intrinsics):
        assert part in line


def test_a_protocol_tells_what_was_done_otherwise():
    emdb1 = PROTOCOLS['emdb1']
    assert emdb1.differences(dict(intrinsics='estimated', camera_rotation='true')) == {}
    assert emdb1.differences({}) == {}
    found = emdb1.differences(dict(intrinsics='true', camera_rotation='dpvo', flip_test=True))
    assert set(found) == {'intrinsics', 'camera_rotation'}
    assert found['camera_rotation'].startswith('dpvo instead of true')


def test_a_protocol_can_be_written_in_a_config():
    mine = get_protocol(dict(base='3dpw', name='mine', dataset='mine', pelvis=[2, 3], published={}))
    assert mine.regressor == '3dpw14' and mine.pelvis == (2, 3) and mine.dataset == 'mine'
    assert get_protocol(mine) is mine


@pytest.mark.parametrize(
    'protocol, message',
    [
        ('emdb3', "one of .*'emdb1'.*'emdb3'"),
        (dict(base='emdb1', pelvic=(0,)), 'pelvic'),
        (dict(name='mine'), 'missing'),
        (dict(base='emdb1', space='image'), '`space`'),
        (dict(base='emdb1', target_body='mano'), "`target_body`.*'mano'"),
    ],
)
def test_bad_protocols_are_refused(protocol, message):
    with pytest.raises(ConfigError, match=message):
        get_protocol(protocol)


def test_rows_pair_results_with_published_numbers():
    rows = {(row.protocol, row.metric): row for row in report_rows(RESULTS)}
    assert len(rows) == 4
    assert rows['emdb1', 'PA-MPJPE'].published == 42.7
    assert rows['emdb1', 'PA-MPJPE'].difference == pytest.approx(-1.5)
    assert rows['emdb2', 'RTE'].ours is None and rows['emdb2', 'RTE'].published == 1.9
    assert rows['mine', 'MPJPE'].published is None


def test_table_shows_units_and_signed_differences():
    console = Console(width=100, record=True, file=open('/dev/null', 'w'))
    console.print(format_table(RESULTS))
    text = console.export_text()
    for part in ('PA-MPJPE', 'mm', '41.20', '42.7', '-1.50', 'm/s²', '+0.30', 'mine'):
        assert part in text
    assert 'loss' not in text


def test_files(tmp_path):
    write_json(tmp_path / 'a/out.json', RESULTS, {'emdb2': {'P0_09': {'frames': 3, 'rte': 1.5}}})
    content = json.loads((tmp_path / 'a/out.json').read_text())
    assert content['results']['emdb2/rte'] is None and content['results']['loss'] == 1.0
    assert content['comparison'][0]['published'] == 42.7
    assert content['per_sequence']['emdb2']['P0_09'] == {'frames': 3, 'rte': 1.5}

    write_csv(tmp_path / 'out.csv', RESULTS)
    with open(tmp_path / 'out.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert rows[0]['metric'] == 'PA-MPJPE' and float(rows[0]['difference']) == pytest.approx(-1.5)
    assert rows[2]['ours'] == ''
