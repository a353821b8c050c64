import json

import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.visualization.adaptation_curves import plot_adaptation
from gvhmr_da_mm.visualization.training_log import find_logs, read_training_log

BLUE = (0xDE, 0x6F, 0x2F)
"""The first curve of a panel, BGR."""


def write_run(work_dir, name, iterations, epochs=(), extra='', **values):
    path = work_dir / name / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    lines = [
        dict(synthetic_loss=float(step), epoch=1, iter=step, step=step, **values)
        for step in iterations
    ]
    lines += [{'emdb1/mpjpe': 100.0 - epoch, 'time': 0.1, 'step': epoch} for epoch in epochs]
    path.write_text(''.join(json.dumps(line) + '\n' for line in lines) + extra)
    return path


def test_resumed_run_replaces_what_it_repeats(tmp_path):
    write_run(tmp_path, '20250101_000000', (2, 4, 6, 8), epochs=(1, 2), grad_norm=1.0)
    write_run(tmp_path, '20250102_000000', (6, 8, 10), epochs=(2, 3), grad_norm=5.0)
    logs = find_logs(tmp_path)
    assert [path.parent.parent.name for path in logs] == ['20250101_000000', '20250102_000000']
    log = read_training_log(logs)
    assert log.train['grad_norm'] == ([2, 4, 6, 8, 10], [1.0, 1.0, 5.0, 5.0, 5.0])
    assert log.val == {'emdb1/mpjpe': ([1, 2, 3], [99.0, 98.0, 97.0])}
    assert read_training_log(logs[-1:]).train['synthetic_loss'][0] == [6, 8, 10]


def test_test_run_after_training_does_not_hide_it(tmp_path):
    write_run(tmp_path, '1', (2, 4))
    write_run(tmp_path, '2', ())
    assert len(find_logs(tmp_path)) == 1
    write_run(tmp_path, '3', (), epochs=(0,))
    assert read_training_log(find_logs(tmp_path)).train['synthetic_loss'][0] == [2, 4]


def test_unfinished_last_line_is_passed_over(tmp_path):
    path = write_run(tmp_path, 'a', (2, 4), extra='{"synthetic_loss": 3.')
    assert read_training_log([path]).train['synthetic_loss'][0] == [2, 4]
    path = write_run(tmp_path, 'b', (2,), extra='broken\n{"step": 1}\n')
    with pytest.raises(DataError, match='line 2'):
        read_training_log([path])


def test_nothing_to_read(tmp_path):
    with pytest.raises(MissingFilesError, match='scalars.json'):
        find_logs(tmp_path)
    path = write_run(tmp_path, 'a', (), epochs=(1,))
    with pytest.raises(DataError, match='no training iteration'):
        read_training_log([path])


def test_folder_of_one_run(tmp_path):
    path = write_run(tmp_path, 'a', (2,))
    assert find_logs(tmp_path / 'a') == [path]


@pytest.mark.parametrize('count', [3, 100])
def test_figure_of_any_run(tmp_path, count):
    values = dict(confidence_threshold=0.6, selection_rate=float('nan'), lr=0.0)
    path = write_run(tmp_path, 'a', range(1, count), (1, 2), grad_norm=2.0, **values)
    out = plot_adaptation(read_training_log([path]), tmp_path / 'new' / 'a.png', 'run')
    import cv2

    image = cv2.imread(str(out))
    assert image.shape == (1350, 1900, 3)
    assert image.std() > 10


def test_values_are_drawn_where_they_are_logged(tmp_path):
    import cv2

    pictures = []
    for name, values in (
        ('a', {}),
        ('b', dict(confidence_mean=0.7)),
        ('c', dict(confidence_mean=2)),
        ('d', dict(reprojection_error=0.1)),
    ):
        path = write_run(tmp_path, name, range(1, 9), **values)
        out = plot_adaptation(read_training_log([path]), tmp_path / f'{name}.png')
        pictures.append(cv2.imread(str(out)).astype(int))
    assert pictures[0].shape == (900, 1900, 3)  # no validation, fewer panels
    panel = [image[:420, 1500:] for image in pictures]
    assert abs(panel[0] - panel[1]).max() > 50
    assert abs(panel[1] - panel[2]).max() > 50  # what is beyond 1 counts as 1
    curve = [(image[470:, 1450:] == BLUE).all(axis=-1).any() for image in pictures]
    assert curve == [False, False, False, True]
