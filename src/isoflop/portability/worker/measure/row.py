"""The columns of a result that follow from the task alone: the same for a task that ran and one that died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.portability.model import Level
    from isoflop.portability.task import Task

Row = dict[str, Any]


def blank_row(task: Task, level: Level) -> Row:
    """Return what is known of a task before it has run.

    Parameters
    ----------
    task : Task
    level : str
        Highest level of evidence that its target can give.

    Examples
    --------
    >>> from isoflop.portability.model import Timing
    >>> from isoflop.portability.task import Item, Task
    >>> item = Item(framework="fake", function="fake.add", provider="fake", dtype="float32")
    >>> task = Task(item=item, target="fake:slow(2)", reference="fake:plain", timing=Timing.none())
    >>> row = blank_row(task, "ran")
    >>> row["function"], row["target"], row["protocol"]
    ('fake.add', 'fake:slow(2)', 'none')
    """
    item = task.item
    return {
        "task_id": task.task_id,
        "repeat": task.repeat,
        "framework": item.framework,
        "target": task.target,
        "target_level": level,
        "reference": task.reference,
        "policy": task.policy,
        "function": item.function,
        "variant": item.variant,
        "provider": item.provider,
        "dtype": item.dtype,
        "size_class": item.size_class,
        "sample_id": item.sample_id,
        "protocol": task.timing.protocol,
    }
