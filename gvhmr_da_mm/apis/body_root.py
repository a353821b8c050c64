"""Where the body model of a prediction comes from."""

import logging
from pathlib import Path
from typing import Optional, Union

from mmengine.logging import print_log

from ..body_models import SMPLXLight
from ..demo.body import stand_in_root
from ..fileio.paths import DATA_ROOT_VARIABLE, resolve_data_root


def find_body_root(data_root: Optional[Union[str, Path]] = None) -> Path:
    """Return a data root with a body: the given one, the usual one with SMPL-X, or the stand-in.

    Args:
        data_root (str | Path, optional): Folder with ``body_models`` and ``support``; it is not
            checked here. Defaults to None: ``$GVHMR_DATA_ROOT`` or ``data`` where they hold SMPL-X,
            else the stand-in body, which is logged.

    Raises:
        MissingFilesError: If there is no SMPL-X, and the mannequin package is not installed.
    """
    if data_root is not None:
        return Path(data_root).expanduser()
    root = resolve_data_root()
    if all(path.is_file() for path in SMPLXLight.required_files(root)):
        return root
    stand_in = stand_in_root()
    print_log(
        f'There is no SMPL-X below {root.absolute()}: the stand-in body of {stand_in} is used, '
        f'whose bones and joints are a little different. Set {DATA_ROOT_VARIABLE} or the data root '
        'where you have SMPL-X',
        'current',
        logging.WARNING,
    )
    return stand_in
