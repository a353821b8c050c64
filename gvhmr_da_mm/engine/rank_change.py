"""Warning about a resume with another number of processes."""


def rank_change_message(before: int, now: int, batch_size: int) -> str:
    """Return the warning for a checkpoint of ``before`` ranks that ``now`` ranks resume from.

    Args:
        before (int): Ranks that saved the checkpoint.
        now (int): Ranks that resume.
        batch_size (int): Clips per rank and iteration now.
    """
    return (
        f'The checkpoint was saved by {before} process{"es" * (before > 1)}, now there are {now}. '
        f'An iteration now takes {now} x {batch_size} clips. It takes as many as before if '
        f'`train_dataloader.batch_size` is {before}/{now} of what it was. The clips come in the '
        'same order from the same position; an epoch has another number of iterations unless as '
        'many clips are taken. Random numbers start from the seed.'
    )
