"""Writes a position file as shotgunEvents does: write_positions.py FILE PROTOCOL JSON.

JSON is {collection: {plugin: [last or null, {missing id: "YYYY-MM-DD HH:MM:SS"}]}}.
"""
import datetime
import json
import pickle
import sys

state = {}
for collection, plugins in json.loads(sys.argv[3]).items():
    state[collection] = {}
    for plugin, (last, backlog) in plugins.items():
        until = {int(i): datetime.datetime.strptime(t, "%Y-%m-%d %H:%M:%S") for i, t in backlog.items()}
        state[collection][plugin] = (last, until)
with open(sys.argv[1], "wb") as out:
    pickle.dump(state, out, protocol=int(sys.argv[2]))
