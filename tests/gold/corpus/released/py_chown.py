# judged: WIN02
# from pytest 9.2.0: _pytest/_py/path.py, lines 12, 25, 299-313
import os
import sys
if sys.platform != "win32":

    def chown(self, user, group, rec=0):
        """Change ownership to the given user and group.
        user and group may be specified by a number or
        by a name.  if rec is True change ownership
        recursively.
        """
        uid = getuserid(user)
        gid = getgroupid(group)
        if rec:
            for x in self.visit(rec=lambda x: x.check(link=0)):
                if x.check(link=0):
                    # fine: WIN02
                    error.checked_call(os.chown, str(x), uid, gid)
        # fine: WIN02
        error.checked_call(os.chown, str(self), uid, gid)
