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
        return {"refused": str(error), "fires": []}
    found = []
    for fire in fires:
        second = int(fire.timestamp())
        # Several times of the day that the clock jumps over are as many fires at the moment of the jump.
        if second not in found[-1:]:
            found.append(second)
        if len(found) == request["count"]:
            break
    return {"fires": found}


# The zones of the package, not those of the machine.
zoneinfo.reset_tzpath(())
print(json.dumps(tzdata.IANA_VERSION))
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
