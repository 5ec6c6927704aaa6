"""procrastinate: keeps finished jobs and a row for each event of them; keeps no output."""

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import sys
import time

import procrastinate

BATCH = 1000

# https://procrastinate.readthedocs.io/en/stable/howto/production/concurrency.html: several workers, each a process of its own, and
# thirty jobs at once in each. Here one for each core.
FAST = {"concurrency": 30}

app = procrastinate.App(connector=procrastinate.PsycopgConnector())
handled = multiprocessing.Value("q", 0)


@app.task(name="noop", queue="noop")
async def noop(customer, lines, note):
    """Says what the order comes to, as the `noop` of the gallery does."""
    total = {
        "customer": customer,
        "articles": [line["article"] for line in lines],
        "pieces": sum(line["pieces"] for line in lines),
        "cents": sum(line["pieces"] * line["cents"] for line in lines),
        "note_bytes": len(note.encode()),
    }
    with handled.get_lock():
        handled.value += 1
    return total


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("url", "settings", "payload", "built", "folder"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--seconds", type=float)
    return parser.parse_args()


def say(**words):
    print(json.dumps(words), flush=True)


def connected(url):
    return app.replace_connector(procrastinate.PsycopgConnector(conninfo=url))


def work(url, settings):
    """A worker in a process of its own, until it is ended."""

    async def run():
        with connected(url) as own:
            async with own.open_async():
                await own.run_worker_async(install_signal_handlers=False, **settings)

    asyncio.run(run())


async def tally(connector):
    rows = await connector.execute_query_all_async(
        "SELECT count(*) FILTER (WHERE status = 'succeeded') AS done,"
        " count(*) FILTER (WHERE status <> 'succeeded') AS remaining FROM procrastinate_jobs"
    )
    return rows[0]["done"], rows[0]["remaining"]


async def drained(own, jobs, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if handled.value >= jobs:
            done, left = await tally(own.connector)
            if left == 0:
                return done, left
        await asyncio.sleep(0.002)
    return await tally(own.connector)


async def main(given):
    payload = json.loads(given.payload)
    with connected(given.url) as own:
        async with own.open_async():
            await own.schema_manager.apply_schema_async()
            say(mark="enqueueing")
            for sent in range(0, given.jobs, BATCH):
                await noop.batch_defer_async(*([payload] * min(BATCH, given.jobs - sent)))
            say(mark="enqueued")
            is_fast = given.settings == "fast"
            count, settings = (os.cpu_count(), FAST) if is_fast else (1, {})
            workers = [multiprocessing.Process(target=work, args=(given.url, settings)) for _ in range(count)]
            say(mark="draining")
            for worker in workers:
                worker.start()
            done, left = await drained(own, given.jobs, given.seconds)
            say(mark="drained")
            say(done=done, left=left, handled=handled.value)
            for worker in workers:
                worker.kill()
                worker.join()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    asyncio.run(main(arguments()))
