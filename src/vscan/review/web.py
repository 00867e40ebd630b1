"""The reviewer's page as a web application: its routes, each one call into the session."""

from __future__ import annotations

import contextlib
import mimetypes
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request
from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse, Response

from vscan.errors import DecisionError, DecisionLogError, ReviewError, UsageError, VscanError
from vscan.policies.pack import PolicyPack
from vscan.review.case_view import case_view
from vscan.review.guards import Guards
from vscan.review.materials import Materials
from vscan.review.media_ranges import ranged
from vscan.review.session import ReviewSession, Turn

PAGES = (
    "review.css", "review.js", "beside.js", "player.js", "server.js", "sight.js", "timeline.js",
    "view.js", "words.js",
)  # fmt: skip
"""Files that the page loads, beside itself."""
CHECK_WAIT_S = 1.5
"""How long an answer waits for a file's check before it says that it goes on."""
Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """What the page is told of the session as a whole."""

    break_after_min: float = 30.0
    """Minutes of looking after which a break is proposed; 0: never."""
    second: bool = False
    """Whether these are second looks."""
    pack: PolicyPack | None = None
    """Tells what the policies mean."""


def make_app(
    session: ReviewSession,
    materials: Materials,
    token: str,
    port: int,
    settings: PageSettings | None = None,
) -> Guards:
    """The application, behind its guards. token: as in the address, see `Guards`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    told = settings if settings is not None else PageSettings()
    app.add_exception_handler(VscanError, _refusal)
    _add_pages(app, session, told)
    _add_decisions(app, session, _teller(materials, told))
    _add_materials(app, session, materials)
    return Guards(app, token=token, port=port)


def _teller(materials: Materials, settings: PageSettings) -> Callable[[Turn], Response]:
    def told(turn: Turn) -> Response:
        before = turn.before
        shown = None
        if turn.case is not None:
            shown = case_view(
                turn.case,
                context_s=materials.context_s,
                find_exemplar=materials.exemplar,
                pack=settings.pack,
            )
        return _json(
            {
                "number": turn.number,
                "case": shown,
                "before": before and {"ruling": before.ruling, "reason": before.reason},
                "total": turn.total,
                "decided": turn.decided,
                "skipped": turn.skipped,
                "elsewhere": turn.elsewhere,
                "can_undo": turn.can_undo,
            }
        )

    return told


def _add_pages(app: FastAPI, session: ReviewSession, settings: PageSettings) -> None:
    folder = files("vscan.review") / "pages"
    loaded = {name: (folder / name).read_bytes() for name in PAGES}
    environment = Environment(loader=PackageLoader("vscan.review", "pages"), autoescape=True)
    page = environment.get_template("index.html").render(
        reviewer=session.reviewer,
        second=settings.second,
        break_after_min=f"{settings.break_after_min:g}",
    )

    @app.get("/")
    def index() -> Response:
        return HTMLResponse(page)

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)  # browsers ask, and there is none

    @app.get("/pages/{name}")
    def part(name: str) -> Response:
        if name not in loaded:
            return Response(status_code=404)
        return Response(loaded[name], media_type=mimetypes.guess_type(name)[0])


def _add_decisions(app: FastAPI, session: ReviewSession, told: Callable[[Turn], Response]) -> None:
    @app.get("/api/case")
    def case() -> Response:
        return told(session.turn())

    @app.post("/api/decision")
    def decision(body: Annotated[Body, Depends(_body)]) -> Response:
        turn = session.decide(
            _field(body, "number", int),
            ruling=_field(body, "ruling", str),
            reason=None if body.get("reason") is None else _field(body, "reason", str),
            note=_field(body, "note", str),
            seconds_viewed=_field(body, "seconds_viewed", float),
        )
        return told(turn)

    @app.post("/api/skip")
    def skip(body: Annotated[Body, Depends(_body)]) -> Response:
        seconds = _field(body, "seconds_viewed", float)
        return told(session.skip(_field(body, "number", int), seconds_viewed=seconds))

    @app.post("/api/undo")
    def undo(body: Annotated[Body, Depends(_body)]) -> Response:
        return told(session.undo(seconds_viewed=_field(body, "seconds_viewed", float)))


def _add_materials(app: FastAPI, session: ReviewSession, materials: Materials) -> None:
    @app.get("/api/cases/{number}/{part}")
    def state(number: int, part: str) -> Response:
        check = materials.check(session.case(number), part)
        with contextlib.suppress(FutureTimeoutError):
            file = check.result(CHECK_WAIT_S)
            return _json({"state": "ready", "playable": file.content_type is not None})
        return _json({"state": "checking", "playable": False})

    @app.get("/api/cases/{number}/{part}/stills")
    def stills(number: int, part: str) -> Response:
        found = materials.stills(session.case(number), part)
        return _json({"times_s": [each.time_s for each in found]})

    @app.get("/cases/{number}/{part}/stills/{which}")
    def still(number: int, part: str, which: int) -> Response:
        found = materials.stills(session.case(number), part)
        if not 0 <= which < len(found):
            return Response(status_code=404)
        return Response(found[which].jpeg, media_type="image/jpeg")

    @app.api_route("/cases/{number}/{part}/video", methods=["GET", "HEAD"])
    def video(number: int, part: str, request: Request) -> Response:
        file = materials.file(session.case(number), part)
        if file.content_type is None:
            raise ReviewError("a browser does not play such a file: see its stills")
        return ranged(
            file,
            content_type=file.content_type,
            asked=request.headers.get("range"),
            if_range=request.headers.get("if-range"),
            head=request.method == "HEAD",
        )


async def _body(request: Request) -> Body:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise UsageError("the request is no JSON") from error
    if not isinstance(body, dict):
        raise UsageError("the request is no JSON object")
    return body


def _field(body: Body, name: str, kind: type) -> Any:
    value = body.get(name)
    kinds = (int, float) if kind is float else (kind,)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise UsageError(f"{name} is missing, or is of another kind")
    return value


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")


def _refusal(_request: Request, error: Exception) -> Response:
    """An error that vscan knows, in words: the page shows it."""
    assert isinstance(error, VscanError)  # noqa: S101 -- it is registered for those alone
    status = 400
    if isinstance(error, ReviewError):
        status = 409
    elif isinstance(error, DecisionLogError):
        status = 503
    elif isinstance(error, DecisionError):
        status = 422
    return _json({"message": error.message, "remedy": error.remedy}, status)
