// An agent whose definition is written in C++. The program prints it:
//
//   agent-in-cpp | holdfast agent validate -
//   agent-in-cpp | holdfast agent apply - --label staging
//   holdfast run refunds@staging "Order 1042 arrived broken"

#include <iostream>

#include "holdfast/agent.h"

using holdfast::AgentFile;
using holdfast::AgentTool;

int main() {
  AgentFile agent("refunds");
  agent.description("Pays orders back.")
      .model("openai", "gpt-4o-mini")
      .set("spec.model.api_key_env", "OPENAI_API_KEY")
      .prompt("You settle refund requests of an online shop.");
  agent.tool(AgentTool("find_order", "sql")
                 .description("One order by its number.")
                 .argument("order_id", "integer")
                 .set("sql.database", "shop.db")
                 .set("sql.statement", "SELECT * FROM orders WHERE id = :order_id"));
  agent.tool(AgentTool("issue_refund", "sql")
                 .description("Pays an order back.")
                 .argument("order_id", "integer")
                 .argument("amount", "number")
                 .set("sql.database", "shop.db")
                 .set("sql.read_only", false)
                 .set("sql.statement", "INSERT INTO refunds(order_id, amount) VALUES (:order_id, :amount)"));
  agent.ask("issue_refund", "amount > 100", "Refunds above 100 need a person.");
  agent.set("spec.limits.max_iterations", 12);
  std::cout << agent.text();
}
