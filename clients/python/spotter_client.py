"""Sends pictures to a Spotter service and gets back what was found. Needs Python 3.9 or newer and nothing else.

    from spotter_client import Spotter

    spotter = Spotter("http://127.0.0.1:8080")
    for found in spotter.detect("photo.jpg")["result"]["detections"]:
        print(found["label"], found["confidence"], found["box"])

Jobs, results and models are dictionaries, as the service writes them. Boxes are in pixels of the upright picture, origin top left.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import http.client
import io
import json
import os
import re
import secrets as random
import shutil
import ssl
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Literal, Mapping, Optional, Tuple, TypedDict, TypeVar, Union, cast, overload

__all__ = [
    "Box", "Callback", "Detection", "Job", "JobEvent", "JobFailed", "JobState", "Label", "Model", "Output", "Problem", "Result", "Spotter", "SpotterError",
    "WebhookEvent", "WebhookInvalid", "verify_webhook",
]

# How often a call is tried, and the longest wait between two tries: when the service asks for a longer one, the call fails.
ATTEMPTS = 5
LONGEST_RETRY_SECONDS = 60.0
# The first wait where the service names none; each later one is twice as long.
FIRST_RETRY_SECONDS = 0.5
# How long one request waits for the result; the service waits no longer.
REQUEST_WAIT_SECONDS = 60.0
# Between two looks at a job: first, and at most.
FIRST_POLL_SECONDS = 0.1
LONGEST_POLL_SECONDS = 2.0
# The service breaks the silence of an event stream every 15 seconds.
STREAM_SILENCE_SECONDS = 45.0

CHUNK_BYTES = 64 * 1024

JobState = Literal["queued", "running", "succeeded", "failed", "dead", "cancelled"]


class Box(TypedDict):
    """A rectangle in pixels of the upright picture, origin top left."""

    x1: float
    y1: float
    x2: float
    y2: float


class Label(TypedDict):
    """What the picture shows as a whole; ``confidence`` is 0 to 1."""

    label: str
    classId: int
    confidence: float


class _Found(TypedDict):
    label: str
    classId: int
    confidence: float
    box: Box


class Detection(_Found, total=False):
    """One object; ``confidence`` is 0 to 1. What comes after the box is there for models and options that give it."""

    mask: Dict[str, Any]
    keypoints: List[Dict[str, Any]]
    zones: List[str]
    crop: str
    then: Dict[str, Any]
    oriented: Dict[str, Any]


class _Seen(TypedDict):
    width: int
    height: int
    detections: Optional[List[Detection]]
    labels: Optional[List[Label]]
    summary: Optional[Dict[str, int]]


class Result(_Seen, total=False):
    """What was found in a picture; lists are null where the model gives none. Engines that workers bring have results of their own."""

    reading: Dict[str, Any]
    skeleton: List[List[int]]
    regions: List[Dict[str, Any]]
    map: Dict[str, Any]
    embedding: List[float]
    zones: Dict[str, Dict[str, int]]
    then: Dict[str, Any]


class Problem(TypedDict):
    """Why something was refused or failed (RFC 9457); ``code`` is stable, ``detail`` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class Output(TypedDict):
    """A file that a job made."""

    name: str
    type: str
    bytes: int
    url: str


class JobEvent(TypedDict):
    """What happened to a job besides the usual."""

    at: str
    kind: Literal["retried", "lost", "cancelled", "redriven"]
    attempt: int
    worker: Optional[str]
    by: Optional[str]
    error: Optional[Dict[str, str]]


class Callback(TypedDict):
    """How the webhook of a job stands."""

    url: str
    state: Literal["pending", "delivered", "givenUp"]
    attempts: int
    status: Optional[int]
    detail: Optional[str]
    nextAt: Optional[str]


class Job(TypedDict):
    """A job; times are RFC 3339, ``progress`` is 0 to 1."""

    id: str
    name: Optional[str]
    state: JobState
    engine: str
    model: Optional[str]
    modelVersion: Optional[str]
    created: str
    started: Optional[str]
    finished: Optional[str]
    attempts: int
    priority: Literal["high", "normal", "low"]
    notBefore: Optional[str]
    expires: Optional[str]
    by: Optional[str]
    cachedFrom: Optional[str]
    history: List[JobEvent]
    position: Optional[int]
    etaSeconds: Optional[float]
    progress: Optional[float]
    waitsFor: Optional[str]
    result: Optional[Result]
    outputs: List[Output]
    timings: Optional[Dict[str, float]]
    error: Optional[Problem]
    callback: Optional[Callback]
    links: Dict[str, str]


class Model(TypedDict):
    """A model that requests can choose by its ``id``."""

    id: str
    engine: Optional[str]
    family: Optional[str]
    inputWidth: int
    inputHeight: int
    labels: List[str]
    version: Optional[str]
    state: Literal["ready", "loading", "absent", "refused"]
    error: Optional[Problem]
    unsure: Optional[str]
    builtIn: bool
    default: bool
    samples: List[str]
    loadedBy: List[Dict[str, Any]]


class WebhookEvent(TypedDict):
    """A webhook; ``timestamp`` is when the job ended."""

    type: Literal["job.succeeded", "job.failed", "job.dead", "job.cancelled"]
    timestamp: str
    data: Job


# A path, the bytes themselves, or an open file.
Picture = Union[str, os.PathLike[str], bytes, BinaryIO]
P = TypeVar("P", bound=Picture)


class SpotterError(Exception):
    """
    The service refused a call, or did not answer. ``status`` is the HTTP status, 0 without an answer; ``code`` is stable, ``unreachable``
    without an answer; ``detail`` is a sentence for people; ``retry_after`` is how many seconds the service asks to wait, or None.
    """

    def __init__(self, status: int, code: str, detail: str, retry_after: Optional[float] = None):
        super().__init__(f"{detail} ({code})")
        self.status, self.code, self.detail, self.retry_after = status, code, detail, retry_after


class JobFailed(SpotterError):
    """The job ended without a result: ``job`` says how. ``code`` is that of its error, ``cancelled`` when it was cancelled."""

    def __init__(self, job: Job):
        error = job["error"]
        if error is None:
            super().__init__(0, job["state"], f"The job {job['id']} was {job['state']}.")
        else:
            super().__init__(error["status"], error["code"], error["detail"])
        self.job = job


class WebhookInvalid(ValueError):
    """It is not a webhook of somebody who knows the secret, or it is too old."""


class Spotter:
    """
    A client of a service. One may be used by several threads.

    :param url: the service, as ``http://127.0.0.1:8080``
    :param key: an API key, for services that need one
    :param timeout: seconds for which a connection may be silent
    :param context: which certificates are trusted, for services over https with a certificate of their own
    """

    def __init__(self, url: str = "http://127.0.0.1:8080", key: Optional[str] = None, timeout: float = 30.0, context: Optional[ssl.SSLContext] = None):
        address = urllib.parse.urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname or address.query or address.username is not None:
            raise ValueError("The address of a service is http:// or https:// and a host; the key is passed beside it.")
        if key is not None and not re.fullmatch("[!-~]+", key):
            raise ValueError("The key has characters that no key has, for example spaces or line breaks.")
        self._url, self._key, self._timeout = url.rstrip("/"), key, timeout
        self._opener = urllib.request.build_opener(_NoRedirects, urllib.request.HTTPSHandler(context=context))

    def __repr__(self) -> str:
        return f"Spotter({self._url!r})"

    @overload
    def submit(self, picture: Picture, *, idempotency_key: Optional[str] = None, **options: Any) -> Job: ...

    @overload
    def submit(self, picture: Union[List[P], Tuple[P, ...]], *, idempotency_key: Optional[str] = None, **options: Any) -> List[Job]: ...

    def submit(self, picture: Any, *, idempotency_key: Optional[str] = None, **options: Any) -> Union[Job, List[Job]]:
        """
        Sends a picture, or a list of them, and returns the job or the jobs as they stand. If the connection breaks, it sends them again, and
        the service makes no second job of them.

        :param picture: a path, bytes or an open file; files are sent as they are read. A text that begins with ``https://`` or ``http://`` is
            fetched by the service; in a list the jobs of those come last
        :param idempotency_key: the same key with the same pictures gives the same jobs, for a week; a new random one by default
        :param options: those of docs/options.md, as ``confidence=0.5, labels=["stop"]``
        :raises SpotterError: the service did not take them
        """
        answer = self._submit(picture, options, idempotency_key, wait=None)
        if not isinstance(picture, (list, tuple)):
            return cast(Job, answer)
        return cast(List[Job], answer.get("jobs", [answer]))

    def detect(self, picture: Picture, *, wait_seconds: Optional[float] = None, **options: Any) -> Job:
        """
        Sends a picture and returns its job once it has succeeded; the rest is as for :meth:`submit`.

        :raises JobFailed: the job ended otherwise
        :raises TimeoutError: the job has not ended within ``wait_seconds``; it goes on
        """
        began = time.monotonic()
        longest = REQUEST_WAIT_SECONDS if wait_seconds is None else min(wait_seconds, REQUEST_WAIT_SECONDS)
        job: Job = self._submit(picture, options, None, wait=longest)
        return self.wait(job, None if wait_seconds is None else max(0.0, wait_seconds - (time.monotonic() - began)))

    def wait(self, job: Union[Job, str], wait_seconds: Optional[float] = None) -> Job:
        """
        Returns a job once it has succeeded.

        :raises JobFailed: the job ended otherwise
        :raises TimeoutError: it has not ended within ``wait_seconds``; it goes on
        """
        deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
        seen, pause = self.job(job) if isinstance(job, str) else job, FIRST_POLL_SECONDS
        while not _has_ended(seen):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"The job {seen['id']} has not ended within {wait_seconds} seconds; it is {seen['state']}.")
            time.sleep(pause if deadline is None else min(pause, max(0.0, deadline - time.monotonic())))
            seen, pause = self.job(seen["id"]), min(2 * pause, LONGEST_POLL_SECONDS)
        if seen["state"] != "succeeded":
            raise JobFailed(seen)
        return seen

    def job(self, id: str) -> Job:
        """A job as it stands."""
        return cast(Job, self._json("GET", _path("v1", "jobs", id)))

    def jobs(self, state: Optional[JobState] = None, engine: Optional[str] = None, page: int = 100) -> Iterator[Job]:
        """All jobs, newest first; ``page`` of them are fetched at a time (500 at most)."""
        query = {"limit": str(page), **({"state": state} if state else {}), **({"engine": engine} if engine else {})}
        while True:
            answer = self._json("GET", "/v1/jobs?" + urllib.parse.urlencode(query))
            yield from answer["jobs"]
            if answer["next"] is None:
                return
            query["after"] = answer["next"]

    def events(self, id: str) -> Iterator[Job]:
        """
        A job as it stands and then at each change; ends when the job has ended. If the connection breaks, it connects again.

        :raises SpotterError: the service is away for long, or has no such job
        """
        last: Optional[Job] = None
        lost: Optional[Exception] = None
        failures = 0
        while failures < ATTEMPTS:
            failures += 1
            try:
                for job in self._stream(id):
                    failures = 0
                    if job != last:
                        last = job
                        yield job
                    if _has_ended(job):
                        return
            except (OSError, http.client.HTTPException) as broken:
                lost = broken
            except SpotterError as refused:
                if refused.status not in (429, 503):
                    raise
                # As many streams as the service has may be open; the job can be asked for all the same.
                job = self.job(id)
                failures = 0
                if job != last:
                    last = job
                    yield job
                if _has_ended(job):
                    return
            time.sleep(FIRST_RETRY_SECONDS * 2**failures)
        raise _unreachable(lost)

    def cancel(self, id: str) -> Job:
        """
        Cancels a job.

        :raises SpotterError: ``already_finished``: it has ended otherwise
        """
        return cast(Job, self._json("DELETE", _path("v1", "jobs", id)))

    def annotated(self, id: str, confidence: Optional[float] = None) -> bytes:
        """The picture with what was found drawn on it, as JPEG; with ``confidence`` only what is at least as sure."""
        return self._call("GET", _path("v1", "jobs", id, "image") + ("" if confidence is None else f"?confidence={confidence}"))

    def original(self, id: str) -> bytes:
        """The picture as it was sent."""
        return self._call("GET", _path("v1", "jobs", id, "original"))

    def output(self, id: str, name: str) -> bytes:
        """A file that the job made, by its name in the job's ``outputs``."""
        return self._call("GET", _path("v1", "jobs", id, "outputs", name))

    def models(self) -> List[Model]:
        """The models that requests can choose."""
        return cast(List[Model], self._json("GET", "/v1/models")["models"])

    def _submit(self, picture: Any, options: Mapping[str, Any], key: Optional[str], wait: Optional[float]) -> Any:
        pictures = list(picture) if isinstance(picture, (list, tuple)) else [picture]
        headers = {"Idempotency-Key": key or random.token_hex(16)}
        if wait is not None and wait >= 1:
            headers["Prefer"] = f"wait={int(wait)}"
        with _Form(pictures, options) as form:
            headers.update(form.headers)
            return _parse(self._call("POST", "/v1/jobs", headers, form, self._timeout + (wait or 0)))

    def _json(self, method: str, path: str) -> Any:
        return _parse(self._call(method, path))

    def _call(
        self, method: str, path: str, headers: Optional[Mapping[str, str]] = None, body: Optional[_Form] = None, silence: Optional[float] = None
    ) -> bytes:
        """The answer to a call, which is made again after a lost connection and when the service asks for that."""
        pause = FIRST_RETRY_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._open(method, path, headers or {}, body, silence or self._timeout) as response:
                    return cast(bytes, response.read())
            except SpotterError as refused:
                asked = refused.retry_after
                if attempt == ATTEMPTS or refused.status not in (429, 503) or asked is None or asked > LONGEST_RETRY_SECONDS:
                    raise
                wait = asked
            except (OSError, http.client.HTTPException) as lost:
                wait = pause
                if attempt == ATTEMPTS or isinstance(getattr(lost, "reason", lost), ssl.SSLCertVerificationError):
                    raise _unreachable(lost) from lost
            time.sleep(wait)
            pause *= 2
        raise AssertionError("unreachable")

    def _open(self, method: str, path: str, headers: Mapping[str, str], body: Optional[_Form], silence: float) -> Any:
        """The answer, still to be read; raises SpotterError, OSError or HTTPException."""
        request = urllib.request.Request(self._url + path, data=None if body is None else iter(body), headers=dict(headers), method=method)
        if self._key is not None:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        try:
            return self._opener.open(request, timeout=silence)
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(refused.code, refused.read(), refused.headers.get("Retry-After")) from None

    def _stream(self, id: str) -> Iterator[Job]:
        """One event stream until its end, which may come before the job's."""
        with self._open("GET", _path("v1", "jobs", id, "events"), {"Accept": "text/event-stream"}, None, STREAM_SILENCE_SECONDS) as response:
            data: List[str] = []
            for line in io.TextIOWrapper(response, encoding="utf-8", newline="\n"):
                line = line.rstrip("\r\n")
                if line.startswith("data:"):
                    data.append(line[5:].lstrip(" "))
                elif not line and data:
                    yield cast(Job, json.loads("\n".join(data)))
                    data = []


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The service redirects nowhere, and what does must get neither pictures nor key."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        return None


class _Form:
    """A multipart form, made as it is sent; each iteration begins anew, so it can be sent again."""

    def __init__(self, pictures: List[Any], options: Mapping[str, Any]):
        if not pictures:
            raise ValueError("There is no picture to send.")
        self._urls = [picture for picture in pictures if _is_url(picture)]
        self._pictures, self._options = [picture for picture in pictures if not _is_url(picture)], options
        self._boundary = random.token_hex(16)
        self._parts: List[Tuple[bytes, BinaryIO, int]] = []
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> _Form:
        with contextlib.ExitStack() as opened:
            self._parts = [(_head(name), file, start) for name, file, start in (self._file(opened, picture) for picture in self._pictures)]
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: Any) -> None:
        self._opened.close()

    @property
    def headers(self) -> Dict[str, str]:
        length = len(self._fields()) + len(self._end())
        for head, file, start in self._parts:
            length += len(self._line()) + len(head) + file.seek(0, os.SEEK_END) - start
        return {"Content-Type": f"multipart/form-data; boundary={self._boundary}", "Content-Length": str(length)}

    def __iter__(self) -> Iterator[bytes]:
        # Before the pictures, so that the service can refuse them before these have been sent.
        yield self._fields()
        for head, file, start in self._parts:
            yield self._line() + head
            file.seek(start)
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")
        yield self._end()

    def _fields(self) -> bytes:
        return b"".join(
            self._line() + f'Content-Disposition: form-data; name="{name}"\r\n\r\n{_text(value)}'.encode()
            for name, value in [*self._options.items(), *(("url", url) for url in self._urls)] if value is not None)

    def _line(self) -> bytes:
        return f"\r\n--{self._boundary}\r\n".encode()

    def _end(self) -> bytes:
        return f"\r\n--{self._boundary}--\r\n".encode()

    @staticmethod
    def _file(opened: contextlib.ExitStack, picture: Any) -> Tuple[str, BinaryIO, int]:
        """The name of a picture, its bytes as a file, and where in it they begin."""
        if isinstance(picture, (bytes, bytearray, memoryview)):
            return "picture", io.BytesIO(picture), 0
        if isinstance(picture, (str, os.PathLike)):
            return os.path.basename(picture), opened.enter_context(open(picture, "rb")), 0
        name = os.path.basename(str(getattr(picture, "name", "picture")))
        if picture.seekable():
            return name, picture, picture.tell()
        # What can be read once only could not be sent again.
        kept = opened.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(picture, kept)
        return name, kept, 0


def _is_url(picture: Any) -> bool:
    """True for a picture that the service is to fetch."""
    return isinstance(picture, str) and picture.startswith(("https://", "http://"))


def verify_webhook(body: bytes, headers: Mapping[str, str], secrets: Union[str, Iterable[str]], tolerance: float = 300.0) -> WebhookEvent:
    """
    The webhook that came, if somebody who knows a secret sent it just now.

    :param body: the bytes that came
    :param headers: its headers, in any case
    :param secrets: the secret, ``whsec_…``; several while one replaces another, in a list or with spaces between
    :param tolerance: seconds by which its timestamp may differ from the clock here
    :raises WebhookInvalid: it is anything else
    """
    keys = [_webhook_key(secret) for secret in (secrets.split() if isinstance(secrets, str) else secrets)]
    given = {name.lower(): value for name, value in headers.items()}
    id, timestamp, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > tolerance:
        raise WebhookInvalid("The webhook has no timestamp, or one that is too far from the clock here.")
    signed = f"{id}.{timestamp}.".encode() + body
    expected = [b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
    if not any([hmac.compare_digest(one, other.encode()) for one in expected for other in signatures.split(" ")]):
        raise WebhookInvalid("The webhook is not signed with the secret.")
    return cast(WebhookEvent, json.loads(body))


def _webhook_key(secret: str) -> bytes:
    with contextlib.suppress(binascii.Error):
        if secret.startswith("whsec_") and (key := base64.b64decode(secret[6:], validate=True)):
            return key
    raise ValueError("A secret of webhooks is whsec_ and Base64; what was given is not shown here.")


def _has_ended(job: Job) -> bool:
    return job["state"] not in ("queued", "running")


def _path(*parts: str) -> str:
    return "".join("/" + urllib.parse.quote(part, safe="") for part in parts)


def _head(name: str) -> bytes:
    quoted = name.replace("\\", "_").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'Content-Disposition: form-data; name="image"; filename="{quoted}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()


def _text(value: Any) -> str:
    """An option as a field of the form has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int, float)) for item in value):
        return ",".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else str(value)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise SpotterError(200, "unknown", "The answer is no JSON. Is there a Spotter service at this address?") from None


def _refusal(status: int, body: bytes, retry_after: Optional[str]) -> SpotterError:
    """A refusal from an answer, which may be anything where a proxy wrote it."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    seconds = float(retry_after) if retry_after and re.fullmatch("[0-9]{1,6}", retry_after) else None
    return SpotterError(status, str(problem.get("code", "unknown")), str(problem.get("detail", f"The service answered {status} and no reason.")), seconds)


def _unreachable(lost: Optional[Exception]) -> SpotterError:
    return SpotterError(0, "unreachable", f"The service does not answer: {getattr(lost, 'reason', lost) or 'its answer is empty'}.")
