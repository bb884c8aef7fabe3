"""The work of log_speed.rs with Python's QueueHandler, QueueListener and RotatingFileHandler.

Usage: log_speed.py FOLDER PROCESSES RECORDS; prints the seconds that it took.
"""

import logging
import logging.handlers
import multiprocessing
import pathlib
import sys
import time

FORMAT = "%(asctime)s %(levelname)s %(processName)s[%(process)d] %(name)s: %(message)s"


def work(queue, go, records):
    root = logging.getLogger()
    root.handlers[:] = [logging.handlers.QueueHandler(queue)]
    root.setLevel(logging.INFO)
    logger = logging.getLogger("log_speed")
    go.wait()
    for n in range(records):
        logger.info("record %d of this process, of an ordinary length", n)


def main(folder, processes, records):
    path = pathlib.Path(folder) / "python.log"
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=10 << 20, backupCount=200)
    handler.setFormatter(logging.Formatter(FORMAT))
    queue = multiprocessing.Queue()
    listener = logging.handlers.QueueListener(queue, handler)
    go = multiprocessing.Event()
    workers = [
        multiprocessing.Process(target=work, args=(queue, go, records), name=f"Worker-{n}")
        for n in range(1, processes + 1)
    ]
    for worker in workers:
        worker.start()
    listener.start()
    begin = time.monotonic()
    go.set()
    for worker in workers:
        worker.join()
    listener.stop()
    seconds = time.monotonic() - begin
    handler.close()
    lines = sum(file.read_bytes().count(b"\n") for file in pathlib.Path(folder).glob("python.log*"))
    if lines != processes * records:
        sys.exit(f"{lines} lines of {processes * records}")
    print(seconds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
