"""A worker: ``python -m isoflop.portability.worker.main IN OUT`` reads tasks and writes rows.

IN and OUT are descriptors inherited from the parent. Whatever libraries print goes to standard output and
error, which the parent keeps as a ring. A closed pipe ends the worker.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from isoflop.portability.registry import PROVIDERS, extend, parse_target
from isoflop.portability.task import Task
from isoflop.portability.worker.interface import Absent, Provider, Target
from isoflop.portability.worker.measure.errors import error_head, error_type
from isoflop.portability.worker.measure.execute import execute
from isoflop.portability.worker.protocol import Message, die_with_parent, raise_descriptor, received, send


class Session:
    """What a worker holds between tasks: its targets and providers, made once."""

    def __init__(self, out: int, lock_path: str | None) -> None:
        self.out = out
        self.lock_path = lock_path
        self.targets: dict[str, Target] = {}
        self.providers: dict[str, Provider] = {}

    def target(self, text: str) -> Target:
        """Return a target by its id, made when it is first asked for."""
        if text not in self.targets:
            entry, arguments = parse_target(text)
            made: Target = _resolve(entry.home)(*arguments)
            self.targets[text] = made
        return self.targets[text]

    def provider(self, name: str) -> Provider:
        """Return a provider by its name, made when it is first asked for."""
        if name not in self.providers:
            if name not in PROVIDERS:
                extend()
            made: Provider = _resolve(PROVIDERS[name].home)()
            self.providers[name] = made
        return self.providers[name]

    def answer(self, message: Message) -> None:
        """Do what one message asks for and send what it asked for."""
        asked: dict[str, Callable[[Message], None]] = {
            "open": self._open,
            "detect": self._detect,
            "items": self._items,
            "version": self._version,
            "run": self._run,
        }
        asked[message["do"]](message)

    def _open(self, message: Message) -> None:
        """Import what the tasks to come need, so that no task's deadline pays for it.

        A provider that cannot be had is left to its tasks, each of which says so.
        """
        for name in message["providers"]:
            with contextlib.suppress(Exception):
                self.provider(name)
        try:
            for text in message["targets"]:
                self.target(text)
        except Exception as error:
            send(self.out, {"absent": f"{error_type(error)}: {error_head(error)}"})
        else:
            send(self.out, {"opened": True, "rss_byte": resident_byte()})

    def _detect(self, message: Message) -> None:
        found = {}
        for text in message["targets"]:
            try:
                state = self.target(text).detect()
            except Exception as error:
                state = Absent(reason=f"{error_type(error)}: {error_head(error)}")
            found[text] = {"present": not isinstance(state, Absent), **asdict(state)}
        send(self.out, {"detected": found})

    def _version(self, message: Message) -> None:
        try:
            send(self.out, {"version": self.provider(message["provider"]).version()})
        except Exception as error:
            send(self.out, {"absent": f"{error_type(error)}: {error_head(error)}"})

    def _items(self, message: Message) -> None:
        try:
            provider = self.provider(message["provider"])
            items = provider.items(
                dtypes=tuple(message["dtypes"]), sizes=tuple(message["sizes"]), samples=message["samples"]
            )
            for item in items:
                send(self.out, {"item": item.to_dict()})
            send(self.out, {"done": provider.version()})
        except Exception as error:
            send(self.out, {"absent": f"{error_type(error)}: {error_head(error)}"})

    def _run(self, message: Message) -> None:
        task = Task.of(message["task"])
        try:
            row = execute(
                task,
                provider=self.provider(task.item.provider),
                target=self.target(task.target),
                reference=self.target(task.reference),
                stage=lambda name: send(self.out, {"stage": name}),
                lock=self._lock,
            )
        except BrokenPipeError:
            raise
        except Exception as error:
            row = {
                "status": "harness_error",
                "error_type": error_type(error),
                "error_head": error_head("".join(traceback.format_exception_only(error))),
            }
        send(self.out, {"row": row, "rss_byte": resident_byte()})

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the host's lock while blocks are timed, so that no two workers time at once."""
        if self.lock_path is None:
            yield
            return
        with open(self.lock_path, "w", encoding="utf-8") as file:  # noqa: PTH123 (a worker opens it often)
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _resolve(home: str) -> Any:
    module, _, name = home.partition(":")
    return getattr(importlib.import_module(module), name)


def resident_byte() -> int:
    """Return the resident memory of this process in bytes, or 0 where it cannot be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def main(arguments: list[str]) -> int:
    """Answer messages until the pipe closes."""
    die_with_parent()
    into, out = (raise_descriptor(int(text)) for text in arguments[:2])
    session = Session(out, arguments[2] if len(arguments) > 2 else None)
    send(out, {"ready": sys.version.split()[0]})
    with contextlib.suppress(BrokenPipeError):
        for message in received(into):
            session.answer(message)
    os._exit(0)  # frameworks hang in their own clean-up


if __name__ == "__main__":
    main(sys.argv[1:])
