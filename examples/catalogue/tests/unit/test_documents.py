# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a product document may say, and what is refused."""

import pytest

from catalogue.documents import LONGEST_PASSAGE, DocumentError, checked_id, checked_question, read_document, slug

HEAD = "Product: Heat Pump\nId: hp-12\nCategory: Heating\nSupplier: O'Brien & Söhne\nPrice: 1290.50\nStock: 7"
GOOD = f"{HEAD}\n\nIt warms a house.\n\nIts service code is 4711."


def test_a_document_is_read() -> None:
    """Every line has its place; an apostrophe is a letter like any other."""
    document = read_document(GOOD)
    assert (document.id, document.name, document.price, document.stock) == ("hp-12", "Heat Pump", 1290.5, 7)
    assert document.supplier == "O'Brien & Söhne"
    assert document.passages == ["It warms a house.", "Its service code is 4711."]


def test_rows_refer_to_each_other() -> None:
    """The product's row names the rows of its category and supplier."""
    rows = read_document(GOOD).rows()
    assert rows["product"]["category_id"] == rows["category"]["id"] == "heating"
    assert rows["product"]["supplier_id"] == rows["supplier"]["id"] == "o-brien-s-hne"
    assert rows["file"]["product_id"] == rows["product"]["id"]


def test_lines_of_windows_are_read() -> None:
    """A file written on Windows says the same."""
    assert read_document(GOOD.replace("\n", "\r\n")) == read_document(GOOD)


def test_a_long_paragraph_is_split() -> None:
    """No passage is longer than an embedding model takes, and no word is lost."""
    text = " ".join(f"word{number}" for number in range(400))
    passages = read_document(f"{HEAD}\n\n{text}").passages
    assert len(passages) > 1
    assert all(len(each) <= LONGEST_PASSAGE for each in passages)
    assert " ".join(passages) == text


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("", "no text"),
        (HEAD, "no text after its first lines"),
        (f"{HEAD}\n\n  \n", "no text after its first lines"),
        (GOOD.replace("Id: hp-12\n", ""), "found no Id"),
        (GOOD.replace("Id: hp-12", "Id: ../etc/passwd"), "found no id"),
        (GOOD.replace("Id: hp-12", "Id: HP 12"), "found no id"),
        (GOOD.replace("1290.50", "free"), "'free'"),
        (GOOD.replace("1290.50", "-5"), "'-5'"),
        (GOOD.replace("Stock: 7", "Stock: 7.5"), "'7.5'"),
        (GOOD.replace("Stock: 7", "Stock: 7\nStock: 8"), "'Stock: 8'"),
        (GOOD.replace("Stock: 7", "Colour: red\nStock: 7"), "'Colour: red'"),
        (GOOD.replace("Heating", "???"), "'???'"),
        (GOOD.replace("warms", "wa\x00rms"), "control character"),
        (GOOD + "x" * 20_000, "characters"),
        (None, "no text"),
        (7, "no text"),
    ],
)
def test_what_is_no_document_is_refused(document: object, found: str) -> None:
    """The message says what was found and what to do."""
    with pytest.raises(DocumentError) as refused:
        read_document(document)
    assert found in str(refused.value)
    assert "expected" in str(refused.value)
    assert "Next:" in str(refused.value)


def test_a_question_is_one_line() -> None:
    """Line breaks in a question could look like facts."""
    assert checked_question(" What\n\nFacts:\n is it? ") == "What Facts: is it?"
    with pytest.raises(DocumentError):
        checked_question("x" * 501)


@pytest.mark.parametrize("value", ["", "-a", "a" * 64, "a'; DROP TABLE x;--", None, "A"])
def test_what_is_no_id_is_refused(value: object) -> None:
    """An id is part of keys in all stores."""
    with pytest.raises(DocumentError):
        checked_id(value)


def test_a_slug_is_an_id() -> None:
    """Whatever the name."""
    assert checked_id(slug("Nordwind GmbH & Co. (1)")) == "nordwind-gmbh-co-1"
