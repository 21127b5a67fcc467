# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The thirteen models of the catalogue. DataFlow makes a table and eleven nodes of each: `define(db)`.

Plain classes: the settings, not the import of this module, decide where the tables are. A model refers to another by
its id; `PARENTS` names these references, DataFlow makes no foreign keys of them. A `float` becomes PostgreSQL's `real`,
which keeps six digits.
"""

from typing import Any, Protocol


class Registers(Protocol):
    """What `define` needs of a `dataflow.DataFlow`."""

    def model(self, cls: type) -> Any:
        """Register a class as a model."""


class Company:
    """A company: the seller, or one that buys."""

    id: str
    name: str
    country: str
    employees: int
    annual_revenue: float
    active: bool = True


class AppUser:
    """A person who works with the catalogue."""

    id: str
    company_id: str
    email: str
    display_name: str
    logins: int = 0
    hourly_rate: float = 0.0
    administrator: bool = False


class Customer:
    """Who orders: a person or a department of a company."""

    id: str
    company_id: str
    name: str
    email: str
    loyalty_points: int = 0
    credit_limit: float = 0.0
    blocked: bool = False


class ProductCategory:
    """A group of products; groups form a tree."""

    id: str
    parent_id: str
    name: str
    position: int = 0
    margin_percent: float = 0.0
    visible: bool = True


class Supplier:
    """Who delivers products."""

    id: str
    name: str
    city: str
    lead_days: int = 0
    rating: float = 0.0
    approved: bool = False


class ProductCatalog:
    """A product as the catalogue offers it."""

    id: str
    category_id: str
    supplier_id: str
    name: str
    description: str
    stock: int = 0
    price: float = 0.0
    available: bool = True


class Quotation:
    """An offer to a customer."""

    id: str
    customer_id: str
    title: str
    valid_days: int = 30
    total: float = 0.0
    accepted: bool = False


class QuotationItem:
    """A line of an offer."""

    id: str
    quotation_id: str
    product_id: str
    description: str
    quantity: int = 1
    unit_price: float = 0.0
    optional: bool = False


class Invoice:
    """What a customer owes for an offer that was accepted."""

    id: str
    quotation_id: str
    number: str
    due_days: int = 30
    amount: float = 0.0
    paid: bool = False


class Payment:
    """Money received for an invoice."""

    id: str
    invoice_id: str
    reference: str
    attempts: int = 1
    amount: float = 0.0
    settled: bool = False


class DocumentFile:
    """A document about a product: a data sheet, a manual, a certificate."""

    id: str
    product_id: str
    title: str
    content: str
    pages: int = 0
    relevance: float = 0.0
    published: bool = False


class WorkRecommendation:
    """Work that is advised with a product, such as its installation."""

    id: str
    product_id: str
    title: str
    minutes: int = 0
    confidence: float = 0.0
    certified_only: bool = False


class SafetyRule:
    """A rule to keep when working with the products of a category."""

    id: str
    category_id: str
    title: str
    severity: int = 1
    risk: float = 0.0
    mandatory: bool = True


MODELS: tuple[type, ...] = (
    Company,
    AppUser,
    Customer,
    ProductCatalog,
    ProductCategory,
    Supplier,
    Quotation,
    QuotationItem,
    Invoice,
    Payment,
    DocumentFile,
    WorkRecommendation,
    SafetyRule,
)
NAMES: tuple[str, ...] = tuple(model.__name__ for model in MODELS)
PARENTS: dict[str, str] = {
    "category_id": "ProductCategory",
    "company_id": "Company",
    "customer_id": "Customer",
    "invoice_id": "Invoice",
    "parent_id": "ProductCategory",
    "product_id": "ProductCatalog",
    "quotation_id": "Quotation",
    "supplier_id": "Supplier",
}


def define(db: Registers) -> None:
    """Register the models with a DataFlow instance. Its `create_tables()` makes the tables."""
    for model in MODELS:
        db.model(model)
