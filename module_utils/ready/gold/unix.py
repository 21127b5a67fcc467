# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the standard library has on Unix alone, and on Windows alone: the library reference's "Availability"."""

from __future__ import annotations

#: Modules that Python on Windows lacks; uvloop by its own page.
MODULES = frozenset(
    {
        *("crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "resource", "spwd", "syslog"),
        *("termios", "tty", "uvloop"),
    }
)
#: Modules that Python has on Windows alone: where their import fails, it isn't Windows.
WINDOWS_MODULES = frozenset({"msvcrt", "winreg", "_winreg", "winsound", "_winapi", "win32api", "win32con", "win32file"})
#: Dotted names that modules have on Unix alone.
NAMES = frozenset(
    f"{module}.{name}"
    for module, names in {
        "os": "fork forkpty getuid geteuid getgid getegid getgroups getresuid getresgid setuid seteuid setgid setegid "
        "setgroups setreuid setregid setresuid setresgid setsid getsid getpgid getpgrp setpgid setpgrp killpg chown "
        "fchown lchown chroot mkfifo mknod nice getloadavg getpriority setpriority wait wait3 wait4 waitid WNOHANG "
        "WIFEXITED WEXITSTATUS sched_getaffinity sched_setaffinity sched_yield uname ttyname openpty login_tty "
        "statvfs fstatvfs sync pread pwrite posix_fadvise posix_spawn sendfile confstr sysconf O_CLOEXEC O_NONBLOCK",
        "signal": "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGQUIT SIGSTOP SIGTSTP SIGCONT SIGPIPE SIGWINCH "
        "alarm setitimer getitimer pause pthread_kill pthread_sigmask sigwait siginterrupt",
        "socket": "AF_UNIX socketpair_unix",
        "time": "tzset clock_settime",
        "asyncio": "open_unix_connection start_unix_server",
        "socketserver": "UnixStreamServer UnixDatagramServer ForkingMixIn ForkingTCPServer",
    }.items()
    for name in names.split()
)
#: Dotted names that modules have on Unix alone and whose use is no violation by itself, but that conditions ask for.
ASKED = NAMES | frozenset(
    f"{module}.{name}"
    for module, names in {
        "os": "register_at_fork pathconf fdatasync ctermid tcgetpgrp initgroups lchmod posix_spawnp pidfd_open "
        "O_DIRECTORY O_NOFOLLOW O_NOCTTY WIFSIGNALED WTERMSIG getrandom memfd_create fexecve",
        "signal": "SIGRTMIN SIGIO SIGCLD SIGURG SIGTTIN SIGTTOU SIGXCPU setitimer ITIMER_REAL sigpending sigtimedwait",
        "socket": "SO_REUSEPORT SCM_RIGHTS CMSG_LEN AF_NETLINK AF_VSOCK AF_PACKET",
        "select": "epoll kqueue poll devpoll",
    }.items()
    for name in names.split()
)
#: Dotted names that modules have on Windows alone.
WINDOWS_NAMES = frozenset(
    {
        *("sys.getwindowsversion", "sys.winver", "sys.dllhandle", "os.startfile", "os.add_dll_directory"),
        *("os.O_BINARY", "os.O_NOINHERIT", "os.P_DETACH"),
        *("signal.CTRL_C_EVENT", "signal.CTRL_BREAK_EVENT", "signal.SIGBREAK"),
        *("subprocess.STARTUPINFO", "subprocess.CREATE_NO_WINDOW", "subprocess.CREATE_NEW_PROCESS_GROUP"),
        *("asyncio.WindowsSelectorEventLoopPolicy", "asyncio.WindowsProactorEventLoopPolicy", "ctypes.windll"),
    }
)
