"""The pages of the shop."""

from django.urls import path

from .views import relationship

urlpatterns = [path("relationship", relationship)]
