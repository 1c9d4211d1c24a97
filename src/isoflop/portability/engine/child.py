"""One worker as the parent sees it: started, asked, watched and, where need be, killed.

A worker is a fresh process of its own group, never a fork. It talks over two pipes that no library knows of;
what libraries print is kept as a ring of the last bytes. Its deadline and its memory are watched from here,
because a hang inside C listens to no signal handler.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from isoflop.errors import IsoflopError

Message = dict[str, Any]
RING_BYTE = 64 << 10
POLL_S = 0.05
WAITING = "waiting"
START_S = 180.0
"""A framework may take long to import on a cold disk."""
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WorkerDied(IsoflopError, RuntimeError):
    """A worker ended: crashed, was killed for its time or its memory, or never started.

    Parameters
    ----------
    status : {"crash", "timeout", "oom", "start"}
    signal_name : str
        Name of the signal, or the exit code.
    stage : str
        Where in a task it was.
    printed : str
        The last of what it printed.
    """

    def __init__(self, status: str, signal_name: str, stage: str, printed: str) -> None:
        super().__init__(
            f"worker: {status} in stage {stage or 'start'} ({signal_name}). Its output: {printed[-240:]}"
        )
        self.status = status
        self.signal_name = signal_name
        self.stage = stage
        self.printed = printed

    @property
    def last_line(self) -> str:
        """Return the last line that it printed, which in Python names the error."""
        return (self.printed.strip().splitlines() or [""])[-1]


class Child:
    """A worker process.

    Parameters
    ----------
    python : path
        Interpreter; isoflop need not be installed there.
    lock : path, optional
        File whose lock is held while blocks are timed.
    memory_byte : int, optional
        Resident memory at which the worker is killed.
    """

    def __init__(
        self, python: str | Path = sys.executable, *, lock: Path | None = None, memory_byte: int | None = None
    ):
        self.python = str(python)
        self.memory_byte = memory_byte
        self.stage = ""
        self._ring: deque[bytes] = deque()
        self._kept = 0
        self._rest = b""
        self._inbox: deque[Message] = deque()
        self._looked = 0.0
        child_in, self._to = os.pipe()
        self._from, child_out = os.pipe()
        printed, child_printed = os.pipe()
        self._printed = printed
        arguments = [
            self.python,
            "-u",
            "-m",
            "isoflop.portability.worker.main",
            str(child_in),
            str(child_out),
        ]
        try:
            self._process = subprocess.Popen(
                [*arguments, *([str(lock)] if lock else [])],
                stdin=subprocess.DEVNULL,
                stdout=child_printed,
                stderr=child_printed,
                pass_fds=(child_in, child_out),
                env=worker_environment(),
                start_new_session=True,
            )
        except OSError as error:
            for descriptor in (self._to, self._from, printed):
                os.close(descriptor)
            raise WorkerDied("start", str(error), "", f"{self.python}: {error.strerror}") from error
        finally:
            for descriptor in (child_in, child_out, child_printed):
                os.close(descriptor)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)
        self._selector.register(self._printed, selectors.EVENT_READ)
        try:
            self.receive(START_S)
        except WorkerDied as died:
            raise WorkerDied("start", died.signal_name, "", died.printed) from died

    def send(self, message: Message) -> None:
        """Send one message; a dead worker is told when its answer is awaited."""
        self.stage = ""
        data = (json.dumps(message) + "\n").encode()
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._to, data) :]

    def receive(self, deadline_s: float) -> Message:
        """Return the next message that is not a word on stages.

        While a worker waits for the host's lock, the deadline stands still: it is not at work.

        Raises
        ------
        WorkerDied
            It crashed, or was killed because the deadline or its memory ran out.
        """
        left, since = deadline_s, time.monotonic()
        while True:
            while self._inbox:
                message = self._inbox.popleft()
                if "stage" not in message:
                    return message
                now = time.monotonic()
                if self.stage != WAITING:
                    left -= now - since
                self.stage, since = message["stage"], now
            if not self._poll():
                raise self._dead("crash")
            if self._has_too_much():
                raise self._dead("oom")
            if not self._inbox and self.stage != WAITING and time.monotonic() - since > left:
                raise self._dead("timeout")

    def kill(self) -> None:
        """Kill the worker and everything that it started; whoever awaits its answer is told."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the worker and everything that it started."""
        self.kill()
        self._process.wait()
        self._selector.close()
        for descriptor in (self._to, self._from, self._printed):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _poll(self) -> bool:
        """Read what there is; False once the worker has closed its pipe."""
        ready = self._selector.select(POLL_S)
        # A process that the worker forked may hold the pipe open after the worker's own death.
        alive = bool(ready) or self._process.poll() is None
        for key, _ in ready:
            data = os.read(key.fd, 1 << 16)
            if key.fd == self._printed:
                self._keep(data)
            elif data:
                *lines, self._rest = (self._rest + data).split(b"\n")
                self._inbox.extend(json.loads(line) for line in lines)
            else:
                alive = False
        return alive or bool(self._inbox)

    def _keep(self, data: bytes) -> None:
        if not data:
            self._selector.unregister(self._printed)
            return
        self._ring.append(data)
        self._kept += len(data)
        while self._kept > RING_BYTE and len(self._ring) > 1:
            self._kept -= len(self._ring.popleft())

    def _dead(self, status: str) -> WorkerDied:
        if status != "crash":
            self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        with contextlib.suppress(OSError, KeyError):
            while any(key.fd == self._printed for key, _ in self._selector.select(0)):
                before = self._kept
                self._keep(os.read(self._printed, 1 << 16))
                if self._kept == before:
                    break
        code = self._process.poll()
        if status == "crash" and code == -signal.SIGKILL:
            status = "oom"  # nobody here killed it: that is what a system does when memory runs out
        printed = b"".join(self._ring).decode("utf-8", "replace")
        self.close()
        return WorkerDied(status, _code_name(code), self.stage, printed)

    def _has_too_much(self) -> bool:
        """Look at the worker's memory, at most once a `POLL_S`."""
        now = time.monotonic()
        if not self.memory_byte or now - self._looked < POLL_S:
            return False
        self._looked = now
        return self._resident() > self.memory_byte

    def _resident(self) -> int:
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def worker_environment() -> dict[str, str]:
    """Return a worker's environment: this package on its path, one thread unless the user says otherwise."""
    import isoflop

    home = str(Path(isoflop.__file__).parents[1])
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([home, *([inherited] if inherited else [])])
    return {**THREADS, "TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _code_name(code: int | None) -> str:
    if code is None:
        return "killed"
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
