# judged: GS16
# fine: GS16
def test_orders():
    assert True
