#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror on the loopback interface, and the ways in which mirrors fail: mirror.py FOLDER LOG prints its port and serves
FOLDER's files as /MANNER/NAME. Every request is a line "MANNER NAME RANGE STATUS" of LOG."""
import http.server
import os
import sys

folder, log = sys.argv[1:3]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=(), promised=None):
        with open(log, "a") as file:
            print(*self.what, self.headers.get("Range", "-"), status, file=file)
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        manner, name = self.what = self.path.strip("/").split("/")
        path = os.path.join(folder, name)
        if manner == "absent" or not os.path.exists(path):
            return self.answer(404, b"<html>not here</html>")
        with open(path, "rb") as file:
            body = file.read()
        if manner == "broken":
            return self.answer(503, b"busy")
        if manner == "html":
            return self.answer(200, b"<!DOCTYPE html>\n<html><head><title>Please log in</title></head></html>")
        if manner == "other":
            return self.answer(200, body[:-10] + b"otherwise\n")
        if manner == "cut":  # and does not know it
            return self.answer(200, body[: len(body) // 2])
        span, first = self.headers.get("Range"), 0
        if span and manner != "no-ranges":
            first = int(span.split("=")[1].split("-")[0])
            if first >= len(body):
                return self.answer(416, b"", [("Content-Range", f"bytes */{len(body)}")])
        rest = body[first:]
        if manner == "breaks-off":  # half of what is asked for
            return self.answer(206 if first else 200, rest[: len(rest) // 2],
                               [("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")] if first else [],
                               len(rest))
        if first:
            return self.answer(206, rest, [("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")])
        return self.answer(200, body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
