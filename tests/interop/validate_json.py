"""Validates JSON documents, one a line on standard input, by a JSON Schema.

    validate_json.py SCHEMA < documents

A document that isn't valid is told on standard error, with exit code 1.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator


def main() -> None:
    schema = json.loads(Path(sys.argv[1]).read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    count = 0
    for line in filter(str.strip, sys.stdin):
        for error in validator.iter_errors(json.loads(line)):
            sys.exit(f"document {count + 1}, {error.json_path}: {error.message}")
        count += 1
    print(count)


if __name__ == "__main__":
    main()
