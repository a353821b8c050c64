"""Cache of body models, shared by datasets and metrics."""

from functools import lru_cache
from pathlib import Path
from typing import Optional, Union

from ..core.checks import check_choice
from ..fileio.paths import resolve_data_root
from .linear_blend_body import LinearBlendBody
from .smpl_body import SMPLBody
from .smplx_full import SMPLXBody
from .smplx_light import SMPLXLight

BODY_MODELS = {'smplx_light': SMPLXLight, 'smplx': SMPLXBody, 'smpl': SMPLBody}


def get_body_model(
    kind: str,
    gender: str = 'neutral',
    data_root: Optional[Union[str, Path]] = None,
    support_dir: Optional[Union[str, Path]] = None,
    flat_hand_mean: bool = False,
    device: str = 'cpu',
) -> LinearBlendBody:
    """Return a float32 body model in eval mode, the same object for the same arguments.

    The model is shared: do not move or cast it; ask for another ``device`` instead.

    Args:
        kind (str): 'smplx_light', 'smplx' or 'smpl'.
        gender (str): 'neutral', 'male' or 'female'. Defaults to 'neutral'.
        data_root (str | Path, optional): See :func:`resolve_data_root`.
        support_dir (str | Path, optional): Folder with the resource files, instead of
            ``<data_root>/support``; not used by SMPL.
        flat_hand_mean (bool): Flat SMPL-X hands. Defaults to False.
        device (str): Device of the model. Defaults to 'cpu'.

    Returns:
        LinearBlendBody: A :class:`SMPLXLight`, :class:`SMPLXBody` or :class:`SMPLBody`.

    Raises:
        ConfigError: If ``kind`` or ``gender`` is unknown.
        MissingFilesError: If a file does not exist.
    """
    check_choice(kind, BODY_MODELS, 'kind')
    # Resolved before the cache: the environment variable may change between calls.
    root = resolve_data_root(data_root).absolute()
    if kind == 'smpl':
        return _cached('smpl', str(device), data_root=root, gender=gender)
    support = Path(support_dir).absolute() if support_dir else None
    return _cached(
        kind,
        str(device),
        data_root=root,
        gender=gender,
        support_dir=support,
        flat_hand_mean=flat_hand_mean,
    )


@lru_cache(maxsize=16)
def _cached(kind: str, device: str, **options) -> LinearBlendBody:
    return BODY_MODELS[kind](**options).to(device).eval()
