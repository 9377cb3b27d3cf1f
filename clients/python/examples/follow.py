"""Sends pictures and says how their jobs go on: python3 follow.py http://127.0.0.1:8080 a.jpg b.jpg"""

import os
import sys

from spotter_client import Spotter

url, *pictures = sys.argv[1:]
spotter = Spotter(url, key=os.environ.get("SPOTTER__KEY"))
for job in spotter.submit(pictures, priority="low"):
    for now in spotter.events(job["id"]):
        print(now["name"], now["state"], "" if now["position"] is None else f"{now['position']} ahead")
    print(now["name"], now["error"]["code"] if now["error"] else now["result"]["summary"])
