"""The same agent on LangGraph with langchain-openai: a model, an SQL tool, ten turns. Prints one line of JSON: milliseconds of
each run, by way of keeping its state.

    langgraph_peer.py --port PORT --database FILE --runs 30 --folder DIR
"""

import argparse
import json
import pathlib
import sqlite3
import time
import uuid

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    args = parser.parse_args()
    orders = sqlite3.connect(f"file:{args.database}?mode=ro", uri=True, check_same_thread=False)

    @tool
    def find_order(order_id: int) -> str:
        """One order by its number."""
        rows = orders.execute("SELECT id, item, total FROM orders WHERE id = ?", (order_id,)).fetchall()
        return json.dumps([dict(zip(("id", "item", "total"), row)) for row in rows])

    model = ChatOpenAI(base_url=f"http://127.0.0.1:{args.port}/v1", api_key="none", model="instant", streaming=True, max_retries=0)
    out = {}
    with SqliteSaver.from_conn_string(str(args.folder / "checkpoints.db")) as saver:
        for name, checkpointer, options in (("no checkpointer", None, {}), ("SQLite saver, synchronous", saver, {"durability": "sync"})):
            agent = create_agent(model, [find_order], system_prompt="You look at orders.", checkpointer=checkpointer)
            times = []
            for run in range(args.runs + 3):
                config = {"recursion_limit": 100, "configurable": {"thread_id": str(uuid.uuid4())}}
                begun = time.perf_counter()
                result = agent.invoke({"messages": [{"role": "user", "content": "Look at ten orders."}]}, config, **options)
                times.append(1000 * (time.perf_counter() - begun))
                assert result["messages"][-1].text == "All orders were looked at.", result["messages"][-1]
            out[name] = times[3:]
    print(json.dumps(out))


main()
