"""Command line: ``python -m gvhmr_da_mm.demo --out DIR``."""

import argparse
import sys
import time
from typing import Optional

from gvhmr_da_mm.core.errors import GVHMRError

from .domain_shift import DomainShift
from .generate import generate_demo, read_manifest
from .motions import choose_mocap
from .size import SIZES

SHIFTS = ('features', 'keypoints', 'focal', 'motions')


def parse_args(arguments: Optional[list[str]] = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m gvhmr_da_mm.demo',
        description='Write demo data in the formats of the published packs.',
    )
    parser.add_argument('--out', required=True, help='data root to create, e.g. data/demo')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--size',
        default='small',
        help=f'{", ".join(SIZES)}, or the number of clips, 16 to 500 (default: small)',
    )
    parser.add_argument(
        '--motions',
        metavar='DIR',
        help="recorded motion in the format of AMASS, or 'embedded': the clips of this package "
        '(default: GVHMR_MOCAP, or ../shared/mocap, if there; otherwise the clips)',
    )
    parser.add_argument(
        '--shift', type=float, default=1.0, help='gap between the domains, 0 (none) to 1'
    )
    for name in SHIFTS:
        parser.add_argument(f'--shift-{name}', type=float, help='this gap alone (default: --shift)')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a demo made with other options'
    )
    parser.add_argument('--no-preview', action='store_true', help='do not draw preview.png')
    return parser.parse_args(arguments)


def main(arguments: Optional[list[str]] = None) -> int:
    """Generate the demo and report the written files."""
    args = parse_args(arguments)
    start = time.perf_counter()
    try:
        given = {name: getattr(args, f'shift_{name}') for name in SHIFTS}
        shift = DomainShift(**{k: args.shift if v is None else v for k, v in given.items()})
        root = generate_demo(
            args.out,
            args.seed,
            shift,
            args.size,
            preview=not args.no_preview,
            overwrite=args.overwrite,
            mocap=choose_mocap(args.motions),
        )
    except GVHMRError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    files = read_manifest(root)['files']
    size = sum(file['bytes'] for file in files) / 1e6
    seconds = time.perf_counter() - start
    print(f'{root}: {len(files)} files, {size:.0f} MB, {seconds:.1f} s')
    print(f'use it with `--data-root {root}` or GVHMR_DATA_ROOT={root}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
