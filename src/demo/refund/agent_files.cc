#include "refund/agent_files.h"

#include <fmt/format.h>

#include "refund/shop.h"

namespace holdfast::demo {

namespace {

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// examples/refund/agent.yaml is this agent with places of its own.
constexpr const char* kAgent = R"yaml(apiVersion: holdfast.dev/v1
kind: Agent
metadata:
  name: refund
  description: Checks a complaint, tells the people concerned, and refunds the order.
spec:
  model:
    provider: openai
    base_url: @MODEL@
    name: scripted
    timeout: 60s
  prompt: |
    You settle refund requests of an online shop. Look at the order, the customer and earlier refunds first. Tell
    support, finance and the customer what you are about to do. Then refund the amount that is due, once.
  tools:
    - name: find_order
      type: sql
      description: One order by its number.
      parameters:
        properties: {order_id: {type: integer}}
        required: [order_id]
      sql:
        database: "@SHOP@"
        statement: SELECT id, customer_id, item, total, currency, status, ordered_on FROM orders WHERE id = :order_id
    - name: find_customer
      type: sql
      description: One customer by number.
      parameters:
        properties: {customer_id: {type: integer}}
        required: [customer_id]
      sql:
        database: "@SHOP@"
        statement: SELECT id, name, email, tier FROM customers WHERE id = :customer_id
    - name: earlier_refunds
      type: sql
      description: What the customer got back before.
      parameters:
        properties: {customer_id: {type: integer}}
        required: [customer_id]
      sql:
        database: "@SHOP@"
        statement: >-
          SELECT count(*) AS refunds, coalesce(sum(r.amount), 0) AS refunded
          FROM refunds r JOIN orders o ON o.id = r.order_id WHERE o.customer_id = :customer_id
    - name: send_message
      type: http
      description: Posts a message to a channel (Slack incoming webhook).
      effect: idempotent
      parameters:
        properties:
          channel: {type: string, enum: [support, finance, customer]}
          text: {type: string, minLength: 1}
        required: [channel, text]
      http:
        method: POST
        url: "@RECEIVER@/hooks/{channel}"
        body: {text: "{text}"}
    - name: issue_refund
      type: sql
      description: Pays an order back, in full or in part.
      parameters:
        properties:
          order_id: {type: integer}
          amount: {type: number, exclusiveMinimum: 0}
          reason: {type: string}
        required: [order_id, amount, reason]
      sql:
        database: "@SHOP@"
        read_only: false
        statement: >-
          INSERT INTO refunds(order_id, amount, reason, created_at)
          SELECT id, :amount, :reason, datetime('now') FROM orders WHERE id = :order_id AND total >= :amount;
          UPDATE orders SET status = 'refunded' WHERE id = :order_id
  approvals:
    rules:
      - tool: issue_refund
        when: amount > 100
        action: ask
        reason: Refunds above 100 EUR need a person.
        expires_after: 24h
  limits:
    max_iterations: 12
)yaml";

constexpr const char* kScript = R"yaml(
models: [scripted]
delay: 8ms
replies:
  - when: {turn: 0}
    text: I will look at the order, the customer and what was refunded before.
    tool_calls:
      - {name: find_order, arguments: {order_id: @ORDER@}}
      - {name: find_customer, arguments: {customer_id: @CUSTOMER@}}
      - {name: earlier_refunds, arguments: {customer_id: @CUSTOMER@}}
  - when: {turn: 1}
    text: The order is real and was delivered. I will tell everyone concerned.
    tool_calls:
      - {name: send_message, arguments: {channel: support, text: "Order @ORDER@ (espresso machine) arrived broken."}}
      - {name: send_message, arguments: {channel: finance, text: "Refund of @TOTAL@ EUR for order @ORDER@ is being prepared."}}
      - {name: send_message, arguments: {channel: customer, text: "Dear @NAME@, we are on it."}}
  - when: {turn: 2}
    text: Now the refund itself.
    tool_calls:
      - {name: issue_refund, arguments: {order_id: @ORDER@, amount: @TOTAL@, reason: arrived broken}}
  - when: {turn: 3, last: '"changes":2'}
    text: Done. @NAME@ gets @TOTAL@ EUR back for order @ORDER@, and everyone concerned knows.
  - when: {turn: 3}
    text: The refund was not made.
)yaml";

}  // namespace

std::string refund_agent(const AgentPlaces& places) {
  std::string text = kAgent;
  replace_all(text, "@MODEL@", places.model_url);
  replace_all(text, "@SHOP@", places.database);
  replace_all(text, "@RECEIVER@", places.receiver_url);
  return text;
}

std::string refund_script() {
  std::string text = kScript;
  replace_all(text, "@ORDER@", std::to_string(kOrder));
  replace_all(text, "@CUSTOMER@", std::to_string(kCustomer));
  replace_all(text, "@TOTAL@", fmt::format("{:.2f}", kTotal));
  replace_all(text, "@NAME@", kCustomerName);
  return text;
}

std::string refund_input() {
  return fmt::format(
      "Customer {} writes: my espresso machine (order {}) arrived broken, please give me my money back.",
      kCustomer, kOrder);
}

}  // namespace holdfast::demo
