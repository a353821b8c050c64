"""Make the pictures of README.md and the pages: ``make pictures``.

They show a run of `make demo` and a video of a package of PyPI, which is downloaded. The docs show
those in docs/pictures.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for the benchmarks

from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402 - needs the path above


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='python docs/_pictures', description=__doc__)
    parser.add_argument('--demo', type=Path, default=ROOT / 'work_dirs' / 'demo', help='its folder')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'pictures')
    parser.add_argument('--out', type=Path, default=ROOT / 'docs' / 'pictures')
    parser.add_argument('--only', nargs='+', metavar='NAME', help='of the file; default: all')
    return parser.parse_args()


@report_errors
def main() -> None:
    """Make the pictures."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from drawings import PICTURES
    from material import Material

    from gvhmr_da_mm.core.errors import ConfigError

    unknown = set(args.only or ()) - set(PICTURES)
    if unknown:
        raise ConfigError(f'`--only` should be of {list(PICTURES)}, got {sorted(unknown)}')
    for folder in (args.work_dir, args.out):
        folder.mkdir(parents=True, exist_ok=True)
    material = Material(args.demo, args.work_dir)
    for name, draw in PICTURES.items():
        if args.only is None or name in args.only:
            draw(material, args.out / name)
            print(f'{args.out / name}: {(args.out / name).stat().st_size / 1e6:.2f} MB', flush=True)


if __name__ == '__main__':
    main()
