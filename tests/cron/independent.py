"""Reads requests from standard input, one JSON object a line, and answers each with the fires that cronsim finds.

The first line of its answer is the release of the zones that it goes by.
"""

import datetime
import json
import sys
import zoneinfo

import cronsim
import tzdata


def answer(request):
    zone = zoneinfo.ZoneInfo(request["zone"])
    after = datetime.datetime.fromtimestamp(request["after"], tz=datetime.timezone.utc).astimezone(zone)
    try:
        fires = cronsim.CronSim(request["line"], after)
    except cronsim.CronSimError as error:
        return {"refused": str(error), "fires": [], "never_shown": 0}
    found, never_shown = [], 0
    for fire in fires:
        second = int(fire.timestamp())
        # It begins each day at midnight, also where the clock jumps over midnight and a line follows the clock.
        shown = datetime.datetime.fromtimestamp(second, tz=zone)
        if shown.replace(tzinfo=None) != fire.replace(tzinfo=None):
            never_shown += 1
        elif second not in found[-1:]:
            # Several times of the day that the clock jumps over are as many fires at the moment of the jump.
            found.append(second)
        if len(found) == request["count"]:
            break
    return {"fires": found, "never_shown": never_shown}


# The zones of the package, not those of the machine.
zoneinfo.reset_tzpath(())
print(json.dumps(tzdata.IANA_VERSION))
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
