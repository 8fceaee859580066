"""The keys of ``[store]`` with ``use = "postgres"``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import Attribute, field, frozen

from relationship_core import ConfigurationError, Secret, declared

LONGEST_TIMEOUT = 86_400.0
SSLMODES: TypeAlias = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


def _secret(_owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, Secret) or not value.reveal().strip() or "\x00" in value.reveal():
        message = (
            f"{attribute.name} must be a secret: an environment variable that holds "
            "postgresql://user:password@host:5432/database"
        )
        raise ConfigurationError(message)


def _schema(_owner: object, attribute: Attribute[str], value: str) -> None:
    if value.startswith("pg_"):
        message = f"{attribute.name} must not begin with pg_, which PostgreSQL keeps for itself"
        raise ConfigurationError(message)


@frozen(kw_only=True)
class PostgresSettings:
    """Settings of ``[store] use = "postgres"``.

    Attributes:
        url: where the database is and who we are there, as libpq writes it:
            ``postgresql://user:password@host:5432/database``. All of it is a secret.
        schema: the schema that holds the project; it is made where it is missing and this user may.
        project: whose schema it is; another project's is refused. The project's name unless given here, which who
            gives the project another name needs.
        sslmode: how TLS is used, in place of what the url says. ``verify-full`` alone knows the server.
        sslrootcert: the certificates that the server's is checked by.
        connect_timeout: seconds to wait for a connection.
        busy_timeout: seconds to wait for another process that is writing.
        statement_timeout: seconds that a statement may take, but for migrations and ``forget``; 0 for any time.
        synchronous_commit: whether every commit waits until it is on the disk. Without it only those wait that must
            survive a power cut: quicker, but what was sent in the last second before the server crashes may then be
            sent again.
    """

    url: Secret = field(validator=_secret)
    schema: str = field(
        default="relationship_core",
        validator=[
            declared.matching(r"[a-z_][a-z0-9_]{0,62}", "at most 63 lower-case letters, digits and underscores"),
            _schema,
        ],
    )
    project: str = field(default="", validator=declared.text, metadata={"project": "name"})
    sslmode: SSLMODES | None = None
    sslrootcert: Path | None = None
    connect_timeout: float = field(default=10.0, converter=float, validator=declared.number(above=0, high=600.0))
    busy_timeout: float = field(default=10.0, converter=float, validator=declared.number(above=0, high=LONGEST_TIMEOUT))
    statement_timeout: float = field(default=600.0, converter=float, validator=declared.number(0, LONGEST_TIMEOUT))
    synchronous_commit: bool = field(default=True, validator=declared.yes_or_no)
