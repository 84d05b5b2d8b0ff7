"""A web server that answers as the path says, and writes down what it was asked: web.py LOG [CERTIFICATE KEY]

/ok             200
/status/N       N
/first/N        N the first time that this path is called, then 200
/same, /loop    another path of this server, this path
/other          a path of what calls itself by another name
/never          no answer
/slow           a byte a second
/endless        200, and a body without end

Each request is a line of LOG: {"method", "path", "headers", "body"}. The port is a line on standard output.
"""

import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
called = set()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def note(self):
        length = int(self.headers.get("Content-Length", 0))
        line = json.dumps({
            "method": self.command, "path": self.path, "body": self.rfile.read(length).decode(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        })
        with lock, open(sys.argv[1], "a") as log:
            log.write(line + "\n")

    def answer(self, status, headers={}, body=b"body"):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.note()
        port = self.server.server_port
        way = self.path.split("?")[0].strip("/").split("/")
        if way[0] == "status":
            self.answer(int(way[1]))
        elif way[0] == "first":
            with lock:
                is_first = self.path not in called
                called.add(self.path)
            self.answer(int(way[1]) if is_first else 200)
        elif way[0] == "same":
            self.answer(307, {"Location": "/ok"})
        elif way[0] == "loop":
            self.answer(307, {"Location": "/loop"})
        elif way[0] == "other":
            self.answer(307, {"Location": f"http://localhost:{port}/ok"})
        elif way[0] == "never":
            time.sleep(60)
        elif way[0] == "slow":
            for byte in b"HTTP/1.1 200 OK\r\n\r\n":
                self.wfile.write(bytes([byte]))
                time.sleep(1)
        elif way[0] == "endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 65536)
        else:
            self.answer(200)

    do_GET = do_POST


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
