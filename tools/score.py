"""Score the result of any method on videos with labels.

People of the result are matched to the labelled ones by their boxes; the coverage, the share of the
labelled frames in which they were found, is printed beside the errors.
"""

import argparse

from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import ConfigError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'result',
        help="hmr4d_results.pt, WHAM's pkl, TRAM's npy or folder, AMASS' npz, or BVH; or a folder "
        'of results that are named as the videos or sequences',
    )
    parser.add_argument(
        '--against',
        required=True,
        metavar='PACK',
        help='sequence pack with labels, or a folder of published files, such as '
        'data/EMDB/hmr4d_support',
    )
    parser.add_argument(
        '--protocol',
        nargs='+',
        metavar='NAME',
        help='default: those of the data set that are end to end, such as emdb1_e2e',
    )
    parser.add_argument(
        '--sequence', nargs='+', metavar='NAME', help='score these only, e.g. for a single result'
    )
    parser.add_argument('--data-root', help='folder of the body models')
    parser.add_argument('--out', metavar='DIR', help='folder for results.json and results.csv')
    parser.add_argument('--page', metavar='FILE', help='.html: page of each labelled person')
    parser.add_argument('--fps', type=float, help='frames per second of the result, if not stored')
    parser.add_argument('--up', help='up axis of its world, if not that of the format, e.g. +z')
    parser.add_argument(
        '--min-overlap', type=float, default=0.5, help='least overlap of the boxes (default: 0.5)'
    )
    return parser.parse_args()


@report_errors
def main() -> None:
    """Score the result and print the table."""
    args = parse_args()
    if not 0 < args.min_overlap <= 1:
        raise ConfigError(
            f'`--min-overlap` should be above 0 and at most 1, got {args.min_overlap}'
        )
    if args.page and not args.page.endswith('.html'):
        raise ConfigError(f'`--page` should end in .html, got {args.page!r}')
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis.scoring import score_results
    from gvhmr_da_mm.cli.save_results import save_results
    from gvhmr_da_mm.core.errors import list_some

    options = dict(
        sequences=args.sequence,
        data_root=args.data_root,
        fps=args.fps,
        up=args.up,
        min_overlap=args.min_overlap,
    )
    scores = score_results(args.result, args.against, args.protocol, **options)
    save_results(scores.results, scores.metrics, args.out)
    if scores.lost_videos:
        print(
            f'Note: no result for {len(scores.lost_videos)} video(s), whose people count as lost: '
            f'{list_some(scores.lost_videos)}'
        )
    if args.page:
        from gvhmr_da_mm.apis.scoring import write_score_pages

        for page in write_score_pages(args.page, args.result, args.against, **options):
            print(page)


if __name__ == '__main__':
    main()
