"""Calls APIs through the sidecar with requests, which is told the sidecar's address alone.

    sidecar.py SIDECAR-URL MIB

Prints what it got, as JSON.
"""

import hashlib
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import requests

SIDECAR, MIB = sys.argv[1], int(sys.argv[2])


def sha256(pieces):
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def pieces_of(path):
    with open(path, "rb") as file:
        while piece := file.read(64 * 1024):
            yield piece


def download(path):
    with requests.get(SIDECAR + path, stream=True) as answer:
        answer.raise_for_status()
        return sha256(answer.iter_content(64 * 1024))


def upload(kind, body, path, headers=None):
    answer = requests.post(f"{SIDECAR}/files/upload/{kind}", data=body, headers=headers)
    answer.raise_for_status()
    return {"sent": sha256(pieces_of(path)), "told": answer.json()["sha256"]}


greeting = requests.get(f"{SIDECAR}/hello-world/hello/application").text
token = requests.post(f"{SIDECAR}/token", json={}).json()

with tempfile.NamedTemporaryFile() as sent:
    for _ in range(MIB):
        sent.write(os.urandom(1024 * 1024))
    sent.flush()
    with open(sent.name, "rb") as whole, open(sent.name, "rb") as asked_for:
        uploads = {
            "length": upload("length", whole, sent.name),
            "chunked": upload("chunked", pieces_of(sent.name), sent.name),
            "expect": upload("expect", asked_for, sent.name, {"Expect": "100-continue"}),
        }

with ThreadPoolExecutor(8) as pool:
    at_once = list(pool.map(download, ["/files/data/4"] * 8))

print(
    json.dumps(
        {
            "greeting": greeting,
            "token": token,
            "uploads": uploads,
            "downloaded": download(f"/files/data/{MIB}"),
            "at_once": at_once,
        }
    )
)
