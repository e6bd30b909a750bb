"""The end of a benchmark with limits: output and exit status."""
import json
import sys


def finish(options, results, failed, name="rows"):
    """Prints the results if they are wanted as JSON; ends with an error for rows above their limits if that is asked."""
    if options.json:
        json.dump({"python": sys.version, name: results}, sys.stdout, indent=1)
        print()
    if options.check and failed:
        sys.exit(f"above their limits: {', '.join(failed)}")
