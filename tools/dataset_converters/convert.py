"""Convert raw downloads, or the published packs of GVHMR, to sequence packs (docs/en/packs.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gvhmr_da_mm.cli.command_line import add_converter_arguments, report_errors
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError

if TYPE_CHECKING:
    from gvhmr_da_mm.datasets.sources import Source

PUBLISHED = 'hmr4d_support'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source',
        metavar='SOURCE',
        help=f'{PUBLISHED} (the published packs below a data root), or the raw download of '
        'amass, bedlam, emdb or 3dpw',
    )
    parser.add_argument('root', metavar='IN', type=Path, help='folder of the files')
    add_converter_arguments(parser)
    parser.add_argument(
        '--dataset',
        nargs='+',
        help=f'of {PUBLISHED}, written to OUT/DATASET; default: every one that is there',
    )
    parser.add_argument(
        '--features',
        metavar='DIR',
        type=Path,
        help='extracted features of a download, DIR/NAME.npz, with NAME as docs/en/packs.md says',
    )
    parser.add_argument(
        '--data-root', type=Path, help='where the body models are, for amass and bedlam'
    )
    return parser.parse_args()


def make_sources(args: argparse.Namespace) -> dict[Path, Source]:
    """Return the source for each folder of a sequence pack."""
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.core.checks import check_choice
    from gvhmr_da_mm.datasets.sources import PUBLISHED_SOURCES
    from gvhmr_da_mm.datasets.sources.downloads import DOWNLOADS

    check_choice(args.source, [PUBLISHED, *DOWNLOADS], 'SOURCE')
    for name in args.dataset or ():
        check_choice(name, PUBLISHED_SOURCES, '--dataset')
    if args.source != PUBLISHED:
        if args.dataset:
            raise ConfigError(
                f'`--dataset` is for {PUBLISHED}: {args.source} is one data set, leave it out'
            )
        kind = DOWNLOADS[args.source]
        options = dict(data_root=args.data_root) if kind.needs_body else {}
        return {args.out: kind(args.root, args.features, **options)}
    if args.features:
        raise ConfigError(
            f'`--features` is for downloads: {PUBLISHED} contains its features, leave it out'
        )
    chosen = args.dataset or [
        name for name, kind in PUBLISHED_SOURCES.items() if (args.root / kind.subfolder).is_dir()
    ]
    if not chosen:
        folders = ', '.join(kind.subfolder for kind in PUBLISHED_SOURCES.values())
        raise MissingFilesError(
            f'{args.root.absolute()} should have at least one of {folders}, found none'
        )
    sources = {name: PUBLISHED_SOURCES[name] for name in chosen}
    return {args.out / n: kind.below(args.root) for n, kind in sources.items()}


@report_errors
def main() -> int:
    """Convert one data set after another."""
    args = parse_args()
    from gvhmr_da_mm.cli.convert_dataset import convert_dataset

    return max(convert_dataset(source, out, args) for out, source in make_sources(args).items())


if __name__ == '__main__':
    sys.exit(main())
