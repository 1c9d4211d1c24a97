"""Scaling tables of two more robotics papers, typed from public copies of their text.

They extend ``study_points`` beyond the typed fact files. `rows` turns the blocks below, which keep
the order of the printed tables, into rows of the schema; `validation.facts` appends them.

- Wang et al. (2024), Equivariant Diffusion Policy, arXiv:2407.01812, Table 1: 12 simulated MimicGen
  tasks, ten policies, 100, 200 and 1,000 demonstrations. A value is the largest of 50 evaluations
  during training, averaged over three seeds, which flatters every policy. Figures in parentheses
  (differences between policies) are left out. The number of trials is not printed there.
- NVIDIA (2025), GR00T N1, arXiv:2503.14734, Table 4: 30, 100 and 300 demonstrations for GR00T-N1-2B
  and a diffusion policy. All 24 RoboCasa and 9 DexMimicGen tasks, and the first five of 24 GR-1
  tasks, where the copy that was read breaks off. The text says 100 trials and the largest of the
  last five checkpoints; the printed rates imply 102 to 120 trials.
"""

from __future__ import annotations

from collections.abc import Iterator

Row = dict[str, str]

_WANG_SCALES = (100, 200, 1000)
_WANG_POLICIES = (
    ("EquiDiff (voxel), absolute control", "equidiff-voxel-absolute"),
    ("EquiDiff (image), absolute control", "equidiff-image-absolute"),
    ("Diffusion Policy (CNN), absolute control", "diffusion-policy-cnn-absolute"),
    ("Diffusion Policy (transformer), absolute control", "diffusion-policy-transformer-absolute"),
    ("DP3, absolute control", "dp3-absolute"),
    ("ACT, absolute control", "act-absolute"),
    ("EquiDiff (voxel), relative control", "equidiff-voxel-relative"),
    ("EquiDiff (image), relative control", "equidiff-image-relative"),
    ("Diffusion Policy (CNN), relative control", "diffusion-policy-cnn-relative"),
    ("BC-RNN, relative control", "bc-rnn-relative"),
)
_WANG: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("Stack D1", "Stack Three D1", "Square D2", "Threading D2"),
        """99 100 100 75 91 91 39 48 63 39 53 55
93 100 100 55 77 96 25 41 60 22 40 59
76 97 100 38 72 94 8 19 46 17 35 59
51 83 99 17 41 84 5 11 45 11 18 41
69 87 99 7 23 65 7 6 19 12 23 40
35 73 96 6 37 78 6 18 49 10 21 35
95 100 100 59 76 83 25 35 52 33 39 46
75 96 100 25 63 92 11 21 48 11 22 49
81 93 99 26 52 86 6 13 37 13 26 40
59 95 100 12 48 92 8 21 59 7 13 47""",
    ),
    (
        ("Coffee D2", "Three Piece Assembly D2", "Hammer Cleanup D1", "Mug Cleanup D1"),
        """65 73 76 37 58 71 70 66 73 53 65 68
60 79 76 15 39 69 65 63 77 49 64 67
44 66 79 4 6 30 52 59 73 43 59 65
47 61 75 1 4 43 48 60 76 30 43 63
34 45 69 0 1 3 54 71 87 21 33 53
19 33 64 0 3 24 38 54 71 23 31 56
55 59 64 5 5 55 64 62 67 39 43 62
41 59 66 1 5 59 49 52 69 29 36 65
43 51 67 2 2 20 43 54 65 25 39 55
37 52 76 0 5 27 32 43 72 19 39 67""",
    ),
    (
        ("Kitchen D1", "Nut Assembly D0", "Pick Place D0", "Coffee Preparation D1"),
        """85 89 88 67 77 83 58 68 82 80 83 85
67 77 81 74 85 94 42 74 92 77 83 85
67 85 87 55 68 83 35 65 83 65 62 58
54 75 81 31 32 46 15 37 50 38 51 76
45 71 91 16 24 58 12 15 34 10 22 63
37 61 87 42 64 84 7 17 50 32 46 65
69 83 89 53 65 72 40 58 79 48 71 73
61 72 83 44 65 87 29 55 91 49 59 79
42 64 81 42 62 75 35 59 82 42 53 51
31 47 81 35 58 85 21 41 77 14 32 61""",
    ),
)

_NVIDIA_SCALES = (30, 100, 300)
_NVIDIA: tuple[tuple[str, str, str], ...] = (
    (
        "RoboCasa",
        "Franka on mobile base (sim)",
        """Close Double Door;1.7 26.5 60.8 0.0 43.1 74.5
Close Drawer;57.5 88.2 94.1 76.9 96.1 99.0
Close Single Door;21.7 46.1 72.6 49.1 67.7 83.3
Coffee Press Button;32.5 46.1 91.2 27.8 56.9 85.3
Coffee Serve Mug;6.7 28.4 66.7 3.7 34.3 72.6
Coffee Setup Mug;0.0 19.6 32.4 0.0 2.0 22.6
Open Double Door;0.0 9.8 18.6 0.0 12.8 14.7
Open Drawer;15.8 42.2 61.8 9.3 42.2 79.4
Open Single Door;36.7 42.2 57.8 20.4 54.9 58.8
PnP from Cab to Counter;2.5 4.9 9.8 0.9 3.9 19.6
PnP from Counter to Cab;0.0 2.9 10.8 1.9 6.9 36.3
PnP from Counter to Microwave;0.0 2.0 8.8 0.0 0.0 12.8
PnP from Counter to Sink;0.0 0.0 13.7 0.0 1.0 9.8
PnP from Counter to Stove;0.0 1.0 17.7 0.0 0.0 23.5
PnP from Microwave to Counter;0.0 2.0 11.8 0.0 0.0 15.7
PnP from Sink to Counter;4.2 8.8 42.2 0.0 5.9 33.3
PnP from Stove to Counter;1.7 2.9 23.5 0.0 0.0 29.4
Turn Off Microwave;63.3 53.9 52.0 47.2 57.8 70.6
Turn Off Sink Faucet;21.7 63.7 72.6 49.1 67.7 72.6
Turn Off Stove;5.0 10.8 19.6 4.6 15.7 26.5
Turn On Microwave;30.0 51.0 75.5 55.6 73.5 78.4
Turn On Sink Faucet;31.7 27.5 63.7 33.3 59.8 62.8
Turn On Stove;12.5 22.6 36.3 14.8 25.5 55.9
Turn Sink Spout;8.3 11.8 23.5 24.1 42.2 52.9""",
    ),
    (
        "DexMimicGen",
        "bimanual arms and humanoid (sim)",
        """Can Sort;82.8 93.1 99.4 94.8 98.0 98.0
Coffee;35.5 68.1 79.7 44.9 79.4 73.5
Pouring;37.0 62.3 68.8 54.4 71.6 87.3
Threading;4.2 18.3 27.5 3.9 37.3 60.8
Three Piece Assembly;10.0 32.5 63.3 10.8 43.1 69.6
Transport;7.5 25.0 53.3 7.8 48.0 61.8
Box Cleanup;30.0 80.8 97.5 33.3 29.4 95.1
Drawer Cleanup;1.7 16.7 52.5 10.8 42.2 55.9
Lift Tray;5.0 25.0 73.3 5.8 77.5 65.7""",
    ),
    (
        "GR-1 Tabletop",
        "GR-1 humanoid (sim)",
        """Cutting Board to Pot;22.6 37.3 48.0 58.8 57.8 57.8
Cutting Board to Basket;19.6 42.2 29.4 43.1 61.8 56.9
Cutting Board to Tiered Basket;13.7 13.7 18.6 13.7 23.5 34.3
Cutting Board to Pan;28.4 48.0 57.8 67.7 65.7 68.6
Cutting Board to Cardboard Box;11.8 15.7 22.6 31.4 30.4 33.3""",
    ),
)
AVERAGES = {
    "RoboCasa": (14.7, 25.6, 43.2, 17.4, 32.1, 49.6),
    "DexMimicGen": (23.7, 46.9, 68.4, 29.6, 58.5, 74.2),
}
"""Printed means of the two blocks that are whole, against which the typed figures are checked."""

_SHARED = {
    "task_family": "manipulation",
    "environment": "sim",
    "resource": "data",
    "x_unit": "demonstrations_per_task",
    "metric": "success_rate",
    "y_unit": "percent",
    "higher_is_better": "true",
    "partial_credit": "0",
    "extraction": "table",
    "verified": "read",
}
_WANG_PAPER = {
    "paper_id": "2407.01812",
    "title": "Equivariant Diffusion Policy",
    "year": "2024",
    "venue": "CoRL 2024",
    "sector": "both",
    "embodiment": "Franka (MimicGen sim)",
    "familiarity": "seen",
    "model_class": "other",
    "training_phase": "train_from_demonstrations",
    "n_seeds": "3",
    "source_locator": "Table 1",
    "seen_in": "two full-text conversions of the paper in public repositories (the first block in both)",
    "notes": "largest of 50 evaluations during training, mean of 3 seeds",
}
_NVIDIA_PAPER = {
    "paper_id": "2503.14734",
    "title": "GR00T N1: An Open Foundation Model for Generalist Humanoid Robots",
    "year": "2025",
    "venue": "arXiv",
    "sector": "industry",
    "familiarity": "unreported",
    "n_trials": "100",
    "source_locator": "Table 4 (appendix B)",
    "seen_in": "translated full text of the paper in a public repository",
    "notes": "largest of the last five checkpoints; rates imply 102 to 120 trials, text says 100",
}
_NVIDIA_POLICIES = (
    ("Diffusion Policy", "diffusion-policy", "other", "train_from_demonstrations"),
    ("GR00T-N1-2B", "gr00t-n1-2b", "RFM:VLA", "finetuning"),
)


def rows() -> Iterator[Row]:
    """Yield every typed point as a row of ``study_points``; columns without an entry are empty."""
    yield from _wang()
    yield from _nvidia()


def blocks() -> Iterator[tuple[str, list[tuple[float, ...]]]]:
    """Yield the name and the figures of each benchmark of the second paper, one tuple a task."""
    for benchmark, _, text in _NVIDIA:
        yield benchmark, [_figures(line.split(";")[1]) for line in text.splitlines()]


def _wang() -> Iterator[Row]:
    for tasks, text in _WANG:
        for (policy, key), line in zip(_WANG_POLICIES, text.splitlines(), strict=True):
            figures = _figures(line)
            for place, task in enumerate(tasks):
                study = {"study_id": f"equidiff-{_slug(task)}-{key}", "architecture": policy, "task": task}
                part = figures[3 * place : 3 * place + 3]
                yield from _points({**_SHARED, **_WANG_PAPER, **study}, _WANG_SCALES, part)


def _nvidia() -> Iterator[Row]:
    for benchmark, robot, text in _NVIDIA:
        for line in text.splitlines():
            task, figures = line.split(";")
            for place, (policy, key, model_class, phase) in enumerate(_NVIDIA_POLICIES):
                study = {
                    "study_id": f"gr00t-n1-{_slug(benchmark)}-{_slug(task)}-{key}",
                    "architecture": policy,
                    "model_class": model_class,
                    "training_phase": phase,
                    "task": f"{benchmark}: {task}",
                    "embodiment": robot,
                }
                part = _figures(figures)[3 * place : 3 * place + 3]
                yield from _points({**_SHARED, **_NVIDIA_PAPER, **study}, _NVIDIA_SCALES, part)


def _points(study: Row, scales: tuple[int, ...], figures: tuple[float, ...]) -> Iterator[Row]:
    for x, y in zip(scales, figures, strict=True):
        yield {**study, "x": str(x), "y": f"{y:g}"}


def _figures(line: str) -> tuple[float, ...]:
    return tuple(float(cell) for cell in line.split())


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
