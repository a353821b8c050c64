"""Turn the EMDB download into one of our own packs (docs/en/packs.md)."""

import argparse
import sys
from pathlib import Path

from gvhmr_da_mm.apis.convert_dataset import add_converter_arguments, convert_dataset
from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.datasets.converters import RawEmdbConverter


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='IN', type=Path, help='folder with P0 to P9')
    add_converter_arguments(parser, features='{name}.npz')
    return parser.parse_args()


@report_errors
def main() -> int:
    """Convert."""
    args = parse_args()
    return convert_dataset(RawEmdbConverter(args.source, args.features), args.out, args)


if __name__ == '__main__':
    sys.exit(main())
