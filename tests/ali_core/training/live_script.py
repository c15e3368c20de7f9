"""Ends while a training goes on; run as a process of its own: python live_script.py FOLDER WAY."""

import signal
import sys
import threading

import torch

from ali_core.training import LiveTraining, epochs
from tests.ali_core.training.samples import features, small


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background hands on that it is ignored
    torch.set_num_threads(1)
    live = LiveTraining(epochs(features(), small(max_epochs=10_000), out=sys.argv[1]))
    live.go(1)
    live.wait()
    live.go()
    if sys.argv[2] == "held":
        live.pause(), live.pause()
        live.wait()
    if sys.argv[2] != "interrupt":
        print("training", flush=True)
    else:
        threading.Timer(1, print, ["training"], {"flush": True}).start()  # said when the wait has begun
        try:
            live.wait()
        except KeyboardInterrupt:
            print("interrupted", live.status, flush=True)


if __name__ == "__main__":
    main()
