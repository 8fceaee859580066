"""What every test shares."""

from hypothesis import settings

# No deadline: the time of one example says nothing on a busy machine.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
