"""What is assumed: 22 laws of the loss in parameters, data and calendar time.

Every law is a sum of exponentials of linear predictors, in loss space:

    yhat = exp(a − ay·t − an·n) + exp(b − by·t − bd·d)

with t = Y − Y0, n = ln(N/N0), d = ln(D/D0). Positive ay, by mean that a system of the same size
reaches a lower loss when it is published later. A law decides which constants, rates and
exponents exist, and which of them differ between benchmarks or architectures; it builds design
matrices and nothing else.

Source: Ho et al. (2024), the model and its variants in the appendix; laws 21 and 22 answer the critique of
Whitfill (2025).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.exp_sum import Array, ExpSumDesign

REPETITION_HALF = 2.9157
"""R of law 20: passes over the data beyond which repetition adds little."""

Sharing = Literal["none", "shared", "benchmark", "class", "rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One exponential of a law.

    Parameters
    ----------
    const : {"shared", "benchmark"}
        One constant, or shifts for every benchmark after the first.
    year : {"none", "shared", "benchmark"}
        Rate of progress inside this term.
    size : {"shared", "benchmark", "class", "rate"}
        Exponent on parameters (first term) or data (second): one, shifted by benchmark, one for
        transformers and one for the rest, or one that moves with the calendar year.
    """

    const: Sharing = "benchmark"
    year: Sharing = "shared"
    size: Sharing = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One law of the registry; `number` is the paper's."""

    number: int
    first: Term
    second: Term | None
    text: str
    common_year: Literal["none", "tied", "factor"] = "none"
    """"tied": both terms use alpha_year. "factor": a common factor exp(−gamma_year·t)."""
    vocabulary: bool = False
    repetition: bool = False

    @property
    def has_time(self) -> bool:
        """Whether the law has a term in calendar time."""
        return self.rates_are_constant or "rate" in (self.first.size, self.second.size if self.second else "")

    @property
    def rates_are_constant(self) -> bool:
        """Whether each term improves at a constant rate, so that G has a closed form."""
        years = [self.first.year, self.second.year if self.second else "none"]
        moves = "rate" in (self.first.size, self.second.size if self.second else "")
        return not moves and (self.common_year != "none" or any(y != "none" for y in years))

    @property
    def by_class(self) -> bool:
        """Whether transformers have their own exponents."""
        return self.first.size == "class"


def _law(number: int, text: str, first: Term, second: Term | None = None, **kind: object) -> Law:
    law = Law(number=number, first=first, second=second, text=text)
    return replace(law, **kind) if kind else law  # type: ignore[arg-type]


_FIXED = Term(year="none")
LAWS: dict[int, Law] = {
    law.number: law
    for law in (
        _law(1, "one constant for all benchmarks", Term(const="shared"), Term(const="shared")),
        _law(2, "as 1, progress in data only", Term(const="shared", year="none"), Term(const="shared")),
        _law(3, "as 1, progress in parameters only", Term(const="shared"), Term(const="shared", year="none")),
        _law(
            4,
            "as 1, parameter progress by benchmark",
            Term(const="shared", year="benchmark"),
            Term(const="shared"),
        ),
        _law(
            5,
            "as 1, data progress by benchmark",
            Term(const="shared"),
            Term(const="shared", year="benchmark"),
        ),
        _law(
            6,
            "as 1, both rates by benchmark",
            Term(const="shared", year="benchmark"),
            Term(const="shared", year="benchmark"),
        ),
        _law(7, "constants by benchmark, progress in both terms", Term(), Term()),
        _law(8, "as 7, progress in data only", _FIXED, Term()),
        _law(9, "as 7, progress in parameters only", Term(), _FIXED),
        _law(10, "as 7, both rates by benchmark", Term(year="benchmark"), Term(year="benchmark")),
        _law(
            11,
            "everything by benchmark",
            Term(year="benchmark", size="benchmark"),
            Term(year="benchmark", size="benchmark"),
        ),
        _law(12, "as 7, one common rate", Term(), _FIXED, common_year="tied"),
        _law(13, "as 7, exponents by class", Term(size="class"), Term(size="class")),
        _law(
            14,
            "exponents that move with ln year",
            Term(year="none", size="rate"),
            Term(year="none", size="rate"),
        ),
        _law(15, "as 14, with progress in both terms", Term(size="rate"), Term(size="rate")),
        _law(16, "no progress", _FIXED, _FIXED),
        _law(
            17, "no progress but by class", Term(year="none", size="class"), Term(year="none", size="class")
        ),
        _law(18, "one term in training compute", Term()),
        _law(19, "as 7, with a vocabulary term", Term(), Term(), vocabulary=True),
        _law(20, "as 7, repeated data worth less", Term(), Term(), repetition=True),
        _law(21, "as 16, times a common factor", _FIXED, _FIXED, common_year="factor"),
        _law(22, "as 7, times a common factor", Term(), Term(), common_year="factor"),
    )
}
PAPER_LAWS = tuple(range(1, 21))
"""The twenty laws that the paper compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Variations that any law can take.

    Parameters
    ----------
    floor : {"none", "shared", "benchmark"}
        Irreducible loss E (in nats) added to the sum, one or one for each benchmark; not penalised.
    repetition : {"law", "none", "paper", "muennighoff"}
        How epochs turn into effective data: "law" leaves it to the law (only law 20 has it);
        "paper" is D·(1 + R(1 − exp(−epochs/R))), "muennighoff" the same in epochs − 1.
    data : {"unique", "seen"}
        Unique examples, or examples times epochs.
    split_year : float, optional
        Further rates that apply from this year on.
    rate_form : {"ln_year", "centred"}
        Laws 14 and 15: ln Y (the paper's) or t/10, which is not collinear with the exponent.
    transformer_shift, zero_shot_shift : bool
        A common factor on both terms for transformers, or for systems measured zero-shot.
    """

    floor: Literal["none", "shared", "benchmark"] = "none"
    repetition: Literal["law", "none", "paper", "muennighoff"] = "law"
    data: Literal["unique", "seen"] = "unique"
    split_year: float | None = None
    rate_form: Literal["ln_year", "centred"] = "ln_year"
    transformer_shift: bool = False
    zero_shot_shift: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisers:
    """Sample minima that the logarithms are taken against; stored with every fit.

    They matter because the penalty does not move with them. Recomputing them on new rows is the
    published error of law 18.
    """

    parameters: float
    data: float
    year: float
    compute: float
    """Minimum of N·D; the 6 of 6ND cancels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """What a law reads of each row; arrays of shape (n,), raw units.

    Parameters
    ----------
    parameters, data : array
        N and unique tokens (or images).
    year : array
        Fractional publication year.
    benchmark : int array
        Index into the benchmarks of the sample; 0 is the base.
    is_transformer : bool array
    epochs : array
        Passes over the data, 1 where unknown.
    log_vocabulary : array
        ln of the vocabulary size, NaN where unknown.
    zero_shot : array
        0, 0.5 or 1.
    """

    parameters: Array
    data: Array
    year: Array
    benchmark: NDArray[np.int64]
    is_transformer: NDArray[np.bool_]
    epochs: Array
    log_vocabulary: Array
    zero_shot: Array

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.parameters)

    def rows(self, index: NDArray[np.generic]) -> Features:
        """Return some rows (indices or a boolean mask)."""
        return Features(**{name: getattr(self, name)[index] for name in self.__slots__})

    @classmethod
    def of(
        cls,
        *,
        parameters: Array | float,
        data: Array | float,
        year: Array | float,
        benchmark: int = 0,
        is_transformer: bool = True,
        epochs: float = 1.0,
        log_vocabulary: float = 0.0,
        zero_shot: float = 0.0,
    ) -> Features:
        """Return features of a question, with scalars broadcast.

        Examples
        --------
        >>> Features.of(parameters=[1e9, 2e9], data=1e10, year=2023.0).n
        2
        """
        n, d, y = (np.atleast_1d(np.asarray(v, float)) for v in (parameters, data, year))
        n, d, y = np.broadcast_arrays(n, d, y)
        return cls(
            parameters=n,
            data=d,
            year=y,
            benchmark=np.full(len(n), benchmark),
            is_transformer=np.full(len(n), is_transformer),
            epochs=np.full(len(n), epochs),
            log_vocabulary=np.full(len(n), log_vocabulary),
            zero_shot=np.full(len(n), zero_shot),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A law with its options, the benchmarks it knows and the normalisers it was fitted with."""

    law: Law
    options: Options = field(default_factory=Options)
    benchmarks: tuple[str, ...]
    normalisers: Normalisers

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters in the order of theta."""
        return self._columns()[0]

    @property
    def unpenalised(self) -> NDArray[np.bool_]:
        """Mask of the parameters that no penalty touches (the floor)."""
        return np.array([name.startswith("floor") for name in self.names])

    @property
    def constants(self) -> NDArray[np.bool_]:
        """Mask of constants: intercepts, benchmark shifts and the floor."""
        return np.array(["_const" in name or name.startswith("floor") for name in self.names])

    def design(self, rows: Features) -> ExpSumDesign:
        """Return the design matrices of some rows.

        Raises
        ------
        EvidenceError
            The law needs a vocabulary size that a row does not have.
        """
        return self._columns(rows)[1]

    def index(self, name: str) -> int:
        """Return the position of a parameter in theta."""
        return self.names.index(name)

    def _columns(self, rows: Features | None = None) -> tuple[tuple[str, ...], ExpSumDesign]:
        if rows is None:
            rows = Features.of(parameters=1.0, data=1.0, year=self.normalisers.year)
        build = _Builder(self, rows)
        return build.finish()


def model(
    law: int | Law, *, benchmarks: tuple[str, ...], normalisers: Normalisers, options: Options | None = None
) -> Model:
    """Return a model of a law by its number.

    Raises
    ------
    SettingError
        No law has that number, or law 14/15 options are given to another law.
    """
    if isinstance(law, int):
        if law not in LAWS:
            raise SettingError(
                f"law: {law}, must be one of 1 to {max(LAWS)}. List them: isoflop progress laws."
            )
        law = LAWS[law]
    return Model(law=law, options=options or Options(), benchmarks=benchmarks, normalisers=normalisers)


class _Builder:
    """Collects named columns, block by block, in the paper's order of theta."""

    def __init__(self, model: Model, rows: Features) -> None:
        self.model, self.rows = model, rows
        self.law, self.options, base = model.law, model.options, model.normalisers
        self.names: list[str] = []
        self.columns: list[tuple[Array | None, Array | None, Array | None]] = []
        self.t = rows.year - base.year
        self.n = np.log(rows.parameters) - np.log(base.parameters)
        self.d = np.log(self._effective_data()) - np.log(base.data)

    def _effective_data(self) -> Array:
        rows, kind = self.rows, self.options.repetition
        if kind == "law":
            kind = "paper" if self.law.repetition else "none"
        seen = rows.epochs if self.options.data == "seen" else 1.0
        if kind == "none":
            return rows.data * seen
        passes = rows.epochs if kind == "paper" else np.maximum(rows.epochs - 1.0, 0.0)
        worth = REPETITION_HALF * -np.expm1(-passes / REPETITION_HALF)
        return rows.data * (1.0 + worth)

    def add(
        self, name: str, first: Array | None = None, second: Array | None = None, outside: Array | None = None
    ) -> None:
        """Add one parameter with its column in each exponential and outside."""
        self.names.append(name)
        self.columns.append((first, second, outside))

    def block(
        self, prefix: str, term: Term, size: Array, size_name: str, *, second: bool, year: bool
    ) -> None:
        """Add the parameters of one exponential."""

        def add(name: str, column: Array) -> None:
            self.add(f"{prefix}_{name}", None if second else column, column if second else None)

        def by_benchmark(name: str, column: Array, kind: Sharing) -> None:
            add(name, column)
            if kind == "benchmark":
                for code, label in enumerate(self.model.benchmarks[1:], start=1):
                    add(f"{name}_{label.lower()}", np.where(self.rows.benchmark == code, column, 0.0))

        by_benchmark("const", np.ones(self.rows.n), term.const)
        if year:
            by_benchmark("year", -self.t, term.year)
            if self.options.split_year is not None:
                add("year_after", np.where(self.rows.year >= self.options.split_year, -self.t, 0.0))
        if term.size == "class":
            add(size_name, np.where(self.rows.is_transformer, 0.0, -size))
            add(f"{size_name}_t", np.where(self.rows.is_transformer, -size, 0.0))
        else:
            by_benchmark(size_name, -size, term.size)

    def finish(self) -> tuple[tuple[str, ...], ExpSumDesign]:
        """Return the names and the design."""
        law, rows = self.law, self.rows
        if law.vocabulary:
            if np.isnan(rows.log_vocabulary).any():
                missing = int(np.isnan(rows.log_vocabulary).sum())
                raise EvidenceError(
                    f"law {law.number}: {missing} rows have no vocabulary_size, which this law needs. "
                    "Drop them (--need vocabulary) or impute them (--impute-vocabulary)."
                )
            self.add("gamma_vocabulary", outside=rows.log_vocabulary)
        if law.second is None:
            compute = np.log(rows.parameters * self._effective_data()) - np.log(
                self.model.normalisers.compute
            )
            self.block("alpha", law.first, compute, "compute", second=False, year=True)
        else:
            has_year = law.first.year != "none"
            self.block("alpha", law.first, self.n, "param", second=False, year=has_year)
            if law.common_year == "tied":
                at = self.names.index("alpha_year")
                self.columns[at] = (-self.t, -self.t, None)
            self.block("beta", law.second, self.d, "data", second=True, year=law.second.year != "none")
            if law.first.size == "rate":
                moving = np.log(rows.year) if self.options.rate_form == "ln_year" else self.t / 10.0
                self.add("alpha_rate", first=-moving * self.n)
                self.add("beta_rate", second=-moving * self.d)
        both = law.second is not None
        if law.common_year == "factor":
            self.add("gamma_year", -self.t, -self.t)
        for wanted, name, column in (
            (self.options.transformer_shift, "transformer_shift", rows.is_transformer.astype(float)),
            (self.options.zero_shot_shift, "zero_shot_shift", rows.zero_shot),
        ):
            if wanted:
                self.add(name, column, column if both else None)
        if self.options.floor != "none":
            self.add("floor", outside=np.ones(rows.n))
            if self.options.floor == "benchmark":
                for code, label in enumerate(self.model.benchmarks[1:], start=1):
                    self.add(f"floor_{label.lower()}", outside=(rows.benchmark == code).astype(float))
        return tuple(self.names), self._design(both)

    def _design(self, both: bool) -> ExpSumDesign:
        blank = np.zeros(self.rows.n)
        stacked = []
        for k in range(3):
            parts = [column[k] for column in self.columns]
            stacked.append(np.column_stack([blank if part is None else part for part in parts]))
        return ExpSumDesign(
            terms=(stacked[0], stacked[1]) if both else (stacked[0],),
            linear=stacked[2] if any(c[2] is not None for c in self.columns) else None,
        )
