# judged: WIN01
# from pytest 9.2.0: _pytest/_py/path.py, lines 249-262
def getuserid(user):
    # found: WIN01
    import pwd

    if not isinstance(user, int):
        user = pwd.getpwnam(user)[2]  # type:ignore[attr-defined,unused-ignore]
    return user


def getgroupid(group):
    # found: WIN01
    import grp

    if not isinstance(group, int):
        group = grp.getgrnam(group)[2]  # type:ignore[attr-defined,unused-ignore]
    return group
