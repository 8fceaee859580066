"""The keys of ``[executor]`` with ``use = "dask"``."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import Attribute, field, frozen, validators

from relationship_core import ConfigurationError, declared

LONGEST_TIMEOUT = 3600.0
MOST_PAGES = 10_000
"""Judged at the same time by any cluster."""
MOST_WORKERS = 256
"""Of a cluster on this machine: each is a Python with all its libraries."""


def _address(_owner: object, attribute: Attribute[str], value: str) -> None:
    if value and not re.fullmatch(r"(tcp|tls|ws|wss)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):[0-9]+", value):
        message = (
            f"{attribute.name} must be that of a scheduler, such as tcp://scheduler.example.com:8786, not {value!r}"
        )
        raise ConfigurationError(message)


@frozen(kw_only=True)
class DaskSettings:
    """Settings of ``[executor] use = "dask"``.

    Attributes:
        address: the scheduler of a cluster that is there, such as ``tcp://scheduler.example.com:8786``; without one
            a cluster is started on this machine, and ended with the project.
        workers: how many pages are judged at the same time: as many as the cluster has threads, or this machine cores,
            unless given; 10,000 at most, and of a cluster on this machine 256.
        timeout: how many seconds to wait for the scheduler, and for the first worker.
        ca: with ``tls://``: the file of the authority that signed the cluster's certificates.
        certificate: with ``tls://``: the file of the client's certificate.
        key: with ``tls://``: the file of its private key.
    """

    address: str = field(default="", validator=_address)
    workers: int | None = field(default=None, validator=validators.optional(declared.whole(1, MOST_PAGES)))
    timeout: float = field(default=30.0, converter=float, validator=declared.number(above=0, high=LONGEST_TIMEOUT))
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse files of TLS where nothing is encrypted, and the other way round; and too many workers here."""
        if not self.address and self.workers is not None and self.workers > MOST_WORKERS:
            message = f"workers must be at most {MOST_WORKERS} on this machine, not {self.workers}"
            raise ConfigurationError(message)
        files = {"ca": self.ca, "certificate": self.certificate, "key": self.key}
        is_encrypted = self.address.startswith(("tls://", "wss://"))
        for name, file in files.items():
            if is_encrypted and file is None:
                message = f"an address with tls:// needs the keys ca, certificate and key; {name} is missing"
                raise ConfigurationError(message)
            if file is not None and not is_encrypted:
                message = f"{name} is for an address with tls://; give such an address, or leave {name} out"
                raise ConfigurationError(message)
