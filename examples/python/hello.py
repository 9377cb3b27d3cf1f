#!/usr/bin/env python3
"""An engine that answers Hello with World, for sessions (docs/sessions.md). Only Python's own library is needed.

    python3 hello.py --server http://127.0.0.1:8080 --token-file token
"""

import json

from spotter_engine import Refused, serve

DECLARATION = {
    "name": "hello",
    "version": "1",
    "help": "Answers Hello with World",
    # What comes through the channels of a session is one JSON document.
    "mediaTypes": ["application/json"],
}


def run(job):
    channels = json.loads(job.read(0))
    control = channels.get("Control")
    if not isinstance(control, dict) or control.get("data") != "Hello":
        raise Refused("not_greeted", 'Send {"data": "Hello"} through the channel Control.')
    return {"Result": {"data": "World"}, "Status": {"type": "finish"}}


if __name__ == "__main__":
    serve(DECLARATION, run)
