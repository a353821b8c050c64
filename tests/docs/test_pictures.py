"""Pictures of README.md and the pages: all are made by `docs/_pictures`, shown, and small."""

import re
import sys
from ast import literal_eval

import numpy as np
import pytest
from PIL import Image

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.evaluation import PROTOCOLS
from gvhmr_da_mm.registry import DATASETS
from gvhmr_da_mm.visualization import ground_truth_track
from gvhmr_da_mm.visualization.training_log import TrainingLog

from .markdown import CHINESE, ENGLISH, PAGES, REPO_ROOT, code_words, section, table_rows

SCRIPTS = REPO_ROOT / 'docs' / '_pictures'
FOLDER = REPO_ROOT / 'docs' / 'pictures'
MEGABYTE = 1e6


@pytest.fixture
def scripts(monkeypatch):
    """Let the modules of the script be imported, and forget them afterwards."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    before = set(sys.modules)
    yield
    for path in SCRIPTS.glob('*.py'):
        if path.stem not in before:  # Such as `__main__`, which others need.
            sys.modules.pop(path.stem, None)


def test_pictures_are_those_that_the_script_makes(scripts):
    from drawings import PICTURES

    assert {path.name for path in FOLDER.glob('*.webp')} == set(PICTURES)


@pytest.mark.parametrize('page', [ENGLISH / 'gallery.md', CHINESE / 'gallery.md'])
def test_gallery_shows_all_with_one_line_each(page):
    text = page.read_text(encoding='utf-8')
    shown = re.findall(r'!\[[^\]]+\]\(\.\./pictures/([\w.]+)\)\n\n\*', text)
    assert sorted(shown) == sorted(path.name for path in FOLDER.glob('*.webp'))


def test_pictures_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6 * MEGABYTE
    assert (FOLDER / 'adaptation.webp').stat().st_size < 2 * MEGABYTE
    with Image.open(FOLDER / 'adaptation.webp') as picture:
        assert picture.n_frames > 20 and picture.info['loop'] == 0


def test_pages_show_no_other_pictures():
    for page in PAGES:
        for link in re.findall(r'!\[[^\]]*\]\(([^)]+)\)', page.read_text(encoding='utf-8')):
            inside = (page.parent / link).resolve().parent == FOLDER
            assert inside or link.startswith('https://img.shields.io/'), f'{page}: {link}'


def test_runs_of_the_tuning_page_are_those_drawn(scripts):
    from curves import HEALTHY, RUNS

    page = (ENGLISH / 'tuning.md').read_text(encoding='utf-8')
    for name, run in RUNS.items():
        load_config(SCRIPTS / 'tuning_run.py', run.options)
        below = page.split(f'tuning_{name}.webp)\n\n')[1].split('\n\n')[0]
        told = dict(word.split('=') for word in code_words(below) if '=' in word)
        assert {key: literal_eval(value) for key, value in told.items()} == run.options, name
    assert not RUNS[HEALTHY].options


def test_curves_of_a_run_are_drawn_over_those_of_the_healthy_one(scripts, tmp_path):
    import cv2
    from curves import CURVES, HEALTHY, HELD_OUT, RUNS, SOURCE, VALIDATION_ALONE, draw_run

    logged = [name for names in CURVES.values() for name in names]

    class Logs:
        def adaptation(self, name, options):
            assert options == (VALIDATION_ALONE if name == SOURCE else RUNS[name].options)
            start = 0 if name == HEALTHY else 10
            train, val = (
                {key: ([1, 2], [start + place] * 2) for place, key in enumerate(names)}
                for names in (logged, HELD_OUT)
            )
            return TrainingLog(train, val)

    for name in RUNS:
        path = tmp_path / f'{name}.png'
        draw_run(Logs(), name, path)
        image = cv2.imread(str(path)).astype(int)
        assert image.shape[1] == 324 * (len(RUNS[name].panels) + 1)
        # Pale: the blue of the healthy run on white.
        pale = np.array([0xDE, 0x6F, 0x2F]) * 0.25 + 255 * 0.75
        # A few pixels of any slanted edge have that colour, too.
        assert ((abs(image - pale).max(axis=-1) < 2).sum() > 400) == (name != HEALTHY)


def test_film_shows_the_person_where_the_labels_are(scripts, toy_root):
    from film import PERSON, Film

    dataset = dict(type='EMDBDataset', data_root=str(toy_root), split='emdb1')
    sample = DATASETS.build(dataset)[0]['data_samples']
    truth = ground_truth_track(sample, toy_root, with_mesh=True, K=sample.gt_instances.K_fullimg)
    film = Film(truth, tuple(sample.img_shape[:2]), 200)
    frame = int(np.flatnonzero(truth.valid)[0])
    image = film(frame)
    assert image.shape == (200, film.window.width, 3)
    # The colour of the person, apart from the light, is where the pelvis is, not in the corner.
    pixel = film.window.camera(truth.K[frame]).project(truth.joints_c[frame, 0])[0].astype(int)
    tints = [colour / np.linalg.norm(colour) for colour in (image[pixel[1], pixel[0]], image[0, 0])]
    person = np.array(PERSON) / np.linalg.norm(PERSON)
    assert tints[0] @ person > 0.999 > tints[1] @ person


@pytest.mark.parametrize('name', ['README.md', 'README_zh-TW.md'])
def test_results_of_the_readme_are_those_of_the_pages(name):
    heading = 'Results' if name == 'README.md' else '結果'
    rows = [
        [number for cell in row[1:] for number in cell.split(' / ')]
        for row in table_rows(section(REPO_ROOT / name, heading))
    ]
    page = section(ENGLISH / 'experiments.md', 'Methods under equal conditions')
    measured = {row[0]: [cell.split()[0] for cell in row[1:6]] for row in table_rows(page)[:11]}
    known = [
        'source: synthetic clips only', 'source, refined at test time', 'the defaults',
        'the published recipe', 'oracle, refined at test time',
    ]  # fmt: skip
    assert rows[:5] == [measured[key] for key in known]
    published = [
        PROTOCOLS[protocol].published[metric]
        for protocol, metric in (
            *(('emdb1', 'pa_mpjpe'), ('emdb1', 'mpjpe'), ('3dpw', 'pa_mpjpe'), ('3dpw', 'mpjpe')),
            ('emdb2', 'w_mpjpe'),
        )
    ]
    assert [float(number) for number in rows[5]] == published
