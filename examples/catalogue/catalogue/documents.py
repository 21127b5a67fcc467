# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Product documents: a few lines that name the product, a blank line, then text in paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

LONGEST_DOCUMENT, LONGEST_PASSAGE, LONGEST_LINE, LONGEST_QUESTION = 20_000, 600, 100, 500
HEADS = ("Product", "Id", "Category", "Supplier", "Price", "Stock")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_STEP = "Next: correct the document, and send it again"


class DocumentError(ValueError):
    """A document or a question that can't be used; nothing has been stored."""


@dataclass(frozen=True)
class Document:
    """What a product document says."""

    id: str
    name: str
    category: str
    supplier: str
    price: float
    stock: int
    text: str

    @property
    def category_id(self) -> str:
        """The category's id: its name, as ids are spelled."""
        return slug(self.category)

    @property
    def supplier_id(self) -> str:
        """The supplier's id: its name, as ids are spelled."""
        return slug(self.supplier)

    @property
    def passages(self) -> list[str]:
        """The text in parts, each short enough for an embedding model."""
        return [part for paragraph in self.text.split("\n\n") for part in _parts(" ".join(paragraph.split()))]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return a row per model: ProductCategory, Supplier, ProductCatalog, DocumentFile."""
        product: dict[str, Any] = {"category_id": self.category_id, "supplier_id": self.supplier_id, "name": self.name}
        product |= {"description": self.passages[0], "stock": self.stock, "price": self.price, "available": True}
        file = {"product_id": self.id, "title": self.name, "content": self.text, "pages": 1, "published": True}
        return {
            "category": {"id": self.category_id, "parent_id": "", "name": self.category},
            "supplier": {"id": self.supplier_id, "name": self.supplier, "city": "", "approved": True},
            "product": {"id": self.id, **product},
            "file": {"id": f"{self.id}-document", **file},
        }


def slug(name: str) -> str:
    """Return an id made of a name."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:63].strip("-")


def checked_text(what: str, value: object, longest: int) -> str:
    """Return a text that may be stored: of a length above zero, without control characters."""
    if not isinstance(value, str) or not value.strip():
        raise DocumentError(f"{what}: found no text; expected some. {_STEP}")
    if len(value) > longest:
        raise DocumentError(f"{what}: found {len(value)} characters; expected at most {longest}. {_STEP}")
    plain = value.replace("\r\n", "\n")
    if _CONTROL.search(plain):
        raise DocumentError(f"{what}: found a control character; expected text. {_STEP}")
    return plain.strip()


def checked_question(value: object) -> str:
    """Return a question in one line."""
    return " ".join(checked_text("question", value, LONGEST_QUESTION).split())


def checked_id(value: object) -> str:
    """Return a product's id."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise DocumentError(f"id: found no id; expected small letters, digits and hyphens, at most 63. {_STEP}")
    return value


def read_document(value: object) -> Document:
    """Return what a document says. Raises DocumentError for one that lacks something."""
    text = checked_text("document", value, LONGEST_DOCUMENT)
    head, _, body = text.partition("\n\n")
    if not body.strip():
        raise DocumentError(f"document: found no text after its first lines; expected a blank line and text. {_STEP}")
    found: dict[str, str] = {}
    for line in head.splitlines():
        name, colon, said = line.partition(":")
        if not colon or name.strip() not in HEADS or name.strip() in found:
            raise DocumentError(f"document: found {line[:40]!r}; expected each of {', '.join(HEADS)} once. {_STEP}")
        found[name.strip()] = checked_text(name.strip(), said, LONGEST_LINE)
    if missing := [name for name in HEADS if name not in found]:
        raise DocumentError(f"document: found no {', '.join(missing)}; expected each of {', '.join(HEADS)}. {_STEP}")
    for name in ("Category", "Supplier"):
        if not slug(found[name]):
            raise DocumentError(f"{name}: found {found[name]!r}; expected a letter or a digit in it. {_STEP}")
    return Document(
        id=checked_id(found["Id"]),
        name=found["Product"],
        category=found["Category"],
        supplier=found["Supplier"],
        price=_price(found["Price"]),
        stock=int(_price(found["Stock"], whole=True)),
        text=body.strip(),
    )


def _price(value: str, *, whole: bool = False) -> float:
    form, expected = (r"\d{1,9}", "a whole number") if whole else (r"\d{1,6}(\.\d{1,2})?", "a price such as 89.90")
    if not re.fullmatch(form, value, re.ASCII):
        raise DocumentError(f"{'Stock' if whole else 'Price'}: found {value!r}; expected {expected}. {_STEP}")
    return float(value)


def _parts(paragraph: str) -> list[str]:
    """Return a paragraph in parts of whole words."""
    parts: list[str] = []
    for word in paragraph.split(" "):
        word = word[:LONGEST_PASSAGE]
        if parts and len(parts[-1]) + 1 + len(word) <= LONGEST_PASSAGE:
            parts[-1] += f" {word}"
        elif word:
            parts.append(word)
    return parts
