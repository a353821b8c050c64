"""The moving picture on top of README.md: a clip before and after adaptation."""

from pathlib import Path

import numpy as np
from material import Material, Scene
from PIL import Image

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.visualization import WorldView, draw_tile
from gvhmr_da_mm.visualization.contact_sheet import beside
from gvhmr_da_mm.visualization.window import Window

RUNS = {'source': 'before adaptation', 'adapted': 'after adaptation'}
FILM_HEIGHT, WORLD_HEIGHT = 480, 290
"""Heights of the film and of the view of the world below it, px."""
STEP = 2
"""Every second frame is shown."""
QUALITY = 70


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
    first, *others = (
        Image.fromarray(beside([column.draw(frame) for column in columns]))
        for frame in range(0, len(columns[0].scene.prediction), STEP)
    )
    options = dict(duration=round(1000 * STEP / FPS), loop=0, quality=QUALITY, method=6)
    first.save(path, save_all=True, append_images=others, **options)
