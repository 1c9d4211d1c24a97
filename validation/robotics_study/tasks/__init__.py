"""The tasks of the study."""

from __future__ import annotations

from validation.robotics_study.task import Task
from validation.robotics_study.tasks import insert, lift, push, reach

TASKS: dict[str, Task] = {module.TASK.name: module.TASK for module in (reach, push, insert, lift)}
