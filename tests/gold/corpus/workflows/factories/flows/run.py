# judged: GS11
from kailash.runtime.local import LocalRuntime

from flows import make
from flows.make import ShopBuilder, declared, finished, stock

with LocalRuntime() as runtime:
    # found: GS11
    runtime.execute(stock())
    # found: GS11
    runtime.execute(declared())
    # fine: GS11
    runtime.execute(stock().build())
    # fine: GS11
    runtime.execute(finished())
    flow = make.stock()
    # found: GS11
    runtime.execute(flow)
    # fine: GS11
    runtime.execute(flow.build())
    # found: GS11
    runtime.execute(ShopBuilder())
    # fine: GS11
    runtime.execute(ShopBuilder().build())
