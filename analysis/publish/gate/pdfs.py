"""Text of PDF files for the publication check."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any


def read_pdf(data: bytes) -> tuple[list[tuple[int, str]], str]:
    """Read the text of the pages, then every string in the file, such as titles, alt texts and links.

    Returns
    -------
    list of (int, str)
        Page and text; strings that belong to no page count to the first.
    str
        Why the file cannot be searched; empty where it can.
    """
    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=True)
        texts = [(number, " ".join(page.extract_text().split())) for number, page in enumerate(reader.pages, start=1)]
        size: Any = reader.trailer["/Size"]
        for number in range(1, int(size)):
            texts += [(1, text) for text in _strings(reader.get_object(number))]
        attached = bool(reader.attachments)
    except Exception as error:
        # Whatever is wrong with a file from elsewhere: what cannot be read is refused.
        return [], f"a .pdf file cannot be searched ({type(error).__name__})"
    return texts, "a .pdf file with other files in it cannot be searched" if attached else ""


def _strings(value: Any) -> Iterator[str]:
    """Every text below an object; references are not followed, as each has a number of its own."""
    from pypdf.generic import ArrayObject, ByteStringObject, DictionaryObject, StreamObject, TextStringObject

    if isinstance(value, TextStringObject):
        yield str(value)
    elif isinstance(value, ByteStringObject):
        yield bytes(value).decode("latin-1")
    elif isinstance(value, ArrayObject):
        for item in list.__iter__(value):
            yield from _strings(item)
    elif isinstance(value, DictionaryObject):
        for item in dict.values(value):
            yield from _strings(item)
        if isinstance(value, StreamObject) and value.get("/Type") == "/Metadata":
            yield value.get_data().decode("utf-8", errors="replace")
