"""Report of an adaptation to videos."""

import base64
import html
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

import cv2
import numpy as np

from ...fileio.atomic_file import write_atomically
from ...version import __version__
from .judging import METRICS

REPORT, PAGE, WEIGHTS = 'report.json', 'report.html', 'adapted.pth'
STYLE = (
    'body{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}'
    'td,th{padding:.3em 1em;border-bottom:1px solid #ccc;text-align:right}'
    'td:first-child,th:first-child{text-align:left}img,video{width:100%}'
)
STAGES = dict(heldout='network alone', heldout_fitted='fitted to the keypoints')


@dataclass
class AdaptationReport:
    """What an adaptation to videos has brought.

    Args:
        kept (str): ``'adapted'``, or ``'source'`` where the adapted model is not better.
        reasons (list[str]): Why the source was kept; empty otherwise.
        before (dict): ``heldout``, the scores of the source on held-out stretches, and
            ``heldout_fitted``, those of its motion after the fit; see :data:`.METRICS`. Empty if no
            video could be used.
        after (dict): The same of the adapted model; empty if there is none.
        videos (dict[str, dict]): By name: ``trained_s`` and ``heldout_s``, seconds of people;
            ``notes``; ``failure``, why the video was not used; ``comparison``, the drawn video.
        seconds (float): Time of this run.
        weights (str): File of the model that was kept.
        settings (dict): Model, seed and options.
    """

    kept: str
    reasons: list[str]
    before: dict[str, Any]
    after: dict[str, Any]
    videos: dict[str, dict[str, Any]]
    seconds: float
    weights: str
    settings: dict[str, Any]
    version: str = field(default=__version__)

    def write(self, out: Path, pictures: dict[str, np.ndarray]) -> None:
        """Write ``report.json`` and ``report.html``.

        Args:
            out (Path): The folder.
            pictures (dict[str, np.ndarray]): RGB picture (H, W, 3) of each drawn video.
        """
        write_atomically(out / REPORT, json.dumps(asdict(self), indent=1, default=str) + '\n')
        write_atomically(out / PAGE, self._page(pictures))

    def _page(self, pictures: dict[str, np.ndarray]) -> str:
        said = 'The adapted model is better and was kept.'
        if self.kept == 'source':
            reasons = ''.join(f'<li>{html.escape(reason)}</li>' for reason in self.reasons)
            said = f'The source model was kept:<ul>{reasons}</ul>'
        parts = [f'<p>{said}</p>', self._scores()]
        for name, facts in self.videos.items():
            parts.append(f'<h2>{html.escape(name)}</h2>')
            notes = [*facts.get('notes', []), *filter(None, [facts.get('failure')])]
            parts += [f'<p>{html.escape(note)}</p>' for note in notes]
            if facts.get('comparison'):
                poster = ''
                if name in pictures:
                    poster = f'<img src="{_inline(pictures[name])}" alt="before and after">'
                link = quote(facts['comparison'])
                parts.append(f'{poster}<p><a href="{link}">before and after, held out</a></p>')
        head = f'<meta charset="utf-8"><title>Adaptation</title><style>{STYLE}</style>'
        return f'<!doctype html>{head}<h1>Adaptation</h1>{"".join(parts)}\n'

    def _scores(self) -> str:
        if not self.before:
            return ''
        rows = ['<tr><th>on held-out stretches</th><th>before</th><th>after</th></tr>']
        for stage, title in STAGES.items():
            for metric, unit in METRICS.items():
                cells = [scores.get(stage, {}).get(metric) for scores in (self.before, self.after)]
                numbers = ''.join(f'<td>{_number(value)}</td>' for value in cells)
                rows.append(f'<tr><td>{title}: {metric} ({unit})</td>{numbers}</tr>')
        return f'<table>{"".join(rows)}</table>'


def _number(value: Optional[float]) -> str:
    return '–' if value is None else f'{value:.3g}'


def _inline(picture: np.ndarray) -> str:
    encoded = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    return f'data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}'
