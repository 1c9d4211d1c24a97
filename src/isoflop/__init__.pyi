# For type checkers alone. Under TYPE_CHECKING in __init__.py these imports would count, for the contract that
# imports point downwards, as imports of everything by each module that reads the version.
from isoflop import divide as divide
from isoflop import errors as errors
from isoflop import evidence as evidence
from isoflop import findings as findings
from isoflop import outlook as outlook
from isoflop import portability as portability
from isoflop import progress as progress
from isoflop import routing as routing
from isoflop import scaling as scaling
from isoflop.evidence.load import load as load
from isoflop.report.make import report as report

__version__: str
__all__ = [
    "__version__",
    "divide",
    "errors",
    "evidence",
    "findings",
    "load",
    "outlook",
    "portability",
    "progress",
    "report",
    "routing",
    "scaling",
]
