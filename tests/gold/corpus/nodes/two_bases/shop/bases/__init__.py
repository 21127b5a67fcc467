# judged: GS04, GS05, GS06
from shop.bases.priced import PricedBaseNode as Priced

__all__ = ["Priced"]
