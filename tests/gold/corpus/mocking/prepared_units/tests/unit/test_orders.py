# judged: GS16
def test_orders():
    assert True
