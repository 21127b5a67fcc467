# judged: GS16
# found in: GS16
def test_mocker(mocker):
    mocker.patch("shop.db.connect")


# found in: GS16
def test_session(session_mocker): session_mocker.patch("shop.db.connect")


# fine: GS16
def test_word(capsys):
    # fine: GS16
    mocker = "a bird that mocks"
    # fine: GS16
    assert mocker.replace("a", "b")
