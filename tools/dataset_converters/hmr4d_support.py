"""Turn the published hmr4d_support files into our own packs, one per dataset (docs/en/packs.md)."""

import argparse
import sys
from pathlib import Path

from gvhmr_da_mm.apis.convert_dataset import add_converter_arguments, convert_dataset
from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.datasets.converters import PUBLISHED_CONVERTERS


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source', metavar='IN', type=Path, help='data root of the published files (docs/en/data.md)'
    )
    add_converter_arguments(parser)
    parser.add_argument(
        '--dataset',
        nargs='+',
        choices=list(PUBLISHED_CONVERTERS),
        help='packs are written to OUT/{dataset}; default: every data set that is there',
    )
    return parser.parse_args()


@report_errors
def main() -> int:
    """Convert one data set after another."""
    args = parse_args()
    converters = {name: kind(args.source) for name, kind in PUBLISHED_CONVERTERS.items()}
    chosen = args.dataset or [
        name for name, converter in converters.items() if (args.source / converter.source).is_dir()
    ]
    if not chosen:
        raise MissingFilesError(
            f'{args.source.absolute()} has none of '
            f'{", ".join(converter.source for converter in converters.values())}'
        )
    return max(convert_dataset(converters[name], args.out / name, args) for name in chosen)


if __name__ == '__main__':
    sys.exit(main())
