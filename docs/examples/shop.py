"""A shop in Starlette: it records orders and visits, and shows customers their relationship with it.

RELATIONSHIP_PROJECT=folder uvicorn shop:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from html import escape
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from metrics import Metrics
from one_thread import OneThread
from relationship_core import (
    CustomerView,
    Interaction,
    Money,
    RawRequest,
    RejectedError,
    Relationships,
    RetriableError,
    load_plugins,
    parse_instant,
)

metrics = Metrics()


def open_project() -> Relationships:
    """The project in the folder that the environment names."""
    return Relationships.open(os.environ["RELATIONSHIP_PROJECT"], plugins=load_plugins(extra=[metrics]))


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Keep the project open as long as the shop."""
    async with OneThread(open_project) as project:
        app.state.project = project
        yield


def project_of(request: Request) -> OneThread:
    """The project, which handlers ask."""
    project: OneThread = request.app.state.project
    return project


def customer_of(request: Request) -> str:
    """Who is logged in; put your own session here. This one believes a proxy that sets the header itself."""
    customer = request.headers.get("x-remote-user", "")
    if not customer:
        raise HTTPException(401, "log in first")
    return customer


async def fields(request: Request, *names: str) -> list[Any]:
    """What the JSON of a request says under these names, and when it happened."""
    try:
        said = await request.json()
        return [*(said[name] for name in names), parse_instant(said["at"])]
    except (ValueError, KeyError, TypeError) as error:
        raise HTTPException(400, f"send JSON with {', '.join(names)} and an instant: at") from error


async def keep(request: Request, kind: str, id: str, at: datetime, amount: Money | None = None) -> Response:
    """Record an interaction of who is logged in; when it comes again, it changes nothing."""
    customer = customer_of(request)
    kept = Interaction(source="shop", id=id, customer=customer, kind=kind, at=at, amount=amount)
    recorded = await project_of(request).ask(lambda project: project.record([kept]))
    return JSONResponse({"new": recorded.new})


async def order(request: Request) -> Response:
    """``POST /orders`` with the order's number, its time and its amount in cents."""
    number, cents, at = await fields(request, "number", "cents")
    return await keep(request, "order", number, at, Money(minor=cents, currency="EUR"))


async def visit(request: Request) -> Response:
    """``POST /visits`` with the visit's id and when it began."""
    return await keep(request, "visit", *await fields(request, "id"))


async def relationship(request: Request) -> Response:
    """``GET /relationship``: your relationship with us; nobody is told of others, whom the error may name."""
    customer = customer_of(request)
    try:
        view = await project_of(request).ask(lambda project: project.customer(customer, entries=5))
    except RejectedError as error:
        raise HTTPException(404, "We know nothing of you yet.") from error
    return HTMLResponse(page(view))


def page(view: CustomerView) -> str:
    """The stage, what it rests on, what the shop knows, and the way out."""
    why = [f"{name}: {value}" for move in view.transitions[-1:] for name, value in move.evidence.items()]
    known = [f"{point.medium}: {point.address}" for point in view.customer.contact_points]
    last = [f"{entry.at:%F}: {entry.kind}" for entry in view.timeline]
    return (
        f"<!doctype html><title>You and us</title><h1>{escape(view.customer.name or view.customer.id)}</h1>"
        f"<p>To us you are a {escape(view.stage)}.</p><h2>Why</h2>{listed(why)}"
        f"<h2>What we know</h2>{listed(known)}<p>{view.interactions} interactions, the last of them:</p>{listed(last)}"
        '<form method="post" action="/unsubscribe"><button>No more marketing</button></form>'
    )


def listed(lines: list[str]) -> str:
    """A list of lines."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


async def unsubscribe(request: Request) -> Response:
    """``POST /unsubscribe``: all consent to marketing is withdrawn. A GET would be pressed by every link scanner."""
    customer = customer_of(request)

    def withdraw(project: Relationships) -> None:
        now = project.clock()
        id = f"{customer} {now.isoformat()}"
        project.record([Interaction(source="account-page", id=id, customer=customer, kind="unsubscribe", at=now)])

    await project_of(request).ask(withdraw)
    return PlainTextResponse("You get no more marketing from us.")


async def link(request: Request) -> Response:
    """Where the links in messages lead, such as that to unsubscribe: ``[project] links = "https://.../r"``."""
    body = await request.body()

    def receive(project: Relationships) -> Response:
        raw = RawRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            body=body,
            received_at=project.clock(),
        )
        answer = project.receivers.receive("links", raw)
        return Response(answer.body, answer.status, media_type=answer.content_type)

    return await project_of(request).ask(receive)


async def counts(_: Request) -> Response:
    """``GET /metrics``: for Prometheus."""
    return PlainTextResponse(metrics.text())


def wrong(_: Request, error: Exception) -> Response:
    """What came cannot be kept; the sentence says what to correct."""
    return PlainTextResponse(str(error), 400)


def busy(_: Request, error: Exception) -> Response:
    """Another process writes for long: whoever asked tries again."""
    return PlainTextResponse(str(error), 503, {"Retry-After": "5"})


app = Starlette(
    lifespan=lifespan,
    exception_handlers={RejectedError: wrong, RetriableError: busy},
    routes=[
        Route("/orders", order, methods=["POST"]),
        Route("/visits", visit, methods=["POST"]),
        Route("/relationship", relationship),
        Route("/unsubscribe", unsubscribe, methods=["POST"]),
        Route("/r/{path:path}", link, methods=["GET", "POST"]),
        Route("/metrics", counts),
    ],
)
