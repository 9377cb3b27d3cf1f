"""Joins an engine to a Spotter gateway. Needs Python 3.9 or newer and nothing else; copy it beside your engine.

    from spotter_engine import Refused, serve

    def run(job):
        picture = job.read(0)
        return {"bytes": len(picture)}

    serve({"name": "size", "version": "1"}, run)

The protocol that it speaks is in docs/engines.md.
"""

import argparse
import hashlib
import http.client
import http.cookiejar
import json
import os
import re
import secrets
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

# The gateway answers a waiting call after this time at the latest, so this is how long the end of a worker may take.
TAKE_SECONDS = 5
# For how long an answer is waited for, and for how long a gateway that is away.
ANSWER_SECONDS = 30
OUTAGE_SECONDS = 300
# What a job that was told to stop has left, before the process ends with it.
STOP_SECONDS = 10


class Refused(Exception):
    """The job can never succeed: it fails at once, and its client reads the code and the sentence."""

    def __init__(self, code, detail):
        super().__init__(detail)
        self.code = code


class Cancelled(Exception):
    """Nobody wants the result any more."""


class Job:
    """A job as the engine gets it."""

    def __init__(self, worker, started):
        self.worker = worker
        self.lease = started["lease"]
        self.id = started["job"]["id"]
        spec = started["job"]["spec"]
        self.name = spec.get("name")
        # What the client said to the options, with the defaults of those of which it said nothing.
        self.parameters = spec["parameters"]
        self.inputs = spec["inputs"]
        self.history = started["job"].get("history", [])
        self.files = []
        self.drawn = None
        self.share = None
        self.stop = threading.Event()
        self.is_late = False
        self.began = time.monotonic()

    def read(self, index):
        """The bytes of an input."""
        wanted = self.inputs[index]
        query = urllib.parse.urlencode({"job": self.id, "key": wanted["key"]})
        content = self.worker.call("GET", "/input?" + query, raw=True)
        if hashlib.sha256(content).hexdigest() != wanted["sha256"]:
            raise Refused("blob_corrupt", "The stored picture is not the one that was sent; send it again.")
        return content

    def progress(self, share):
        """Says how far it is, 0 to 1; ends the job when nobody wants it any more."""
        self.share = min(max(share, 0.0), 1.0)
        if self.stop.is_set():
            raise Cancelled()

    def wait(self, seconds):
        """Sleeps, but not longer than the job is wanted."""
        if self.stop.wait(seconds):
            raise Cancelled()

    def file(self, name, media_type, content):
        """Adds a file to what the job makes; clients fetch it at /v1/jobs/ID/outputs/NAME."""
        key = self.worker.call("PUT", "/output", content)["key"]
        self.files.append({"name": name, "mediaType": media_type, "bytes": len(content), "key": key})

    def picture(self, content):
        """The picture of the result, of the outputMediaType that the engine declares; clients fetch it at /v1/jobs/ID/image."""
        self.drawn = self.worker.call("PUT", "/output", content)["key"]


class Problem(Exception):
    """A call that the gateway refused."""

    def __init__(self, status, code, detail):
        super().__init__(detail)
        self.status, self.code = status, code


class Worker:
    """Takes jobs, runs them, and hands in what came of them."""

    def __init__(self, server, token, name, lanes, declaration, run):
        self.base = server.rstrip("/") + "/v1/workers/" + urllib.parse.quote(name, safe="")
        self.token, self.name, self.lanes = token, name, lanes
        self.declaration, self.run = declaration, run
        # Cookies lead back to the gateway that was joined, where a load balancer stands before several.
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies))
        self.queues = []
        self.beat = 5.0
        self.order = 0
        self.held = {}
        self.gate = threading.Lock()
        self.leaving = threading.Event()  # somebody ends this process
        self.draining = threading.Event()  # the gateway wants fewer workers; it may change its mind
        self.ended = threading.Event()
        self.refused = None  # why the gateway wants this worker no more

    def work(self):
        if not self.join():
            return
        say(f"joined {self.base} with the engine {self.declaration['name']}", "INFO")
        beats = threading.Thread(target=self.heartbeats, daemon=True)
        beats.start()
        while True:
            lanes = [threading.Thread(target=self.lane) for _ in range(self.lanes)]
            for lane in lanes:
                lane.start()
            for lane in lanes:
                lane.join()
            if self.leaving.is_set() or self.may_leave():
                break
        self.ended.set()
        beats.join()
        try:
            self.send("DELETE", "", None, ANSWER_SECONDS)
        except (OSError, Problem, http.client.HTTPException):
            pass  # A gateway that is gone has nothing to forget.
        if self.refused is not None:
            raise self.refused
        say("left", "INFO")

    def join(self):
        """True once it has joined; waits for a gateway that is not there yet."""
        introduction = {"lanes": self.lanes, "engines": [self.declaration], "order": self.order, "isLeaving": self.leaving.is_set()}
        while not self.leaving.is_set():
            try:
                welcome = self.send("PUT", "", introduction, ANSWER_SECONDS)
            except (OSError, http.client.HTTPException) as away:
                say(f"the gateway does not answer ({away}); trying again")
            except Problem as problem:
                if not is_passing(problem):
                    raise
            else:
                self.queues, self.beat = welcome["queues"], welcome["heartbeatSeconds"]
                return True
            self.leaving.wait(1)
        return False

    def may_leave(self):
        """Asked after a drain, when nothing is held any more: the gateway has the last word."""
        orders = self.call("POST", "/leave")
        if orders is None:
            return True
        self.obey(orders)
        return False

    def obey(self, orders):
        """Orders may overtake each other, so they are numbered."""
        if orders.get("order", 0) >= self.order:
            self.order = orders.get("order", 0)
            (self.draining.set if orders["drain"] else self.draining.clear)()

    def lane(self):
        while not (self.leaving.is_set() or self.draining.is_set()):
            try:
                started = self.call("POST", "/take", {"queues": self.queues, "waitSeconds": TAKE_SECONDS}, outage=0)
            except Problem as problem:
                if problem.status in (401, 403, 409):
                    self.give_up(problem)
                    return
                say(f"no job could be taken ({problem}); trying again")
                self.leaving.wait(1)
                continue
            except (OSError, ValueError, http.client.HTTPException) as failed:
                say(f"no job could be taken ({failed}); trying again")
                self.leaving.wait(1)
                continue
            if started is not None:
                self.process(Job(self, started))

    def process(self, job):
        with self.gate:
            self.held[job.id] = job
        try:
            outcome = self.outcome_of(job)
            if outcome is not None:
                self.finish(job, outcome)
                say(f"job {job.id}: {outcome['kind']}", "DEBUG")
        except Exception as failed:  # The lease runs out, and the job is tried again; the lane goes on.
            say(f"job {job.id} could not be handed in: {failed}")
        finally:
            with self.gate:
                if self.held.get(job.id) is job:
                    del self.held[job.id]

    def outcome_of(self, job):
        if self.leaving.is_set():
            return retry("busy", "The worker was told to end before it began the job.", spend=False)
        began = time.monotonic()
        try:
            result = self.run(job)
        except Refused as refused:
            return {"kind": "reject", "error": {"code": refused.code, "detail": str(refused)}}
        except Cancelled:
            return self.late(job) if job.is_late else None
        except Problem as problem:
            if problem.code in ("blob_missing", "invalid_request", "body_too_large"):
                return {"kind": "reject", "error": {"code": problem.code, "detail": str(problem)}}
            return retry(problem.code, str(problem), spend=not is_passing(problem))
        except (OSError, http.client.HTTPException) as away:
            return retry("store_unavailable", f"The gateway could not be reached: {away}"[:500], spend=False)
        except Exception as fault:  # Whatever it is, the worker goes on, and the job's attempts are bounded.
            say(f"job {job.id} failed: {fault!r}", "ERROR")
            return retry("internal_error", "Something went wrong inside the engine; its log says what.")
        busy = (time.monotonic() - began) * 1000
        try:
            json.dumps(result, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as odd:
            # It would be the same another time.
            return {"kind": "reject", "error": {"code": "internal_error", "detail": f"The engine's result is no JSON: {odd}"[:500]}}
        return {"kind": "done", "result": result, "timings": {"inferMs": round(busy, 2)}, "output": job.drawn, "outputs": job.files}

    def late(self, job):
        """A busy machine may be the cause, so it is tried once more; what takes too long the second time would do so again."""
        for event in reversed(job.history):
            if event["kind"] == "redriven":
                break
            if (event.get("error") or {}).get("code") == "job_timeout":
                return {"kind": "reject", "error": {"code": "job_timeout", "detail": "The job ran longer than its engine allows, twice."}}
        return retry("job_timeout", "The job ran longer than its engine allows.")

    def finish(self, job, outcome):
        try:
            self.call("POST", "/finish", {"lease": job.lease, "outcome": outcome})
        except Problem as problem:
            if problem.code == "lease_lost":
                say(f"job {job.id} was taken away meanwhile; its outcome was dropped")
            elif outcome["kind"] != "retry" and problem.status in (400, 413, 422):
                # It would be refused the next time as well.
                error = {"code": "internal_error", "detail": f"The engine's answer was refused: {problem}"[:500]}
                self.call("POST", "/finish", {"lease": job.lease, "outcome": {"kind": "reject", "error": error}})
            else:
                raise

    def heartbeats(self):
        while not self.ended.wait(self.beat):
            with self.gate:
                held = list(self.held.values())
            leases = [{**job.lease, "progress": job.share} for job in held]
            used = time.process_time()
            try:
                orders = self.call("POST", "/heartbeat", {"leases": leases, "cpuSeconds": used, "isLeaving": self.leaving.is_set()}, outage=0)
                self.obey(orders)
                for job in held:
                    if job.id in orders["lost"]:
                        say(f"job {job.id} is wanted no more")
                        job.stop.set()
            except Exception as failed:  # Without signs of life all jobs would be lost.
                say(f"no heartbeat could be given ({failed}); trying again")
            for job in held:
                self.watch(job)

    def watch(self, job):
        """A job over its time is told to stop; one that does not hear ends with the process."""
        limit = self.declaration.get("runSeconds")
        over = time.monotonic() - job.began - limit if limit else 0
        if over > 0 and not job.stop.is_set():
            job.is_late = True
            job.stop.set()
        if over > STOP_SECONDS and job.is_late:
            try:
                self.finish(job, {**retry("job_timeout", "The job ran longer than its engine allows, and did not stop."), "takesWorker": True})
                with self.gate:
                    others = [other for other in self.held.values() if other is not job]
                for other in others:
                    self.finish(other, retry("busy", "Another job of the worker ran for too long, so the worker ended.", spend=False))
            except Exception as failed:
                say(f"job {job.id} could not be given back: {failed}")
            os._exit(1)

    def give_up(self, problem):
        """The gateway wants this worker no more: its token is another one, or its engine is somebody else's."""
        say(f"the gateway refuses this worker: {problem}")
        self.refused = problem
        self.leaving.set()

    def call(self, method, path, body=None, raw=False, outage=OUTAGE_SECONDS):
        """Sends until there is an answer. Every call may be repeated: they are idempotent, or fenced by the lease."""
        end = time.monotonic() + outage
        pause = 0.2
        while True:
            try:
                return self.send(method, path, body, TAKE_SECONDS + ANSWER_SECONDS, raw)
            except Problem as problem:
                if problem.status == 404 and path in ("/take", "/heartbeat"):
                    # A gateway that was restarted knows nobody.
                    self.join()
                    return self.send(method, path, body, TAKE_SECONDS + ANSWER_SECONDS, raw)
                if not is_passing(problem) or time.monotonic() >= end:
                    raise
            except (OSError, http.client.HTTPException):
                if time.monotonic() >= end:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, self.beat)

    def send(self, method, path, body, timeout, raw=False):
        headers = {"Authorization": "Bearer " + self.token}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "application/octet-stream"
        request = urllib.request.Request(self.base + path, data=body, method=method, headers=headers)
        try:
            with self.opener.open(request, timeout=timeout) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                problem = problem_of(error)
            if is_passing(problem):
                self.cookies.clear()  # Another gateway behind the address may do better.
            raise problem from None
        except (OSError, http.client.HTTPException):
            self.cookies.clear()
            raise
        if raw:
            return content
        return json.loads(content) if content else None


def retry(code, detail, spend=True):
    """It may succeed another time. Five attempts that were spent are the last."""
    return {"kind": "retry", "error": {"code": code, "detail": detail}, "spendAttempt": spend}


def is_passing(problem):
    return problem.status in (502, 503, 504, 507)


def problem_of(error):
    try:
        document = json.loads(error.read())
        return Problem(error.code, document["code"], document["detail"])
    except (ValueError, KeyError, TypeError):
        return Problem(error.code, "internal_error", f"The answer {error.code} is not that of a Spotter gateway.")


LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARNING": 3, "WARN": 3, "ERROR": 4, "CRITICAL": 5}
least = LEVELS["INFO"]


def say(line, level="WARNING"):
    if LEVELS[level] >= least:
        print(line, file=sys.stderr, flush=True)


def read_config(path):
    """The sections of a configuration file and what is in them: of YAML as much as such files have, a name and a value on a line."""
    sections, section = {}, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = re.sub(r"""^((?:'[^']*'|"[^"]*"|[^'"#])*?)(?:(?:^|\s+)#.*)?$""", r"\1", line.rstrip())
            if text.rstrip() == "---":
                continue
            found = re.fullmatch(r"( *)([A-Za-z0-9_]+):(?: +(.*))?", text.rstrip())
            if not text.strip():
                continue
            if found is None or bool(found[1]) != (found[3] is not None) or (found[1] and section is None):
                raise ValueError(f"{path}, line {number}: a section is a name at the beginning of a line, and what is in it a name and a value, indented")
            if found[1]:
                name, value = found[2].upper(), found[3].strip()
                # An id of digits is none of these numbers.
                sections[section][name] = value if name == "ID" and re.fullmatch(r"[\w.-]+", value) else value_of(value, path, number)
            else:
                section = found[2].upper()
                sections.setdefault(section, {})
    return sections


def value_of(text, path, number):
    if text.startswith("[") and text.endswith("]"):
        return [value_of(part.strip(), path, number) for part in text[1:-1].split(",") if part.strip()]
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    if text[:1] in tuple("'\"[{&*!|>%@`"):
        raise ValueError(f"{path}, line {number}: the value is not a text, a number or a list on one line")
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


# What the channels of an engine carry, as media types.
MEDIA = {"JSON": "application/json", "IMAGE": "image/*", "VIDEO": "video/*", "FILE": "application/octet-stream"}
CONFIG = {"ENGINE": ["ID", "NAME", "DEFAULT_WORKER_COUNT", "MAX_WORKER"], "INPUTS": ["NAMES", "TYPES"], "OUTPUTS": ["NAMES", "TYPES"],
          "CLIENT": ["WORKER_INACTIVE_TIMEOUT"], "LOG": ["STDOUT_LEVEL"]}


def configure(declaration, config):
    """The declaration as a configuration file has it, which counts more than the code; and the lanes, or None."""
    global least
    engine, inputs = config.get("ENGINE", {}), config.get("INPUTS", {})
    told = {}
    if "ID" in engine:
        told["id"] = str(engine["ID"])
    if "NAME" in engine:
        told["help"] = str(engine["NAME"])
    timeout = config.get("CLIENT", {}).get("WORKER_INACTIVE_TIMEOUT")
    if timeout is not None:
        if isinstance(timeout, (str, list)) or timeout <= 0:
            raise ValueError("CLIENT.WORKER_INACTIVE_TIMEOUT is a number of seconds, more than 0")
        told["runSeconds"] = timeout
    if "TYPES" in inputs:
        types = [str(kind).upper() for kind in inputs["TYPES"]]
        if any(kind not in MEDIA for kind in types):
            raise ValueError("INPUTS.TYPES is a list of JSON, Image, Video and File")
        told["mediaTypes"] = sorted({MEDIA[kind] for kind in types})
        told["together"] = len(types) > 1
    counts = [engine[name] for name in ("MAX_WORKER", "DEFAULT_WORKER_COUNT") if name in engine]
    if any(not isinstance(count, int) or not 1 <= count <= 256 for count in counts):
        raise ValueError("ENGINE.MAX_WORKER and ENGINE.DEFAULT_WORKER_COUNT are from 1 to 256")
    if len(counts) == 2 and counts[0] < counts[1]:
        raise ValueError("ENGINE.MAX_WORKER is less than ENGINE.DEFAULT_WORKER_COUNT")
    level = str(config.get("LOG", {}).get("STDOUT_LEVEL", "INFO")).upper()
    if level not in LEVELS:
        raise ValueError("LOG.STDOUT_LEVEL is one of " + ", ".join(LEVELS))
    least = LEVELS[level]
    idle = [f"{section}.{name}" for section, names in config.items() for name in names if name not in CONFIG.get(section, [])]
    if idle:
        say("the configuration has no use for " + ", ".join(idle))
    return {**declaration, **told}, counts[0] if counts else None


def made_up(engine):
    """A name that no other worker has, of letters, digits, '-', '_' and '.', at most 64."""
    machine = "".join(c for c in socket.gethostname() if c.isascii() and (c.isalnum() or c == "-"))
    return f"{engine[:20]}-{machine[:24]}-{secrets.token_hex(3)}"


def serve(declaration, run):
    """Reads the command line, joins, and works until SIGTERM, SIGINT, or the gateway lets it go."""
    parser = argparse.ArgumentParser(description=declaration.get("help"))
    parser.add_argument("--config", default=os.environ.get("SPOTTER__WORKER__CONFIG") or os.environ.get("BLUEEDGE_CFG"), help="a configuration file of the engine")
    parser.add_argument("--server", default=os.environ.get("SPOTTER__WORKER__SERVER", "http://127.0.0.1:8080"), help="the gateway's address")
    parser.add_argument("--token-file", default=os.environ.get("SPOTTER__WORKER__TOKENFILE"), help="a file with the worker token; else SPOTTER__WORKER__TOKEN has it")
    parser.add_argument("--name", default=os.environ.get("SPOTTER__WORKER__NAME") or made_up(declaration["name"]), help="the worker's name, unlike that of any other")
    parser.add_argument("--lanes", type=int, default=os.environ.get("SPOTTER__WORKER__LANES"), help="jobs at a time; 1, or what the configuration says, by default")
    told = parser.parse_args()
    lanes = None
    if told.config:
        try:
            declaration, lanes = configure(declaration, read_config(told.config))
        except (OSError, ValueError) as wrong:
            parser.error(str(wrong))
    if told.token_file:
        with open(told.token_file, encoding="utf-8") as file:
            token = file.read().strip()
    else:
        token = os.environ.get("SPOTTER__WORKER__TOKEN", "")
    if not token:
        parser.error("there is no worker token; give one with --token-file FILE or SPOTTER__WORKER__TOKEN")
    worker = Worker(told.server, token, told.name, told.lanes or lanes or 1, declaration, run)
    for number in (signal.SIGTERM, signal.SIGINT):
        # A second one ends it at once; its jobs are tried again when their leases run out.
        signal.signal(number, lambda *_: os._exit(1) if worker.leaving.is_set() else worker.leaving.set())
    try:
        worker.work()
    except Problem as problem:
        sys.exit(f"{parser.prog}: {problem}")
