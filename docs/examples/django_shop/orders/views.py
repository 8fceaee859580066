"""What a customer sees."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from per_use import open_project
from relationship_core import RejectedError


def relationship(request: HttpRequest) -> HttpResponse:
    """Your relationship with us. Put ``request.user`` here; this believes a proxy that sets the header itself."""
    customer = request.headers.get("X-Remote-User", "")
    try:
        with open_project() as project:
            view = project.customer(customer)
    except RejectedError as error:
        raise Http404(str(error)) from error
    return render(request, "relationship.html", {"view": view})
