"""An engine for tests of matches that behaves as badly as its first argument says."""

PROGRAM = """
import sys, time
from pathlib import Path
mode = sys.argv[1]
here = Path(sys.argv[0]).parent
size, moves = 5, 0
for line in sys.stdin:
    words = line.split()
    answer = ""
    if words[0] == "list_commands":
        answer = "\\n".join(["list_commands", "boardsize", "time_left", "kgs-rules"])
    elif words[0] == "name":
        answer = "Fake"
    elif words[0] == "version":
        answer = "1." + mode
    elif words[0] == "boardsize":
        size, moves = int(words[1]), 0
    elif words[0] == "final_score":
        answer = "about even" if mode == "vague" else "W+12.5"
        if mode == "unable":
            print("? cannot score\\n", flush=True)
            continue
    elif words[0] == "kgs-rules":
        print("? no such rules\\n", flush=True)
        continue
    elif words[0] == "genmove":
        moves += 1
        answer = "pass"
        if mode == "occupied":
            answer = "A1"
        elif mode == "resigns":
            answer = "resign"
        elif mode == "slow":
            time.sleep(0.3)
        elif moves == 2 and mode == "dies":
            sys.stderr.write("out of cheese\\n")
            sys.exit(3)
        elif moves == 2 and mode == "hangs":
            time.sleep(60)
        elif mode == "babbles":
            answer = "the centre"
        elif mode == "noise":
            print("thinking", flush=True)
        elif mode == "banner" and not list(here.glob("banner")):
            (here / "banner").touch()
            print("thinking\\n", flush=True)
        elif mode == "chatters":
            for _ in range(100):
                print("thinking", flush=True)
                time.sleep(0.1)
    elif words[0] == "play":
        if mode == "dozes" and not list(here.glob("dozed")):
            (here / "dozed").touch()
            time.sleep(4)
    elif words[0] == "quit":
        print("=\\n", flush=True)
        break
    print("= " + answer + "\\n", flush=True)
"""
