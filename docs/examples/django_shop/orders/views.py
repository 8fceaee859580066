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
    except RejectedError as error:  # its words may name another customer, for whoever runs the project
        message = "We know nothing of you yet."
        raise Http404(message) from error
    return render(request, "relationship.html", {"view": view})
