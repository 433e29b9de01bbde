#!/usr/bin/env python3
"""The record of a run, as an auditor reads it: which version with which prompt, every call with its arguments and result, every
decision with who made it, what it cost in tokens.

    python3 audit.py RUN [--api http://127.0.0.1:8233]
"""

import argparse
import json
import urllib.parse
import urllib.request


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--api", default="http://127.0.0.1:8233")
    arguments = parser.parse_args()

    def get(path):
        with urllib.request.urlopen(arguments.api + path, timeout=30) as answer:
            return json.load(answer)

    run = get(f"/api/v1/runs/{urllib.parse.quote(arguments.run)}")
    version = get(f"/api/v1/agents/{run['agent']}/versions/{run['version']}")
    definition = version["definition"]["spec"]
    print(f"run      {run['id']}  {run['status']}  {run['created_at']} to {run['closed_at']}")
    print(f"agent    {run['agent']}  version {run['version']}")
    print(f"model    {definition['model']['provider']} {definition['model']['name']}")
    print("prompt   " + definition["prompt"].strip().replace("\n", "\n         "))
    print("input    " + json.dumps(run["input"]))
    for step in run["steps"]:
        what = step.get("arguments") or ""
        result = step.get("result") or step.get("text") or step.get("error") or ""
        print(f"step {step['step']:>3}  {step['kind']:<6} {step['name']:<14} {what if isinstance(what, str) else json.dumps(what)}")
        if result:
            print(f"          -> {result if isinstance(result, str) else json.dumps(result)}")
    for approval in run["approvals"]:
        print(f"decision {approval['tool']} {json.dumps(approval['arguments'])}: {approval['status']} by {approval['decided_by']}"
              f" at {approval['decided_at']}  {approval['comment']}  sha256 {approval['arguments_sha256'][:12]}")
    print("usage    " + json.dumps(run["usage"]))
    print("output   " + str(run["output"]))


if __name__ == "__main__":
    main()
