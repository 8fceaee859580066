"""What the rows of a file may be."""

from __future__ import annotations

from typing import Literal, TypeAlias

What: TypeAlias = Literal["customers", "interactions", "contacts"]
Said: TypeAlias = Literal["consents", "preferences", "suppressions"]
Rows: TypeAlias = What | Said
