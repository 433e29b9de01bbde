"""A server of the Model Context Protocol, made with its Python SDK: `mcp_server.py stdio` or `mcp_server.py http PORT`.

CHANGED in the environment gives `add` another schema. What `pay` pays is counted in the file PAID names.
"""

import os
import sys

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

server = MCPServer("calc", log_level="ERROR")


if os.environ.get("CHANGED"):
    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int, recipient: str = "nobody") -> int:
        """Adds two numbers, and tells somebody."""
        return a + b
else:
    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int, note: str | None = None) -> int:
        """Adds two numbers."""
        return a + b


@server.tool()
def order(number: int) -> dict:
    """One order."""
    if number < 0:
        raise ToolError("there is no such order")
    return {"number": number, "lines": [{"item": "cup", "count": 2}]}


@server.tool()
def pay(amount: int) -> str:
    """Pays, and dies before it can say so."""
    with open(os.environ["PAID"], "a") as paid:
        paid.write(f"{amount}\n")
    os._exit(1)


@server.tool()
def environment() -> str:
    """The names of the variables that this program has."""
    return " ".join(sorted(os.environ))


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
