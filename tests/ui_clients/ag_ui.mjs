// AG-UI's own client (npm @ag-ui/client) against POST /ag-ui/{agent}. It checks the order of all events itself and throws.

import assert from "node:assert/strict";
import { HttpAgent } from "@ag-ui/client";

const base = `${process.env.HOLDFAST_URL}/ag-ui`;
let messages = 0;

function agent(threadId, name = "payer") {
  return new HttpAgent({ url: `${base}/${name}`, threadId });
}

async function say(one, content, subscriber) {
  one.addMessage({ id: `m${++messages}`, role: "user", content });
  return one.runAgent({}, subscriber);
}

const texts = (result) => result.newMessages.filter((m) => m.role === "assistant" && m.content).map((m) => m.content);

{
  const one = agent("ag-hello");
  const result = await say(one, "hello");
  assert.deepEqual(texts(result), ["Hello from the script."]);
  assert.equal(result.result, "Hello from the script.");
  assert.equal(one.state.status, "completed");
  assert.deepEqual(texts(await say(one, "and now?")), ["That is settled."]); // the script counts turns: it is one conversation
  console.log("ag-ui: two runs of a thread");
}
{
  const one = agent("ag-pay");
  let interrupts;
  await say(one, "pay, please", {
    onRunFinishedEvent: ({ event }) => {
      interrupts = event.outcome?.interrupts;
    },
  });
  assert.equal(interrupts?.length, 1);
  assert.equal(interrupts[0].reason, "tool_call");
  assert.equal(one.state.status, "input_required");
  const call = one.messages.flatMap((m) => m.toolCalls ?? []).find((c) => c.id === interrupts[0].toolCallId);
  assert.deepEqual(JSON.parse(call.function.arguments), { amount: 250 });
  const resume = [{ interruptId: interrupts[0].id, status: "resolved", payload: { approved: true } }];
  const result = await one.runAgent({ resume });
  assert.deepEqual(texts(result), ["That is settled."]);
  assert.equal(one.messages.find((m) => m.role === "tool").toolCallId, call.id);
  console.log("ag-ui: a question and its answer");
}
{
  const one = agent("ag-form", "clerk");
  let interrupts;
  await say(one, "refund it", {
    onRunFinishedEvent: ({ event }) => {
      interrupts = event.outcome?.interrupts;
    },
  });
  assert.equal(interrupts?.length, 1);
  assert.equal(interrupts[0].reason, "input_required");
  assert.equal(interrupts[0].message, "Refund order 7?");
  assert.deepEqual(interrupts[0].responseSchema.required, ["refund", "why"]);
  const resume = [{ interruptId: interrupts[0].id, status: "resolved", payload: { refund: true, why: "lost" } }];
  assert.match(texts(await one.runAgent({ resume }))[0], /"refund": ?true/);
  console.log("ag-ui: a question with a form and its answer");
}
{
  const dropped = [];
  const result = await say(agent("ag-again"), "again", {
    onCustomEvent: ({ event }) => {
      if (event.name === "holdfast.message_dropped") dropped.push(event.value.messageId);
    },
  });
  const kept = result.newMessages.filter((m) => !dropped.includes(m.id)).map((m) => m.content);
  assert.deepEqual(kept, ["Alpha beta gamma delta epsilon zeta eta theta."]);
  assert.ok(dropped.length <= 1);
  console.log("ag-ui: an answer that breaks off");
}
{
  let failure = "";
  const subscriber = { onRunErrorEvent: ({ event }) => void (failure = event.message) };
  await say(agent("ag-refuse"), "refuse", subscriber).catch((error) => (failure ||= String(error)));
  assert.match(failure, /not like that/);
  console.log("ag-ui: a failure");
}
