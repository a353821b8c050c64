"""Moving pictures of README.md: a clip before and after adaptation, and a recovered video."""

from collections.abc import Iterable
from itertools import count, takewhile
from pathlib import Path

import numpy as np
from material import Material, Scene
from PIL import Image

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.visualization import VideoReader, WorldView, draw_tile
from gvhmr_da_mm.visualization.contact_sheet import beside, window_picture
from gvhmr_da_mm.visualization.window import Window

RUNS = {'source': 'before adaptation', 'adapted': 'after adaptation'}
FILM_HEIGHT, WORLD_HEIGHT, VIDEO_HEIGHT = 480, 290, 276
"""Heights of the film, of the view of the world below it, and of the video, px."""
STEP, VIDEO_STEP = 2, 3
"""Of how many frames one is shown."""
QUALITY, VIDEO_QUALITY = 70, 55


class Column:
    """A prediction on the film, and in the world below it.

    Args:
        scene (Scene): The clip.
        title (str): Shown on it.
    """

    def __init__(self, scene: Scene, title: str) -> None:
        self.scene, self.title = scene, title
        self.window = Window.whole(scene.img_shape, FILM_HEIGHT)
        truth = scene.truth.aligned_to(scene.prediction)
        size = (self.window.width, WORLD_HEIGHT)
        self.world = WorldView(scene.prediction, truth, size)

    def draw(self, frame: int) -> np.ndarray:
        """Return an RGB image, uint8."""
        scene = self.scene
        tile = draw_tile(
            scene.prediction,
            frame,
            self.window,
            scene.img_shape,
            scene.film(frame),
            lines=[self.title],
        )
        return np.concatenate((tile, self.world.draw(frame)))


def draw_adaptation(material: Material, clip: str, path: Path) -> None:
    """Draw a clip before and after adaptation; write an animated WebP.

    Args:
        material (Material): With the run of the demo.
        clip (str): ``<dataset>/<sequence>``.
        path (Path): The file.
    """
    columns = [Column(material.scene(run, clip), title) for run, title in RUNS.items()]
    frames = range(0, len(columns[0].scene.prediction), STEP)
    images = (beside([column.draw(frame) for column in columns]) for frame in frames)
    _write(path, images, STEP, QUALITY)


def draw_video(video: Path, path: Path) -> None:
    """Write a video as a smaller animated WebP."""
    reader = VideoReader(video)
    window = Window.whole(reader(0).shape[:2], VIDEO_HEIGHT)
    pictures = (window_picture(reader, frame, window) for frame in count(0, VIDEO_STEP))
    _write(path, takewhile(lambda image: image is not None, pictures), VIDEO_STEP, VIDEO_QUALITY)


def _write(path: Path, images: Iterable[np.ndarray], step: int, quality: int) -> None:
    """Write an animated WebP of every ``step``-th frame."""
    first, *others = (Image.fromarray(image) for image in images)
    options = dict(duration=round(1000 * step / FPS), loop=0, quality=quality, method=6)
    first.save(path, save_all=True, append_images=others, **options)
