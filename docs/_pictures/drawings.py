"""The pictures, by the name of their file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from animation import draw_adaptation, draw_video
from browser import screenshot
from curves import RUNS, draw_run
from material import Material
from PIL import Image

from benchmarks.adaptation.filter_quality import measure_filter
from benchmarks.adaptation.plots import plot_confidence
from benchmarks.adaptation.run_config import real_sources
from gvhmr_da_mm.visualization import (
    MotionLocalVisualizer,
    VideoReader,
    WorldView,
    write_html_viewer,
)
from gvhmr_da_mm.visualization.adaptation_curves import plot_adaptation
from gvhmr_da_mm.visualization.training_log import find_logs, read_training_log

Drawing = Callable[[Material, Path], None]
PICTURES: dict[str, Drawing] = {}
CLIP = 'emdb2/P4_35_indoor_walk'
"""The test clip of the demo that is shown."""
FRAME = 60
VIDEO_FRAME = 120
"""Of the video: two people are seen."""
WINDOW = (1100, 660)
"""Width and height of the browser, px."""
QUALITY = 80
CLIPS = 40
"""Unlabelled windows of each dataset whose pseudo-labels are measured."""


def picture(name: str) -> Callable[[Drawing], Drawing]:
    """Register the function that makes a picture, by the name of its file."""

    def register(draw: Drawing) -> Drawing:
        PICTURES[name] = draw
        return draw

    return register


def write(path: Path, image: np.ndarray) -> None:
    """Write an RGB image (h, w, 3), uint8, as WebP."""
    Image.fromarray(image).save(path, quality=QUALITY, method=6)


def write_chart(path: Path, chart: Path) -> None:
    """Write a PNG as WebP."""
    write(path, np.asarray(Image.open(chart).convert('RGB')))


@picture('adaptation.webp')
def _adaptation(material: Material, path: Path) -> None:
    draw_adaptation(material, CLIP, path)


@picture('video.webp')
def _video(material: Material, path: Path) -> None:
    draw_video(material.recovered / 'overlay.mp4', path)


@picture('contact_sheet.webp')
def _contact_sheet(material: Material, path: Path) -> None:
    scene = material.scene('adapted', CLIP)
    visualizer = MotionLocalVisualizer(data_root=material.data_root)
    write(path, visualizer.draw_datasample(scene.dump.sample, scene.film, inputs=scene.dump.inputs))


@picture('viewer.webp')
def _viewer(material: Material, path: Path) -> None:
    page = material.work_dir / 'viewer.html'
    write_html_viewer(page, material.scene('adapted', CLIP).dump, material.data_root)
    write(path, screenshot(page, FRAME, WINDOW))


@picture('contacts.webp')
def _contacts(material: Material, path: Path) -> None:
    write(path, WorldView(material.scene('adapted', CLIP).prediction, num_bodies=12).draw())


@picture('overlay.webp')
def _overlay(material: Material, path: Path) -> None:
    write(path, VideoReader(material.recovered / 'overlay.mp4')(VIDEO_FRAME))


@picture('two_people.webp')
def _two_people(material: Material, path: Path) -> None:
    write(path, screenshot(material.recovered / 'world.html', VIDEO_FRAME, WINDOW))


@picture('training_curves.webp')
def _training_curves(material: Material, path: Path) -> None:
    chart = material.work_dir / 'training_curves.png'
    plot_adaptation(read_training_log(find_logs(material.demo / 'adapted')), chart)
    write_chart(path, chart)


def _curves(run: str) -> Drawing:
    def draw(material: Material, path: Path) -> None:
        chart = material.work_dir / f'{run}.png'
        draw_run(material, run, chart)
        write_chart(path, chart)

    return draw


for _run in RUNS:
    picture(f'tuning_{_run}.webp')(_curves(_run))


@picture('confidence.webp')
def _confidence(material: Material, path: Path) -> None:
    config, model = material.adapted_model()
    log = read_training_log(find_logs(material.demo / 'adapted'))
    model.pseudo_labeler.threshold = log.train['confidence_threshold'][1][-1]
    measured = measure_filter(model, real_sources(config), CLIPS)
    write_chart(path, plot_confidence([measured], material.work_dir / 'confidence.png'))


@picture('demo_data.webp')
def _demo_data(material: Material, path: Path) -> None:
    write_chart(path, material.data_root / 'preview.png')
