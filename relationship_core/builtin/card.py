"""A message as a page to print: a postcard with the text on the left and the address on the right."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relationship_core import Message


_STYLE = """
@page { size: 148mm 105mm; margin: 0 }
* { box-sizing: border-box }
body { margin: 0; background: #e9e6e0; color: #23211d; font: 11pt/1.5 Georgia, "Times New Roman", serif }
.card { display: grid; grid-template-columns: 3fr 2fr; width: 148mm; min-height: 105mm; margin: 8mm auto;
  padding: 9mm; background: #fffdf8; box-shadow: 0 1mm 4mm rgb(0 0 0 / 20%) }
.text { padding-right: 7mm; border-right: .3mm solid #b9b2a4; overflow-wrap: anywhere }
.text p { margin: 0 0 3mm }
h1 { margin: 0 0 3mm; font-size: 14pt; line-height: 1.2; color: #7a3e1d }
.label { display: flex; flex-direction: column; justify-content: space-between; padding-left: 7mm }
.stamp { align-self: flex-end; width: 18mm; height: 22mm; border: .3mm dashed #b9b2a4 }
address { padding-bottom: 8mm; font-style: normal; white-space: pre-line }
@media print { body { background: none } .card { margin: 0; box-shadow: none } }
""".strip()


def card(message: Message) -> str:
    """A self-contained HTML page. A message that is a whole page already stays as it is."""
    if "<html" in message.html.lower():
        return message.html
    heading = f"<h1>{escape(message.subject)}</h1>\n" if message.subject else ""
    language = f' lang="{escape(message.locale)}"' if message.locale else ""
    return f"""<!DOCTYPE html>
<html{language}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(message.subject or "Card")}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<main class="card">
<div class="text">
{heading}{message.html or _paragraphs(message.text)}
</div>
<div class="label">
<div class="stamp"></div>
<address>{escape(_label(message))}</address>
</div>
</main>
</body>
</html>
"""


def _paragraphs(text: str) -> str:
    paragraphs = (part.strip("\n") for part in text.replace("\r\n", "\n").split("\n\n"))
    return "\n".join(f"<p>{escape(each).replace(chr(10), '<br>')}</p>" for each in paragraphs if each)


def _label(message: Message) -> str:
    """The lines of the address, under the name unless they begin with it."""
    if not message.recipient or message.address.startswith(message.recipient):
        return message.address
    return f"{message.recipient}\n{message.address}"
