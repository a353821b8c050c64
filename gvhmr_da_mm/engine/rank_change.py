"""What is different when a run goes on with another number of processes."""


def rank_change_message(before: int, now: int, batch_size: int) -> str:
    """Return what to tell about a checkpoint of ``before`` ranks that ``now`` ranks go on from.

    Args:
        before (int): Ranks that saved it.
        now (int): Ranks that read it.
        batch_size (int): Clips of each rank and iteration now.
    """
    return (
        f'The checkpoint was saved by {before} process{"es" * (before > 1)}, now there are {now}. '
        f'An iteration now takes {now} x {batch_size} clips. It takes as many as before if '
        f'`train_dataloader.batch_size` is {before}/{now} of what it was. The clips come in the '
        'same order from the same place; an epoch has another number of iterations unless as many '
        'clips are taken. Random numbers start anew.'
    )
