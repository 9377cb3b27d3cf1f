"""Does one thing with the client in Python, and prints what came of it as JSON: probe.py COMMAND URL KEY ARGUMENT…"""

import hashlib
import json
import sys
import tracemalloc

import spotter_client
from spotter_client import JobFailed, Spotter, SpotterError, WebhookInvalid, verify_webhook


def main(command, url, key, *arguments):
    if command == "webhook":
        webhook = json.load(sys.stdin)
        try:
            return verify_webhook(webhook["body"].encode(), webhook["headers"], list(arguments))["type"]
        except WebhookInvalid:
            return "invalid"
    if command == "fields":
        return {name: sorted(getattr(spotter_client, name).__annotations__) for name in arguments}
    spotter = Spotter(url, key=key or None)
    try:
        return COMMANDS[command](spotter, *arguments)
    except SpotterError as refused:
        job = refused.job["id"] if isinstance(refused, JobFailed) else None
        error = {"status": refused.status, "code": refused.code, "detail": refused.detail, "retryAfter": refused.retry_after, "job": job}
        return {"error": error, "shown": f"{spotter!r} {spotter} {refused!r} {refused}"}


def options(pairs):
    return {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in pairs)}


def most_memory(spotter, picture):
    """Bytes that sending takes besides those of the program."""
    tracemalloc.start()
    try:
        spotter.submit(picture)
    except SpotterError:
        pass
    return tracemalloc.get_traced_memory()[1]


def hashes(spotter, id, *outputs):
    return [hashlib.sha256(content).hexdigest() for content in (spotter.original(id), spotter.annotated(id), *(spotter.output(id, name) for name in outputs))]


COMMANDS = {
    "detect": lambda spotter, picture, *pairs: spotter.detect(picture, **options(pairs)),
    "submit": lambda spotter, pictures, *pairs: spotter.submit(pictures.split(","), **options(pairs)),
    "bytes": lambda spotter, picture: spotter.submit(open(picture, "rb").read(), reuse=False),
    "wait": lambda spotter, id: spotter.wait(id),
    "events": lambda spotter, id: list(spotter.events(id)),
    "jobs": lambda spotter, page: [job["id"] for job in spotter.jobs(page=int(page))],
    "cancel": lambda spotter, id: spotter.cancel(id),
    "hashes": hashes,
    "models": lambda spotter: spotter.models(),
    "memory": most_memory,
}

print(json.dumps(main(*sys.argv[1:])))
