"""What Python makes of INI files: a JSON text a line in, sections with their entries as JSON a line out."""
import configparser
import json
import sys

for line in sys.stdin:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(json.loads(line))
        sections = {name: dict(parser._sections[name]) for name in parser._sections}
        if parser._defaults:
            sections["DEFAULT"] = dict(parser._defaults)
        print(json.dumps(sections))
    except configparser.Error:
        print("null")
