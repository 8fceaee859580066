"""Turns a table of a TOML or JSON document into an attrs class, and says all that is wrong with it.

The class is the schema: its fields are the keys, and their types say what is expected.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from relationship_core.errors import ConfigurationError, nearest
from relationship_core.providers import Secret

T = TypeVar("T")

_WORDS: Mapping[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path, as text",
    Secret: 'a table that names an environment variable, { env = "NAME" }',
}


def document(path: Path, name: str) -> dict[str, Any]:
    """The content of a TOML file, called ``name`` in messages.

    Raises:
        ConfigurationError: it cannot be read, or does not parse.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror}"
        raise ConfigurationError(message) from error
    except UnicodeDecodeError as error:
        message = f"{name} is not UTF-8 text; save it as UTF-8"
        raise ConfigurationError(message) from error
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is not TOML: {error}"
        raise ConfigurationError(message) from error


def refuse(problems: Sequence[str]) -> None:
    """Raise what was found wrong, a line for each.

    Raises:
        ConfigurationError: something was.
    """
    if problems:
        raise ConfigurationError("\n".join(problems))


class Reader:
    """Reads the tables of one document and collects what is wrong with them.

    Attributes:
        file: what the document is called in messages; empty where that is clear.
        folder: what relative paths are relative to.
        problems: what was wrong so far, a line each.
    """

    def __init__(self, file: str, folder: Path) -> None:
        self.file = file
        self.folder = folder
        self.problems: list[str] = []

    def note(self, where: str, what: str) -> None:
        """Note a mistake at a place in the document."""
        self.problems.append(f"{', '.join(filter(None, (self.file, where)))}: {what}")

    def make(self, cls: type[T], table: object, where: str) -> T | None:
        """An instance of an attrs class from a table, or None where something was wrong with it.

        Args:
            cls: the class; fields without a default are keys that must be there.
            table: the table.
            where: the table's path, such as ``[channels.news]``; empty for the document itself.
        """
        if not isinstance(table, Mapping):
            self.note(where, f"must be a table, not {_shown(table)}")
            return None
        before = len(self.problems)
        types = _types(cls, where)
        self.refuse_unknown(table, types, where)
        self._name_missing(cls, table, where)
        given = {**_default_paths(cls), **table}
        values = {
            name: self.value(kind, given[name], _inside(where, name)) for name, kind in types.items() if name in given
        }
        if len(self.problems) > before:
            return None
        try:
            return cls(**values)
        except (ConfigurationError, TypeError, ValueError) as error:
            # The first argument of attrs' own errors is their sentence, the others are objects. Who wrote a file knows
            # its tables and keys, and not our classes.
            sentence = str(error.args[0]) if error.args else type(error).__name__
            self.note(where, sentence.removeprefix(f"{cls.__name__}."))
            return None

    def refuse_unknown(self, table: Mapping[str, object], known: Iterable[str], where: str) -> None:
        """Note each key that is not known."""
        known = list(known)
        for key in table:
            if key not in known:
                hint = nearest(key, known) or f"; the known ones are {', '.join(known) or 'none'}"
                self.note(where, f"unknown key {key!r}{hint}")

    def _name_missing(self, cls: type, table: Mapping[str, object], where: str) -> None:
        for field in attrs.fields(cls):
            if field.init and field.default is attrs.NOTHING and field.name not in table:
                self.note(where, f"the key {field.name!r} is missing")

    def value(self, kind: Any, raw: object, where: str) -> Any:
        """A value of a type, or None where it was wrong."""
        origin = get_origin(kind)
        if origin in {Union, UnionType}:
            (kind,) = (each for each in get_args(kind) if each is not NoneType)
            return None if raw is None else self.value(kind, raw, where)
        if origin is Literal:
            return self._one_of(get_args(kind), raw, where)
        if origin is tuple:
            return self._sequence(get_args(kind)[0], raw, where)
        if origin is not None:
            return self._mapping(get_args(kind)[1], raw, _headed(where))
        if attrs.has(kind):
            return raw if isinstance(raw, kind) else self.make(kind, raw, _headed(where))
        return self._plain(kind, raw, where)

    def _one_of(self, allowed: tuple[object, ...], raw: object, where: str) -> object:
        if raw not in allowed:
            names = [str(each) for each in allowed]
            near = nearest(str(raw), names)
            self.note(where, f"must be one of {', '.join(names)}, not {raw!r}{near}")
        return raw

    def _sequence(self, kind: Any, raw: object, where: str) -> tuple[Any, ...]:
        if not isinstance(raw, (list, tuple)):
            self.note(where, f"must be a list, not {_shown(raw)}")
            return ()
        return tuple(self.value(kind, each, f"{where}[{number}]") for number, each in enumerate(raw, 1))

    def _mapping(self, kind: Any, raw: object, where: str) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            self.note(where, f"must be a table, not {_shown(raw)}")
            return {}
        return {name: self.value(kind, each, _inside(where, name)) for name, each in raw.items()}

    def _plain(self, kind: Any, raw: object, where: str) -> Any:
        if kind is Secret:
            return self._secret(raw, where)
        if kind is Path and isinstance(raw, (str, Path)):
            return Path(os.path.abspath(self.folder / raw))  # noqa: PTH100  a link in the path is kept
        if kind is float and type(raw) is int:
            return float(raw)
        # type() and not isinstance(): True is an int.
        if type(raw) is not kind or (isinstance(raw, float) and not math.isfinite(raw)):
            self.note(where, f"must be {_WORDS[kind]}, not {_shown(raw)}")
        return raw

    def _secret(self, raw: object, where: str) -> Secret | None:
        if isinstance(raw, Secret):
            return raw
        if not (isinstance(raw, Mapping) and raw.keys() == {"env"} and isinstance(raw["env"], str)):
            self.note(where, f"a secret is never written here; it must be {_WORDS[Secret]}")
            return None
        text = os.environ.get(raw["env"])
        if not text:
            self.note(where, f"the environment variable {raw['env']} is not set; set it, then run again")
            return None
        return Secret(text)


def _default_paths(cls: type) -> dict[str, object]:
    """Paths that are not given are relative to the folder as well."""
    return {each.name: each.default for each in attrs.fields(cls) if isinstance(each.default, Path)}


def _inside(where: str, name: str) -> str:
    """The path of a key: ``[channels.news] path``, ``actions[1].variants[2].text``."""
    if not where:
        return name
    return f"{where} {name}" if where.startswith("[") else f"{where}.{name}"


def _headed(where: str) -> str:
    """The path of a table as TOML heads it, where it lies in the document itself."""
    return f"[{where}]" if where.isidentifier() else where


# A class is read as often as there are tables of it, and its types cost more to find than a table to read.
@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _types(cls: type, where: str) -> dict[str, Any]:
    """The types of a class's fields.

    Raises:
        ConfigurationError: one of them cannot be read from a document; that is the class's fault.
    """
    try:
        hints = _hints(cls)
    except NameError as error:
        message = f"{where}: the types of {cls.__qualname__} must be imported at run time: {error}"
        raise ConfigurationError(message) from error
    types = {field.name: hints[field.name] for field in attrs.fields(cls) if field.init}
    for name, kind in types.items():
        if not _readable(kind):
            message = f"{where}: {cls.__qualname__}.{name} has a type that no configuration can hold: {kind}"
            raise ConfigurationError(message)
    return types


def _readable(kind: Any) -> bool:
    origin, inner = get_origin(kind), [each for each in get_args(kind) if each is not NoneType]
    if origin in {Union, UnionType}:
        return len(inner) == 1 and _readable(inner[0])
    if origin is tuple:
        return inner[1:] == [Ellipsis] and _readable(inner[0])
    if origin is Mapping:
        return inner[0] is str and _readable(inner[1])
    return origin is Literal or kind in _WORDS or (isinstance(kind, type) and attrs.has(kind))


def _shown(raw: object) -> str:
    """A value of the wrong type. Text is not repeated: it may be a secret in the wrong place."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, (int, float)):
        return f"the number {raw}"
    words: Mapping[type, str] = {str: "text", list: "a list", dict: "a table"}
    return words.get(type(raw), f"a {type(raw).__name__}")
