"""Batched, resumable extraction of the image features of a person clip."""

import hashlib
import logging
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..core.errors import GVHMRError
from ..core.layout import IMAGE_FEATURE_DIM
from ..fileio.atomic_file import open_atomically
from .frame_source import FrameSource
from .person_clip import PersonClip
from .person_crop import crop_person, mirror_box

Progress = Callable[[Iterable], Iterable]


class ImageFeatureExtractor:
    """Compute the image features of clips.

    An unreadable frame gets a feature of zeros, which stands for a missing image in training, too;
    it is listed in the clip's facts.

    Args:
        network (nn.Module): Crops (B, 3, 256, 256), uint8, to features (B, 1024).
        batch_size (int): Crops per batch; 16 need 5 GB in fp32 with ViT-H. Defaults to 16.
        flip (bool): Whether to add features of the mirrored images, which the flip test needs.
            Defaults to True.
        image_scale (float): See :func:`crop_person`. Defaults to 1.
        device (str, optional): Defaults to None: a GPU if there is one. On a GPU the network runs
            in fp16.
        save_every (int): Batches between saves of unfinished work. Defaults to 50.
    """

    def __init__(
        self,
        network: nn.Module,
        batch_size: int = 16,
        flip: bool = True,
        image_scale: float = 1.0,
        device: Optional[str] = None,
        save_every: int = 50,
    ) -> None:
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        self.network = network.to(self.device).eval()
        self.batch_size, self.flip, self.save_every = batch_size, flip, save_every
        self.image_scale = image_scale

    @cached_property
    def signature(self) -> str:
        """Digest of what the features of a crop depend on: weights and ``image_scale``."""
        digest = hashlib.sha256(str(float(self.image_scale)).encode())
        for name, value in self.network.state_dict().items():
            content = value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
            digest.update(name.encode())
            digest.update(content)
        return digest.hexdigest()

    def __call__(
        self,
        clip: PersonClip,
        source: FrameSource,
        partial: Optional[Path] = None,
        progress: Progress = iter,
    ) -> PersonClip:
        """Add ``features`` (F, 1024), float16, to a clip, and those of the mirrored images.

        Args:
            clip (PersonClip): Boxes and frame numbers; changed in place.
            source (FrameSource): Its video.
            partial (Path, optional): File of unfinished work, removed at the end. That of other
                boxes or another network is not continued. Defaults to None: intermediate results
                are not saved.
            progress (Callable): Wraps the loop over batches. Defaults to ``iter``.

        Returns:
            PersonClip: The same clip.
        """
        mirrored = mirror_box(clip.bbx_xys, clip.img_wh[0])
        rows = 2 if self.flip else 1
        features = np.zeros((rows, len(clip), IMAGE_FEATURE_DIM), np.float16)
        failures: list[str] = []
        done = self._resume(partial, clip, features, failures)
        crops = self._crops(clip, source, mirrored, done, failures)
        for number, (frames, batch) in enumerate(progress(_batches(crops, self.batch_size)), 1):
            result = self._run(batch)
            features[:, frames] = result.reshape(len(frames), rows, -1).transpose(1, 0, 2)
            if partial is not None and number % self.save_every == 0:
                self._save(partial, clip, features, frames[-1] + 1, failures)
        clip.features = features[0]
        if self.flip:
            clip.flip_features = features[1]
            clip.flip_bbx_xys = mirrored.astype(np.float32)
        clip.facts = {**clip.facts, 'feature_failures': failures}
        if partial is not None:
            partial.unlink(missing_ok=True)
        return clip

    def _crops(
        self,
        clip: PersonClip,
        source: FrameSource,
        mirrored: np.ndarray,
        done: int,
        failures: list[str],
    ) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Yield each readable frame with its crops: plain and, with ``flip``, mirrored."""
        wanted = clip.frame_numbers[done:]
        pictures = source.frames(np.unique(wanted).tolist())
        last, image = -1, None
        for frame, number in enumerate(wanted, done):
            while last < number:
                last, image = next(pictures)
            if image is None:
                failures.append(f'frame {number} cannot be decoded')
                continue
            try:
                crops = [crop_person(image, clip.bbx_xys[frame], self.image_scale)]
                if self.flip:
                    flipped = np.ascontiguousarray(image[:, ::-1])
                    crops.append(crop_person(flipped, mirrored[frame], self.image_scale))
            except GVHMRError as error:
                failures.append(f'frame {number}: {error}')
                continue
            yield frame, crops

    @torch.no_grad()
    def _run(self, crops: list[np.ndarray]) -> np.ndarray:
        """Return the features (B, 1024) of crops (256, 256, 3)."""
        batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).to(self.device)
        with torch.autocast(self.device.type, torch.float16, self.device.type == 'cuda'):
            features: Tensor = self.network(batch)
        return features.float().cpu().numpy()

    def _save(
        self, partial: Path, clip: PersonClip, features: np.ndarray, done: int, failures: list[str]
    ) -> None:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(partial) as file:
            np.savez(
                file,
                features=features,
                done=done,
                failures=np.array(failures, str),
                bbx_xys=clip.bbx_xys,
                signature=self.signature,
            )

    def _resume(
        self,
        partial: Optional[Path],
        clip: PersonClip,
        features: np.ndarray,
        failures: list[str],
    ) -> int:
        """Read unfinished work into ``features`` and ``failures``; return its number of frames."""
        if partial is None or not partial.is_file():
            return 0
        try:
            with np.load(partial, allow_pickle=False) as content:
                same = np.array_equal(content['bbx_xys'], clip.bbx_xys)
                if not same or content['features'].shape != features.shape:
                    return 0
                if str(content['signature']) != self.signature:
                    print_log(
                        f'the unfinished features of {partial} are of another network, or of crops '
                        'of another scale: the extraction begins again',
                        'current',
                        logging.WARNING,
                    )
                    return 0
                features[:] = content['features']
                failures.extend(content['failures'].tolist())
                return int(content['done'])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return 0  # damaged: start again


def _batches(
    crops: Iterator[tuple[int, list[np.ndarray]]], batch_size: int
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Group frames and their crops into batches of about ``batch_size`` crops."""
    first = next(crops, None)
    if first is None:
        return
    per_batch = max(batch_size // len(first[1]), 1)
    crops = chain([first], crops)
    while group := list(islice(crops, per_batch)):
        yield [frame for frame, _ in group], [crop for _, several in group for crop in several]
