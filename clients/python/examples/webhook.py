"""Receives webhooks: SPOTTER_SECRET=whsec_… python3 webhook.py 9000"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from spotter_client import WebhookInvalid, verify_webhook

secret = os.environ["SPOTTER_SECRET"]


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = verify_webhook(body, self.headers, secret)
        except WebhookInvalid:
            self.send_response(401)
        else:
            print(event["type"], event["data"]["id"], flush=True)
            self.send_response(204)
        self.end_headers()


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Endpoint)
print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
