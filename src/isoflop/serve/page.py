"""Pages: one environment of templates, one frame around all, and what the newest report says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

from isoflop.present import formats, prose
from isoflop.report.instruments import INSTRUMENTS
from isoflop.serve.at_hand import AtHand
from isoflop.serve.jobs import Jobs
from isoflop.serve.security import FIELD
from isoflop.serve.settings import Settings
from isoflop.serve.uploads import Uploads

if TYPE_CHECKING:
    import jinja2

VERDICTS: Final = {
    "holds": "Holds",
    "holds_with_caution": "Holds, with caution",
    "not_identified": "Not identified",
    "does_not_hold": "Does not hold",
    "needs_evidence": "Needs evidence",
}
NAVIGATION: Final = (
    ("/", "Home"),
    ("/data", "Data"),
    *((f"/{instrument.name}", instrument.name.capitalize()) for instrument in INSTRUMENTS),
    ("/plan", "Plan"),
    ("/route", "Route"),
    ("/report", "Report"),
    ("/jobs", "Jobs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What every page of one application shares; ``request.app.state.place``.

    Parameters
    ----------
    jobs : Jobs
    settings : Settings
    uploads : Uploads
    evidence : str or None
        The folder of tables, or ``embedded``; None leaves it to the commands.
    """

    jobs: Jobs
    settings: Settings
    uploads: Uploads
    evidence: str | None

    @property
    def at_hand(self) -> AtHand:
        """Return everything that a file field can choose."""
        return AtHand(uploads=self.uploads, jobs=self.jobs, evidence=self.evidence)


def place(request: Request) -> Place:
    """Return what the pages of this application share."""
    shared: Place = request.app.state.place
    return shared


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page drawn from a template.

    Parameters
    ----------
    request : Request
    template : str
        Name below ``serve/templates``; most extend ``base.html.j2``.
    status : int
        HTTP status.
    context
        Names for the template; a name it uses and does not get is an error. Every template also has
        ``path``, ``navigation``, ``csrf`` (the value), ``csrf_field`` (its name) and ``settings``.
    """
    shared = {
        "path": request.url.path,
        "navigation": NAVIGATION,
        "csrf": request.state.csrf,
        "csrf_field": FIELD,
        "settings": place(request).settings,
    }
    text = environment().get_template(template).render({**shared, **context})
    return HTMLResponse(text, status_code=status)


@cache
def environment() -> jinja2.Environment:
    """Return the templates' environment: all text escaped, unknown names refused."""
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("isoflop.serve"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "prose": lambda text: Markup(prose.to_html(text.replace(" %", "\N{NO-BREAK SPACE}%"))),
        "answer": lambda finding: formats.finding(finding).replace(" %", "\N{NO-BREAK SPACE}%"),
        "breakable": lambda name: Markup("<wbr>").join(re.findall(r"[^._/]+[._/]?|[._/]", name)),
        "count": lambda n: "–" if n is None else formats.count(n),
        "number": formats.number,
        "percent": formats.percent,
        "megabytes": lambda size: f"{formats.number(size / 1e6)} MB",
        "duration": duration,
        "moment": moment,
    }
    made.filters |= filters
    made.globals |= {"verdicts": VERDICTS}
    return made


def duration(seconds: float | None) -> str:
    """Return a length of time as a person says it.

    Examples
    --------
    >>> duration(3.21), duration(75), duration(7380), duration(None)
    ('3.2 s', '1 min 15 s', '2 h 3 min', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(when: dt.datetime | None) -> str:
    """Return a moment in the computer's own time zone."""
    return "–" if when is None else f"{when.astimezone():%Y-%m-%d %H:%M}"
