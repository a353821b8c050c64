"""Convert a published GVHMR checkpoint (Lightning) to our format, or back with --reverse.

The size of the network is inferred from the shapes. No code in the file is run.
"""

import argparse

from gvhmr_da_mm.cli.command_line import report_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='IN', help='checkpoint to read')
    parser.add_argument('target', metavar='OUT', help='checkpoint to write; it must not exist')
    parser.add_argument(
        '--stats',
        metavar='FILE.npz',
        help='`mean` and `std` of the motion vector; with --reverse where to write them '
        '(defaults to OUT with the ending .statistics.npz)',
    )
    parser.add_argument(
        '--gvhmr-repo',
        metavar='DIR',
        help='a checkout of GVHMR to take the statistics from; its code is parsed, never run',
    )
    parser.add_argument('--reverse', action='store_true', help='from ours to published')
    return parser.parse_args()


@report_errors
def main() -> None:
    """Convert and write."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis.convert_checkpoint import convert_checkpoint

    convert_checkpoint(args.source, args.target, args.stats, args.gvhmr_repo, args.reverse)


if __name__ == '__main__':
    main()
