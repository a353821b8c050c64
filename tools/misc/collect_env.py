"""Report which packages are installed, missing or broken, with the command that fixes each.

Needs only the standard library, so it runs before anything is installed. Exit code 1 means that
something required is missing, of an unsupported version, or broken.
"""

import argparse
import importlib.util
import shutil
import sys
from pathlib import Path
from platform import platform
from types import ModuleType
from typing import Optional

PACKAGE = 'gvhmr_da_mm'


def open_package() -> None:
    """Make the submodules importable, although the package raises where others are missing.

    An empty module with the folder of the package takes its place.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:  # not installed: this is a checkout
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        spec = importlib.util.find_spec(PACKAGE)
    if PACKAGE not in sys.modules:
        package = ModuleType(PACKAGE)
        package.__path__, package.__spec__ = spec.submodule_search_locations, spec
        sys.modules[PACKAGE] = package


open_package()

from gvhmr_da_mm.compat import (  # noqa: E402
    PackageState,
    inspect_packages,
    provide_xtcocotools,
    python_problem,
    remedies,
)
from gvhmr_da_mm.compat.data_layout import BODY_FILES  # noqa: E402
from gvhmr_da_mm.fileio.paths import DATA_ROOT_VARIABLE, resolve_data_root  # noqa: E402
from gvhmr_da_mm.version import __version__  # noqa: E402

GOOD, NOTE, BAD = 'ok', 'note', 'PROBLEM'
STYLES = {GOOD: 'green', NOTE: 'yellow', BAD: 'bold red'}

Row = tuple[str, str, str]
"""Item, level (one of GOOD, NOTE, BAD), details."""


def main(argv: Optional[list[str]] = None) -> int:
    """Print the report; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--data-root',
        help=f'folder of the datasets and body models (else ${DATA_ROOT_VARIABLE}, else data); '
        'if it is given and does not exist, the exit code is 1',
    )
    parser.add_argument('--plain', action='store_true', help='text without tables or colour')
    args = parser.parse_args(argv)

    provide_xtcocotools()
    states = inspect_packages()
    sections = {
        'System': system_rows(),
        'Packages': [package_row(state) for state in states],
        'Capabilities': capability_rows(states),
        'Data': data_rows(args.data_root),
    }
    show = show_plain if args.plain or not has_rich() else show_rich
    show(sections, remedies(state for state in states if is_problem(state)))
    others = remedies(state for state in states if state.requirement.role == 'optional')
    if others:
        print('\nOptional packages:')
        print('\n'.join(f'  {command}' for command in others))

    problems = [row for rows in sections.values() for row in rows if row[1] == BAD]
    if problems:
        print(f'\n{len(problems)} problem(s): {", ".join(row[0] for row in problems)}.')
        print('In a checkout, `make venv` installs everything into .venv.')
        return 1
    print('\nEverything required is there.')
    return 0


def is_problem(state: PackageState) -> bool:
    """Return whether a required package is missing or unusable."""
    return not state.ok and state.requirement.role == 'required'


def system_rows() -> list[Row]:
    """Return the rows for Python and this package."""
    problem = python_problem()
    detail = f'{sys.version.split()[0]} at {sys.executable}'
    return [
        ('Python', BAD if problem else GOOD, f'{detail}; {problem}' if problem else detail),
        ('Platform', GOOD, platform()),
        (PACKAGE, GOOD, __version__),
    ]


def package_row(state: PackageState) -> Row:
    """Return the row of one package."""
    requirement = state.requirement
    role = '' if requirement.role == 'required' else f' ({requirement.role})'
    level = GOOD if state.ok else BAD if is_problem(state) else NOTE
    parts = [state.version or '', '' if state.ok else state.status]
    if not state.ok or state.detail != requirement.module:
        parts.append(state.detail)
    parts.append(f'[{requirement.purpose}]')
    return requirement.module + role, level, ' '.join(part for part in parts if part)


def capability_rows(states: list[PackageState]) -> list[Row]:
    """Return the rows for GPU, MMEngine and compiled operations."""
    usable = {state.requirement.module: state for state in states if state.ok}
    rows: list[Row] = []
    if 'torch' in usable:
        import torch

        if torch.cuda.is_available():
            names = {torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
            detail = f'CUDA {torch.version.cuda}, {torch.cuda.device_count()} x {", ".join(names)}'
            rows.append(('GPU', GOOD, detail))
        else:
            rows.append(('GPU', NOTE, without_gpu(torch.version.cuda)))
    if 'mmengine' in usable:
        state = usable['mmengine']
        fork = state.detail.startswith('onedl')
        detail = 'the maintained fork' if fork else 'stock; the fork knows torch 2.6 and later'
        rows.append(('MMEngine', GOOD, f'{state.detail} {state.version}: {detail}'))
    if 'mmcv' in usable:
        rows.append(mmcv_ops_row())
    return rows


def without_gpu(cuda: Optional[str]) -> str:
    """Explain why PyTorch sees no GPU, and what to do where the machine has one.

    Args:
        cuda (str, optional): The CUDA version that this torch is built for.
    """
    if shutil.which('nvidia-smi') is None:
        return 'none on this machine; everything runs on the CPU, slowly'
    if cuda:
        return (
            f'torch is built for CUDA {cuda} and sees no device, but `nvidia-smi` is there: run it '
            'to see whether the driver works, and unset CUDA_VISIBLE_DEVICES'
        )
    return (
        'this torch is built without CUDA, and the machine has an NVIDIA driver: uninstall torch '
        'and install the build that https://pytorch.org/get-started/locally names for it'
    )


def mmcv_ops_row() -> Row:
    """Return the row for the compiled operations of mmcv."""
    try:
        import mmcv.ops  # noqa: F401
    except Exception as error:  # a build for another torch may raise anything
        reason = f'{type(error).__name__}: {error}'.splitlines()[0]
        without = 'MMPose runs with stand-ins (gvhmr_da_mm.compat); models that need them do not'
        return 'mmcv operations', NOTE, f'none ({reason}); {without}'
    return 'mmcv operations', GOOD, 'compiled: the whole of MMPose can be used'


def data_rows(data_root: Optional[str]) -> list[Row]:
    """Return the rows for the datasets and body models below the data root."""
    root = resolve_data_root(data_root)
    if not root.is_dir():
        how = f'give --data-root DIR or set {DATA_ROOT_VARIABLE}'
        return [('data root', BAD if data_root else NOTE, f'{root.absolute()} is missing; {how}')]
    rows: list[Row] = [('data root', GOOD, str(root.absolute()))]
    try:
        from gvhmr_da_mm.datasets.sources.expected_files import expected_files

        groups = expected_files()
    except Exception:  # what is missing or broken among the packages is reported above
        groups = BODY_FILES
        rows.append(('data sets', NOTE, 'not checked, as a package that reads them is missing'))
    for group in groups:
        folder = root / group.folder
        if group.is_optional and not folder.is_dir():
            continue
        missing = [name for name in group.files if not (folder / name).exists()]
        if missing:
            detail = f'{folder}: missing {", ".join(missing)} ({group.how_to_get})'
            rows.append((group.name, NOTE, detail))
        else:
            rows.append((group.name, GOOD, f'{len(group.files)} of {len(group.files)}, {folder}'))
    return rows


def has_rich() -> bool:
    """Return whether rich can be imported."""
    try:
        import rich.table  # noqa: F401
    except Exception:
        return False
    return True


def show_plain(sections: dict[str, list[Row]], fixes: list[str]) -> None:
    """Print the report as plain text."""
    for title, rows in sections.items():
        print(f'\n{title}')
        for what, level, detail in rows:
            print(f'  {level:8}{what:34}{detail}')
    if fixes:
        print('\nTo fix it:')
        print('\n'.join(f'  {command}' for command in fixes))


def show_rich(sections: dict[str, list[Row]], fixes: list[str]) -> None:
    """Print the report as tables."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for title, rows in sections.items():
        table = Table(title=title, title_justify='left', title_style='bold', show_header=False)
        table.add_column('what', no_wrap=True)
        table.add_column('state', no_wrap=True)
        table.add_column('detail', overflow='fold')
        for what, level, detail in rows:
            table.add_row(what, Text(level, style=STYLES[level]), Text(detail))
        console.print(table)
    if fixes:
        console.print('To fix it:', style='bold')
        for command in fixes:  # not wrapped, to be copied
            console.print(f'  {command}', markup=False, highlight=False, soft_wrap=True)


if __name__ == '__main__':
    sys.exit(main())
