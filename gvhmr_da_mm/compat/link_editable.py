"""Let ``mim`` find an editable installation: ``python -m gvhmr_da_mm.compat.link_editable``.

``mim`` looks for ``site-packages/<package>/.mim``. A modern editable install (PEP 660) leaves no
such folder there, only a finder, so the package is linked into site-packages. Run this once after
``pip install -e .`` (``make venv`` does). The link is written into the installation's record, so
that pip removes it when it uninstalls or replaces the package, and never writes through it into
the checkout.
"""

import sys
from importlib import metadata
from pathlib import Path

PACKAGE = 'gvhmr_da_mm'


def main() -> int:
    """Make the link; return the exit code."""
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        print(f'{PACKAGE} is not installed here. Run `pip install --no-deps -e .` first.')
        return 1
    record = next((file for file in distribution.files or () if file.name == 'RECORD'), None)
    if record is None:
        print(f'The installation of {PACKAGE} has no RECORD: install it with pip.')
        return 1
    record = Path(record.locate())
    link = record.parents[1] / PACKAGE
    if link.exists() and not link.is_symlink():
        print(f'{link} is a normal installation, which mim finds as it is.')
        return 0
    link_package(Path(__file__).resolve().parents[1], link, record)
    return 0


def link_package(package: Path, link: Path, record: Path) -> None:
    """Link a package folder and add the link to the installation's record.

    Args:
        package (Path): The package's folder in the checkout.
        link (Path): Where the link goes, in site-packages.
        record (Path): The ``RECORD`` file of the installation.
    """
    if link.is_symlink():
        link.unlink()
    link.symlink_to(package, target_is_directory=True)
    entry = f'{link.name},,'
    lines = record.read_text(encoding='utf-8').splitlines()
    if entry not in lines:
        record.write_text('\n'.join([*lines, entry]) + '\n', encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
