"""The notebook runs from the first cell to the last."""

import re

import cv2
import pytest

from .markdown import REPO_ROOT

nbformat = pytest.importorskip('nbformat', reason='requirements/tests.txt has it')
nbclient = pytest.importorskip('nbclient', reason='requirements/tests.txt has it')

NOTEBOOK = REPO_ROOT / 'docs' / 'notebooks' / 'gvhmr_da_mm.ipynb'
FRAMES = 70
"""Frames of the video that are shown to it."""
OPTIONS = "options = {'train_cfg.max_epochs': EPOCHS"
FEW_STEPS = f"{OPTIONS}, 'train_dataloader.batch_sampler.batches_per_epoch': 2"


def shorten(video, path):
    """Write the first frames of a video."""
    reader = cv2.VideoCapture(str(video))
    pictures = [reader.read()[1] for _ in range(FRAMES)]
    size = pictures[0].shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 25, size)
    for picture in pictures:
        writer.write(picture)
    writer.release()


@pytest.mark.media
@pytest.mark.slow
def test_notebook_runs(media, tmp_path, monkeypatch):
    pytest.importorskip('mediapipe', reason='MediaPipe is not installed')
    shorten(media / 'sports2d_demo.mp4', tmp_path / 'video.mp4')
    monkeypatch.setenv('GVHMR_NOTEBOOK_EPOCHS', '1')
    monkeypatch.setenv('GVHMR_NOTEBOOK_VIDEO', str(tmp_path / 'video.mp4'))
    monkeypatch.setenv('GVHMR_NOTEBOOK_DIR', str(tmp_path / 'work'))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get('outputs') for cell in notebook.cells)  # pages of megabytes
    (adaptation,) = [cell for cell in notebook.cells if OPTIONS in cell.source]
    adaptation.source = adaptation.source.replace(OPTIONS, FEW_STEPS)
    where = dict(metadata=dict(path=str(tmp_path)))
    nbclient.NotebookClient(notebook, kernel_name='python3', resources=where).execute()
    printed = ''.join(
        output.get('text', '') for cell in notebook.cells for output in cell.get('outputs', ())
    )
    assert 'person 0: seen in' in printed
    assert 'heldout.reprojection_px' in printed
    pages = [
        output.data['text/html']
        for cell in notebook.cells
        for output in cell.get('outputs', ())
        if output.output_type == 'display_data'
    ]
    assert len([page for page in pages if page.startswith('<iframe')]) == 2


def test_pins_of_the_notebook_are_those_of_the_requirements():
    code = '\n'.join(
        cell.source
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells
        if cell.cell_type == 'code'
    )
    lines = [
        line.partition(';')[0].strip()
        for path in (REPO_ROOT / 'requirements').glob('*.txt')
        for line in path.read_text().splitlines()
    ]
    pins = set(re.findall(r"'([\w-]+[=><][^']+)'", code))
    assert len(pins) > 5 and pins <= set(lines), pins - set(lines)
