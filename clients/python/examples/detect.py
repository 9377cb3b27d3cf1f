"""Says what is in a picture: python3 detect.py http://127.0.0.1:8080 photo.jpg"""

import os
import sys
from pathlib import Path

from spotter_client import JobFailed, Spotter, SpotterError

url, picture = sys.argv[1:]
spotter = Spotter(url, key=os.environ.get("SPOTTER__KEY"))
try:
    job = spotter.detect(picture, confidence=0.4)
except JobFailed as failed:
    sys.exit(f"{picture}: {failed.detail} (job {failed.job['id']})")
except SpotterError as refused:
    sys.exit(f"{picture}: {refused.detail}")

for found in job["result"]["detections"] or []:
    box = found["box"]
    print(f"{found['label']} {found['confidence']:.2f} at {box['x1']:.0f},{box['y1']:.0f}")
Path("boxes.jpg").write_bytes(spotter.annotated(job["id"]))
