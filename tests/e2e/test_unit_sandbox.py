# SPDX-License-Identifier: Apache-2.0
"""The server under what the unit of systemd takes away: its system calls, memory that is both written and executed, namespaces, address families.

There is no systemd where tests run, so a filter of libseccomp stands in: the sets that the unit names, as this machine's systemd-analyze spells them.
The release build runs under it: a sanitizer traces its own process, which no service may.
"""
import contextlib
import ctypes
import errno
import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, clean_environment, release
from export_client import Exports
from ws_client import Socket, Stream

UNIT = (ROOT / "assets" / "systemd" / "virga.service").read_text()
ALLOW, REFUSE, ABSENT = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
EQUAL, MASKED_EQUAL = 4, 7
PR_SET_NO_NEW_PRIVS = 38
CLONE_NAMESPACES = 0x7E020080
PROT_WRITE, PROT_EXEC = 2, 4


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def settings(name):
    return re.findall(rf"^{name}=(.*)$", UNIT, re.M)


def calls_of(name):
    """The system calls of a set, and of sets in it."""
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"systemd-analyze does not know {name}")
    names = [line.strip() for line in done.stdout.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*(calls_of(n) for n in names))


def allowed():
    calls = set(calls_of("@default"))
    for line in settings("SystemCallFilter"):
        named = set().union(*(calls_of(n) for n in line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def make_filter(library, calls):
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(REFUSE))
    special = {"clone", "clone3", "unshare", "setns", "socket", "mmap", "mprotect"}

    def allow(name, *comparisons, action=ALLOW):
        number = library.seccomp_syscall_resolve_name(name.encode())
        array = (Comparison * max(1, len(comparisons)))(*comparisons)
        if number != -1 and library.seccomp_rule_add_array(context, action, number, len(comparisons), array):
            assert number < 0, name  # it is no call of this processor
    for name in calls - special:
        allow(name)
    allow("clone", Comparison(0, MASKED_EQUAL, CLONE_NAMESPACES, 0))
    allow("clone3", action=ABSENT)  # what it asks for cannot be seen
    for name, number in {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}.items():
        if name in " ".join(settings("RestrictAddressFamilies")).split():
            allow("socket", Comparison(0, EQUAL, number, 0))
    allow("mmap", Comparison(2, MASKED_EQUAL, PROT_WRITE, 0))
    allow("mmap", Comparison(2, MASKED_EQUAL, PROT_EXEC, 0))
    allow("mprotect", Comparison(2, MASKED_EQUAL, PROT_EXEC, 0))
    return context


@pytest.fixture
def confined(tmp_path):
    """confined(*arguments): virga under the unit's filter, as a process."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not there")
    with contextlib.suppress(OSError):
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        context = make_filter(library, allowed())
        libc = ctypes.CDLL(None)

        def confine():
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if library.seccomp_load(context):
                os._exit(99)
        return lambda *arguments, **more: subprocess.Popen([release(), *map(str, arguments)], preexec_fn=confine, env=clean_environment(tmp_path), text=True,
                                                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    pytest.skip("libseccomp is not there")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
def test_the_filter_takes_something_away():
    calls = allowed()
    assert {"read", "openat", "clone3", "memfd_create", "landlock_restrict_self", "seccomp", "sched_setscheduler"} <= calls
    assert not {"ptrace", "mount", "bpf", "setuid", "chroot", "kexec_load", "init_module", "reboot", "perf_event_open"} & calls


def test_readers_confine_themselves_under_it(confined, tmp_path):
    process = confined("serve", "--check", "--state", tmp_path / "state", "--allow-empty")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "; readers are denied: " in said


def test_a_server_serves_and_exports_under_it(confined, demo_forecast, tmp_path):
    process = confined("serve", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", demo_forecast)
    try:
        url = next(line.split()[2] for line in process.stdout if line.startswith("listening on "))
        host, port = url.split("/")[2].split(":")
        server = type("Server", (), {"url": url, "host": host, "port": int(port), "process": process})
        with Stream(url) as stream:
            dataset = json.loads(Socket(host, int(port)).request("/api/catalog")[2])["datasets"][0]
            stream.interest(dataset["id"], [next(v["id"] for v in dataset["variables"] if v["vertical"])])
            stream.until_done()
            assert stream.bricks
        assert Socket(host, int(port)).request("/readyz")[0] == 200
        exports = Exports(server)
        job = exports.make(exports.view(size=[160, 90]))
        exports.wait(job, ["done"], seconds=120)
    finally:
        process.terminate()
        assert process.wait(30) == 0, process.stdout.read()
