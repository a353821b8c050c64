"""Publish a trained model: weights in half precision and a card, NAME.safetensors and NAME.json.

Both files in `gvhmr_da_mm/weights` make it a shipped model, which every tool accepts by its name.
"""

import argparse
from pathlib import Path

from gvhmr_da_mm.cli.command_line import check_output_folder, report_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='checkpoint of the training')
    parser.add_argument('name', metavar='NAME', help='name of the model, such as gvhmr-keypoints-s')
    parser.add_argument(
        '--card-facts',
        required=True,
        nargs='+',
        metavar='FILE.json',
        help='what the checkpoint does not know: description, license, data, limits; a later file '
        'replaces facts of those before',
    )
    parser.add_argument(
        '--summary', metavar='FILE.json', help='summary.json of evaluate_keypoint_model.py'
    )
    parser.add_argument(
        '--config', help='config of the model (default: that stored in the checkpoint)'
    )
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder of both files'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace another model of that name'
    )
    parser.add_argument(
        '--max-mb', type=float, default=12.0, help='largest weights file (default: 12)'
    )
    parser.add_argument(
        '--true-motions',
        type=int,
        default=0,
        metavar='N',
        help="publish N motions of the discriminator's queue, too, for adaptation without labelled "
        'clips: copies of recordings, whose terms have to allow it (default: 0)',
    )
    return parser.parse_args()


@report_errors
def main() -> None:
    """Publish, and print the path and the line for the docs."""
    args = parse_args()
    check_output_folder('--out', args.out)
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis import read_card
    from gvhmr_da_mm.apis.model_table import table_row
    from gvhmr_da_mm.apis.publish_model import publish_model

    path = publish_model(
        args.checkpoint,
        args.name,
        args.card_facts,
        args.out,
        args.summary,
        args.config,
        args.overwrite,
        args.max_mb,
        args.true_motions,
    )
    print(f'Written: {path} ({path.stat().st_size / 1e6:.2f} MB) and its card')
    print(f'To ship it, add `Shipped Model: {args.name}` to the metadata of its config in')
    print('configs/metafile.yml, and this line to the table of docs/*/models.md:')
    print(table_row(read_card(path)))


if __name__ == '__main__':
    main()
