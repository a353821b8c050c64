"""Turn the BEDLAM download (30 frames per second) into one of our own packs (docs/en/packs.md)."""

import argparse
import sys
from pathlib import Path

from gvhmr_da_mm.apis.convert_dataset import add_converter_arguments, convert_dataset
from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.datasets.converters import RawBedlamConverter


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='IN', type=Path, help='folder with processed_labels')
    add_converter_arguments(parser, features='{scene}/{video}.mp4-{person}.npz')
    parser.add_argument('--data-root', type=Path, help='where the body models are')
    return parser.parse_args()


@report_errors
def main() -> int:
    """Convert."""
    args = parse_args()
    converter = RawBedlamConverter(args.source, args.features, args.data_root)
    return convert_dataset(converter, args.out, args)


if __name__ == '__main__':
    sys.exit(main())
