# SPDX-License-Identifier: Apache-2.0
"""A small DAP2 server over netCDF files, on 127.0.0.1 and a free port, and its bad relations: by the first part of the path it answers
rightly (/data/FILE), elsewhere (/redirect/HOST:PORT/FILE), slowly (/slow), without end (/endless), half (/truncated), with numbers that
are not there (/short), or with metadata made to do harm (/bad/NAME). Shares no code with the program."""
import http.server
import pathlib
import re
import struct
import threading
import time
import urllib.parse

import netCDF4
import numpy

NAMES = {"u1": "Byte", "i2": "Int16", "u2": "UInt16", "i4": "Int32", "u4": "UInt32", "f4": "Float32", "f8": "Float64", "S1": "String"}
WIRE = {"u1": "u1", "i2": ">i4", "u2": ">u4", "i4": ">i4", "u4": ">u4", "f4": ">f4", "f8": ">f8"}


def kind(variable):
    """The type on the wire: DAP2 has no signed bytes and no integers of 64 bits."""
    code = variable.dtype.str[1:]
    return {"i1": "i2", "i8": "f8", "u8": "f8"}.get(code, code)


def quoted(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def shape_text(variable, lengths):
    return "".join(f"[{name} = {n}]" for name, n in zip(variable.dimensions, lengths))


class Stored:
    """A variable, its stored numbers in memory."""

    def __init__(self, variable):
        variable.set_auto_maskandscale(False)
        self.name, self.dimensions, self.shape, self.dtype = variable.name, variable.dimensions, variable.shape, variable.dtype
        self.numbers = numpy.asarray(variable[...])
        if self.dtype == "S1" and self.numbers.ndim:  # characters are sent as text, without their last dimension, as the usual servers do
            self.numbers = netCDF4.chartostring(self.numbers, encoding="bytes")
            self.dimensions, self.shape = self.dimensions[:-1], self.shape[:-1]
        self.attributes = {name: variable.getncattr(name) for name in variable.ncattrs()}


class Projection:
    """One part of a constraint: name, whether only a grid's array is wanted, and (start, stride, stop) a dimension."""

    def __init__(self, variables, text):
        path, *ranges = re.split(r"[\[\]]+", text.rstrip("]"))
        names = path.split(".")
        self.part = names[1] if len(names) > 1 else None
        self.grid, self.variable = variables[names[0]], variables[names[-1]]
        self.slices = []
        for n, length in enumerate(self.variable.shape):
            numbers = [int(x) for x in ranges[n].split(":")] if n < len(ranges) else [0, 1, length - 1]
            start, stride, stop = numbers if len(numbers) == 3 else (numbers[0], 1, numbers[-1])
            if not 0 <= start <= stop < length or stride < 1:
                raise IndexError(f"{text} is out of range")
            self.slices.append(slice(start, stop + 1, stride))

    def lengths(self):
        return [len(range(*s.indices(n))) for s, n in zip(self.slices, self.variable.shape)]


class DapFile:
    """One netCDF file as DDS, DAS and data. A variable whose dimensions all have coordinates is a Grid, as the usual servers have it."""

    def __init__(self, path):
        with netCDF4.Dataset(path) as file:
            self.variables = {v.name: Stored(v) for v in file.variables.values() if v.dtype is not str and kind(v) in NAMES}
            self.attributes = {name: file.getncattr(name) for name in file.ncattrs()}
        self.name, self.changed = path.name, path.stat().st_mtime

    def is_grid(self, v):
        maps = [self.variables.get(d) for d in v.dimensions]
        return len(maps) > 1 and v.dtype != "S1" and all(m and m.dimensions == (m.name,) for m in maps)

    def declaration(self, v, lengths):
        return f"{NAMES[kind(v)]} {v.name}{shape_text(v, lengths)};"

    def projections(self, query):
        texts = urllib.parse.unquote(query).split(",") if query else list(self.variables)
        return [Projection(self.variables, t) for t in texts]

    def dds(self, query=""):
        lines = ["Dataset {"]
        for p in self.projections(query):
            whole = self.declaration(p.variable, p.lengths())
            if self.is_grid(p.grid) and p.part is None:
                maps = [self.declaration(self.variables[d], [n]) for d, n in zip(p.variable.dimensions, p.lengths())]
                lines += ["    Grid {", "     ARRAY:", "        " + whole, "     MAPS:", *("        " + m for m in maps), f"    }} {p.variable.name};"]
            elif p.part is not None:
                lines += ["    Structure {", "        " + whole, f"    }} {p.grid.name};"]
            else:
                lines.append("    " + whole)
        return "\n".join([*lines, f"}} {self.name};", ""])

    def described(self, attributes):
        for name, value in attributes.items():
            if isinstance(value, str):
                yield f"        String {name} {quoted(value)};"
            elif not isinstance(value, list):
                values = numpy.atleast_1d(value)
                code = {"i1": "i2", "i8": "i4"}.get(values.dtype.str[1:], values.dtype.str[1:])
                yield f"        {NAMES[code]} {name} {', '.join(repr(x.item()) if code[0] == 'f' else str(int(x)) for x in values)};"

    def das(self):
        lines = ["Attributes {"]
        for v in self.variables.values():
            lines += [f"    {v.name} {{", *self.described(v.attributes), "    }"]
        lines += ["    NC_GLOBAL {", *self.described(self.attributes), "    }"]
        return "\n".join([*lines, "}", ""])

    def encoded(self, v, slices):
        values, code = v.numbers[tuple(slices)], kind(v)
        if code == "S1":
            texts = [bytes(c).rstrip(b"\0") for c in numpy.asarray(values).reshape(-1)]
            parts = [struct.pack(">I", len(t)) + t + bytes(-len(t) % 4) for t in texts]
            return (struct.pack(">I", len(texts)) if slices else b"") + b"".join(parts)
        data = numpy.ascontiguousarray(values).astype(WIRE[code]).tobytes()
        return (struct.pack(">II", values.size, values.size) if slices else b"") + data + bytes(-len(data) % 4)

    def dods(self, query=""):
        parts = [self.dds(query).encode(), b"\nData:\n"]
        for p in self.projections(query):
            parts.append(self.encoded(p.variable, p.slices))
            if self.is_grid(p.grid) and p.part is None:
                parts += [self.encoded(self.variables[d], [s]) for d, s in zip(p.variable.dimensions, p.slices)]
        return b"".join(parts)


BAD = {  # .dds, .das
    "huge": ("Dataset {\n Float32 t[time = 2147483647][y = 2147483647][x = 2147483647];\n} huge;\n", "Attributes {\n}\n"),
    "negative": ("Dataset {\n Float32 t[y = -4][x = 5];\n} negative;\n", "Attributes {\n}\n"),
    "zero": ("Dataset {\n Float32 t[y = 0][x = 5];\n} zero;\n", "Attributes {\n}\n"),
    "deep": ("Dataset {\n" + "Structure {\n" * 5000 + "Float32 t;\n" + "} s;\n" * 5000 + "} deep;\n", "Attributes {\n}\n"),
    "open": ("Dataset {\n Float32 t[y = 4", "Attributes {\n t {\n String units \"K"),
    "many": ("Dataset {\n" + "".join(f" Float32 v{n}[x = 2];\n" for n in range(50000)) + "} many;\n", "Attributes {\n}\n"),
    "ranks": ("Dataset {\n Float32 t" + "".join(f"[d{n} = 2]" for n in range(1500)) + ";\n} ranks;\n", "Attributes {\n}\n"),
    "text": ("\0\1\2\3 no dataset at all \xff", "\0\xff"),
    "names": ("Dataset {\n Float32 " + "n" * 20000 + "[x = 2];\n} names;\n", "Attributes {\n " + "n" * 20000 + " {\n String " + "a" * 20000 + " \"" + "t" * 200000 + "\";\n }\n}\n"),
    "das": ("Dataset {\n Float32 t[y = 4][x = 5];\n} das;\n", "Attributes {\n t {\n Float64 _FillValue one, two;\n Int32 many " + "1, " * 100000 + "2;\n } } } }\n"),
    "error": ("Error {\n code = 500;\n message = \"%s%n%s the disk burns\";\n};\n", "Attributes {\n}\n"),
    "empty": ("", ""),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, kind="text/plain", length=None, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("XDODS-Server", "dods/3.2")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def body_of(self, name, query):
        base, _, ending = name.rpartition(".")
        file = self.server.files.get(base)
        if not file or ending not in ("dds", "das", "dods"):
            return None
        if ending == "das":
            return file.das().encode()
        return file.dds(query).encode() if ending == "dds" else file.dods(query)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.server.seen.append((self.command, self.path))
        parsed = urllib.parse.urlsplit(self.path)
        _, how, *rest = parsed.path.split("/")
        name = "/".join(rest)
        try:
            getattr(self, "serve_" + how, self.serve_nothing)(name, parsed.query)
        except OSError:
            pass

    def serve_nothing(self, *_):
        self.answer(b"no such thing", status=404)

    def serve_data(self, name, query):
        try:
            body = self.body_of(name, query)
        except (IndexError, KeyError, ValueError) as error:
            return self.answer(f'Error {{\n code = 400;\n message = "{error}";\n}};\n'.encode(), status=400)
        if body is None:
            return self.answer(b'Error {\n code = 404;\n message = "no such file";\n};\n', status=404)
        changed = self.server.files[name.rpartition(".")[0]].changed
        return self.answer(body, "application/octet-stream" if name.endswith("dods") else "text/plain",
                           Last_Modified=self.date_time_string(changed))

    def serve_redirect(self, name, query):
        where, _, rest = name.partition("/")
        scheme = "https" if where.startswith("tls-") else "http"
        location = f"{scheme}://{where.removeprefix('tls-')}/data/{rest}" + (f"?{query}" if query else "")
        self.answer(b"", status=302, Location=location)

    def serve_loop(self, name, query):
        self.answer(b"", status=302, Location=self.path)

    def serve_slow(self, name, query):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not self.server.stopped.wait(0.2):
            self.wfile.write(b" ")
            self.wfile.flush()

    def serve_silent(self, name, query):
        self.server.stopped.wait(120)

    def serve_hanging(self, name, query):
        """All but the values of air_temperature, which never come."""
        if name.endswith("dods") and "air_temperature" in query:
            return self.server.stopped.wait(300)
        return self.serve_data(name, query)

    def serve_endless(self, name, query):
        """Rightly described, but its data (or, for a name that is not there, all of it) never end."""
        ending = name.rpartition(".")[2]
        if ending in ("dds", "das") and name.rpartition(".")[0] in self.server.files:
            return self.serve_data(name, query)
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while not self.server.stopped.is_set():
            self.wfile.write(b"Dataset { Float32 t[x = 2]; } n;\n" * 2000)
            self.server.sent += 66000

    def serve_headers(self, name, query):
        """Header lines without end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.stopped.is_set():
            self.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")
            self.server.sent += 1010

    def serve_truncated(self, name, query):
        body = self.body_of(name, query)
        if name.endswith("dods"):
            self.answer(body[:len(body) // 2], "application/octet-stream", len(body))
            self.close_connection = True
        else:
            self.answer(body)

    def serve_short(self, name, query):
        """Data whose length is stated rightly but which hold fewer numbers than were asked for."""
        body = self.body_of(name, query)
        self.answer(body[:len(body) // 2] if name.endswith("dods") else body)

    def serve_wrong(self, name, query):
        """Data that state another number of values."""
        body = bytearray(self.body_of(name, query))
        at = body.find(b"\nData:\n")
        if at >= 0:
            body[at + 7:at + 11] = b"\x7f\xff\xff\xff"
        self.answer(bytes(body))

    def serve_changing(self, name, query):
        """Another size at every look."""
        body = self.body_of(name, query)
        self.server.looks += 1
        if name.endswith("das"):
            body = body.replace(b"NC_GLOBAL {", f"NC_GLOBAL {{\n        Int32 look {self.server.looks};".encode())
        self.answer(body)

    def serve_bad(self, name, query):
        base, _, ending = name.rpartition(".")
        dds, das = BAD[base]
        self.answer((das if ending == "das" else dds).encode("latin-1"))


class DapServer(http.server.ThreadingHTTPServer):
    """`with DapServer(folder) as server:` serves until the end. `seen` lists the requests."""
    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {path.name: DapFile(path) for path in sorted(pathlib.Path(folder).glob("*.nc"))}
        self.seen, self.sent, self.looks, self.stopped = [], 0, 0, threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def host(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def url(self, path):
        return f"http://{self.host}/{path}"

    def handle_error(self, request, client_address):
        pass  # clients that go are part of the game

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


if __name__ == "__main__":
    import sys
    with DapServer(sys.argv[1]) as running:
        print(running.url("data/"), flush=True)
        while True:
            time.sleep(3600)
