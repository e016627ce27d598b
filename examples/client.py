#!/usr/bin/env python3
"""A client of signd, written from docs/wire-format.md alone.

client.py send CLIP --stream cam1    sends a clip's frames as a camera would
client.py watch                      prints events as JSON lines, then counts by kind

A clip is a float array [frames, 543 or 553, 3], NaN where missing (.npy), or packed
(.npz): `q` is 4096 times that in int16, each frame as the wrapping difference to the
one before; -32768 in all three is a missing point.

Where keys are asked for: --key FILE (made by `signd keygen`) --daemon-key PUBLIC.
"""

import argparse
import json
import time
import tomllib
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgpack
import numpy as np
import zmq

# A key file and the daemon's public key, both or neither.
Keys = tuple[Path | None, str | None]


def load(path: Path) -> tuple[np.ndarray, int, int]:
    """Landmarks [frames, points, 3], and the image's width and height in pixels."""
    data = np.load(path)
    if isinstance(data, np.ndarray):
        return data, 640, 480
    q = np.cumsum(data["q"], axis=0, dtype=np.int16)
    missing = (q == -32768).all(axis=2, keepdims=True)
    width, height = (int(side) for side in data["size"])
    return np.where(missing, np.nan, q / 4096), width or 640, height or 480


def parts(points: np.ndarray) -> dict[str, bytes | None]:
    """The four parts of one frame, None where nothing was detected."""
    pieces = np.split(points.astype("<f4"), [-75, -54, -21])
    seen = [None if np.isnan(piece).all() else piece.tobytes() for piece in pieces]
    return dict(zip(("face", "left_hand", "pose", "right_hand"), seen, strict=True))


def show_key(socket: zmq.Socket, keys: Keys) -> None:
    """Has the socket show the key in this file, and accept no daemon but this one."""
    file, daemon = keys
    if file and daemon:
        key = tomllib.loads(file.read_text())
        socket.curve_publickey = key["public"].encode()
        socket.curve_secretkey = key["secret"].encode()
        socket.curve_serverkey = daemon.encode()


def send(clip: Path, to: str, stream: str, fps: float, keys: Keys) -> None:
    """Sends a clip at its pace, once somebody listens."""
    points, width, height = load(clip)
    with zmq.Context() as c, c.socket(zmq.XPUB) as socket:
        show_key(socket, keys)
        socket.connect(to)
        socket.recv()  # a subscription: the connection stands
        start, start_ns = time.monotonic(), time.time_ns()
        for seq, frame in enumerate(points):
            time.sleep(max(0.0, start + seq / fps - time.monotonic()))
            t = start_ns + int(seq * 1e9 / fps)
            head = {"v": 1, "seq": seq, "t": t, "w": width, "h": height}
            socket.send_multipart([stream.encode(), msgpack.packb(head | parts(frame))])


def watch(source: str, count: int | None, keys: Keys) -> None:
    """Prints `count` events, or all until interrupted."""
    kinds: Counter[str] = Counter()
    with suppress(KeyboardInterrupt), zmq.Context() as c, c.socket(zmq.SUB) as socket:
        socket.subscribe(b"")
        show_key(socket, keys)
        socket.connect(source)
        while count is None or kinds.total() < count:
            _topic, body = socket.recv_multipart()
            event = json.loads(body) if body[:1] == b"{" else msgpack.unpackb(body)
            kinds[event["kind"]] += 1
            print(json.dumps(event), flush=True)
    print(json.dumps(kinds))


def main() -> None:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(description="a client of signd")
    commands = parser.add_subparsers(dest="command", required=True)
    sender = commands.add_parser("send", help="send a clip as a camera would")
    sender.add_argument("clip", type=Path)
    sender.add_argument("--to", default="tcp://127.0.0.1:5556", metavar="ENDPOINT")
    sender.add_argument("--stream", default="cam1")
    sender.add_argument("--fps", type=float, default=30)
    watcher = commands.add_parser("watch", help="print events as JSON lines")
    watcher.add_argument("--from", dest="source", default="tcp://127.0.0.1:5557")
    watcher.add_argument("--count", type=int, help="stop after this many events")
    for command in (sender, watcher):
        command.add_argument("--key", type=Path, metavar="FILE")
        command.add_argument("--daemon-key", metavar="PUBLIC")
    a = parser.parse_args()
    if (a.key is None) != (a.daemon_key is None):
        parser.error("--key and --daemon-key go together")
    keys = (a.key, a.daemon_key)
    if a.command == "send":
        send(a.clip, a.to, a.stream, a.fps, keys)
    else:
        watch(a.source, a.count, keys)


if __name__ == "__main__":
    main()
