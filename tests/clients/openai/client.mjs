// OpenAI's own JavaScript client against `holdfast dev`: node client.mjs http://127.0.0.1:8233. Throws when something is not as it
// should be.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0, timeout: 60_000 });
const hello = (text) => ({ model: "hello", messages: [{ role: "user", content: text }] });

const models = [];
for await (const model of client.models.list()) models.push(model.id);
assert.ok(models.includes("hello") && models.includes("refund"), String(models));

const whole = await client.chat.completions.create(hello("good morning"));
assert.match(whole.choices[0].message.content, /You said: good morning$/);
assert.equal(whole.choices[0].finish_reason, "stop");

const runner = client.chat.completions.stream({ ...hello("again"), stream_options: { include_usage: true } });
let text = "";
for await (const chunk of runner) text += chunk.choices[0]?.delta?.content ?? "";
assert.match(text, /You said: again$/);
assert.equal((await runner.finalChatCompletion()).choices[0].message.content, text);
assert.ok((await runner.totalUsage()).total_tokens > 0);

const stream = client.responses.stream({ model: "hello", input: "one" });
let numbers = 0;
for await (const event of stream) assert.equal(event.sequence_number, numbers++);
const first = await stream.finalResponse();
assert.match(first.output_text, /You said: one$/);
const second = await client.responses.create({ model: "hello", input: "two", previous_response_id: first.id });
assert.match(second.output_text, /Now you said: two$/);

let background = await client.responses.create({ model: "refund", input: "Order 1042 arrived broken", background: true },
  { headers: { "Idempotency-Key": "js-1" } });
const again = await client.responses.create({ model: "refund", input: "Order 1042 arrived broken", background: true },
  { headers: { "Idempotency-Key": "js-1" } });
assert.equal(again.id, background.id);
while (background.holdfast.waiting_on !== "approval") background = await client.responses.retrieve(background.id);
assert.equal(background.status, "in_progress");
assert.equal(background.output.at(-1).type, "mcp_approval_request");
const seen = [];
for await (const event of await client.responses.retrieve(background.id, { stream: true })) {
  seen.push(event.type);
  if (event.type === "response.output_item.added" && event.item.type === "mcp_approval_request") break;
}
assert.ok(seen.includes("response.mcp_call.completed"), String(seen));
assert.equal((await client.responses.cancel(background.id)).status, "cancelled");

const said = [{ role: "user", content: "one" }];
const unstored = await client.responses.create({ model: "hello", input: said, store: false });
assert.equal(unstored.store, false);
said.push(...unstored.output, { role: "user", content: "two" });
const behind = client.responses.stream({ model: "hello", input: said, store: false, include: ["reasoning.encrypted_content"] });
assert.match((await behind.finalResponse()).output_text, /Now you said: two$/);
await assert.rejects(client.responses.retrieve(unstored.id), (error) => error instanceof OpenAI.NotFoundError && error.code === "response_not_found");
await assert.rejects(client.responses.create({ model: "hello", input: "x", previous_response_id: unstored.id }),
  (error) => error instanceof OpenAI.NotFoundError && error.code === "previous_response_not_found");

await assert.rejects(client.chat.completions.create({ ...hello("x"), model: "nobody" }),
  (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found" && error.param === "model");
await assert.rejects(client.chat.completions.create({ ...hello("x"), n: 2 }),
  (error) => error instanceof OpenAI.BadRequestError && error.code === "unsupported_parameter");
console.log(`openai: models, chat, streams, responses, background, cancel, store: false and errors are as they should be`);
